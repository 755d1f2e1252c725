const PATHS = {
  home: "M4 11.5 12 5l8 6.5M6 10v9h4.5v-5h3v5H18v-9",
  bell: "M12 4a5.500 5.500 0 0 1 5.500 5.500c0 4.500 1.500 6 1.500 6H5s1.500-1.500 1.500-6A5.500 5.500 0 0 1 12 4Zm-2 14.500a2 2 0 0 0 4 0",
  discover: "M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14Zm5.2 12.2L20 20",
  requests: "M7 4.5h10a1 1 0 0 1 1 1V20l-6-4-6 4V5.500a1 1 0 0 1 1-1Z",
  you: "M12 4.500a3.750 3.750 0 1 1 0 7.500 3.750 3.750 0 0 1 0-7.500ZM4.500 20c.8-3.600 3.700-5.500 7.500-5.500s6.700 1.900 7.500 5.500",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8Zm0-5v2m0 14v2M3 12h2m14 0h2M5.600 5.600 7 7m10 10 1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400",
  moon: "M19 14.500A7.500 7.500 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500Z",
  out: "M14 5H6v14h8m-3-7h9m-3-3.500 3.500 3.500-3.500 3.500",
  back: "m14.500 6-6 6 6 6",
  check: "m5.500 12.500 4.500 4.500 8.500-9.500",
  clock: "M12 4.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15ZM12 8v4.200l2.800 1.800",
  close: "m6.500 6.500 11 11m0-11-11 11",
  copy: "M9 9h10v10H9zM5 15V5h10",
  library: "M5 5v14M9.500 5v14M14 5.500l4.500 13",
  admin: "M12 3.500 19 6v5.500c0 4.300-2.900 7.400-7 9-4.100-1.600-7-4.700-7-9V6z",
  help: "M12 4.500a7.500 7.500 0 1 1 0 15 7.500 7.500 0 0 1 0-15ZM9.700 9.700a2.400 2.400 0 1 1 3.400 2.200c-.8.400-1.100.9-1.100 1.700M12 16v.1",
  devices: "M4 6h12v9H4zM2.500 18h10M17 10h4v9h-4z",
  play: "M8 5.500v13l10.500-6.500z",
  video: "M4.500 6.500h15v11h-15zM10.500 9.500v5l4-2.500z",
} as const;

export type IconName = keyof typeof PATHS;

/** A picture beside words that say the same: hidden from those who listen. */
export function Icon({ name, className = "size-5" }: { readonly name: IconName; readonly className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.7}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
