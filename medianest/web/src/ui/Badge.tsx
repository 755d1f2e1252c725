export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

const INK: Readonly<Record<Tone, string>> = {
  good: "text-good",
  busy: "text-busy",
  warn: "text-warn",
  bad: "text-bad",
  plain: "text-quiet",
};

/** A state in a word, with a dot that has its colour; the word alone says it too. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return (
    <span className={`inline-flex items-center gap-1.5 text-xs font-medium whitespace-nowrap ${INK[tone]}`}>
      <span className="size-1.5 rounded-full bg-current" aria-hidden="true" />
      {children}
    </span>
  );
}
