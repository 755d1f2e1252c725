export type Tone = "good" | "busy" | "warn" | "bad" | "plain";

const INK: Readonly<Record<Tone, string>> = {
  good: "text-good",
  busy: "text-busy",
  warn: "text-warn",
  bad: "text-bad",
  plain: "text-quiet",
};

interface BadgeProps {
  readonly tone: Tone;
  readonly onPicture?: boolean;
  readonly children: string;
}

/** A state in a word, with a dot that has its colour; the word alone says it too. */
export function Badge({ tone, onPicture = false, children }: BadgeProps) {
  return (
    <span className={`inline-flex items-center gap-1.5 text-xs font-medium whitespace-nowrap ${onPicture ? "on-picture rounded-full px-2 py-0.5" : ""} ${INK[tone]}`}>
      <span className="size-1.5 rounded-full bg-current" aria-hidden="true" />
      {children}
    </span>
  );
}
