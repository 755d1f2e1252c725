/** How something looks that one writes into. */
export const FIELD = "mt-1 block h-11 w-full min-w-0 rounded-lg border border-line bg-paper px-3 text-base text-ink md:h-10";
