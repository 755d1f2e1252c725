/** How something looks that is chosen from a row of such. */
export const CHIP =
  "min-h-9 shrink-0 rounded-full border border-line px-3.5 text-sm whitespace-nowrap text-quiet transition-colors hover:text-ink " +
  "aria-pressed:border-transparent aria-pressed:bg-ink aria-pressed:text-paper " +
  "aria-[current=page]:border-transparent aria-[current=page]:bg-ink aria-[current=page]:text-paper";
