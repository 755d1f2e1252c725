/** How much of something is done; null: it is under way, and nobody knows how far. */
export function Bar({ percent, label }: { readonly percent: number | null; readonly label: string }) {
  const width = percent === null ? 100 : Math.min(100, Math.max(2, percent));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { "aria-valuenow": Math.round(percent) })}
      className="h-1 w-full overflow-hidden rounded-full bg-line"
    >
      <div
        className={`h-full rounded-full bg-busy transition-[width] duration-700 ${percent === null ? "animate-pulse opacity-60" : ""}`}
        style={{ width: `${width}%` }}
      />
    </div>
  );
}
