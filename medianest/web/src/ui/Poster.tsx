import { say } from "../strings/door";
import { hueOf } from "./hue";
import { Picture, type Size, type Source } from "./Picture";

interface PosterProps {
  readonly title: string;
  readonly kind: string;
  readonly seed: number;
  readonly of: Source | null; // whose picture covers it; null: there is none
  readonly size?: Size;
}

/**
 * A poster drawn from the title itself, the same for the same title, and over it the real one once that is there:
 * so a shelf looks like a shelf at once, and where a picture is missing or out of reach.
 */
export function Poster({ title, kind, seed, of, size = "medium" }: PosterProps) {
  const hue = hueOf(seed);
  const letters = title.length > 34 ? "text-[8.5cqi]" : title.length > 16 ? "text-[10.5cqi]" : "text-[13cqi]";
  const ground = {
    backgroundImage:
      `radial-gradient(120% 80% at 85% 8%, oklch(0.62 0.13 ${hue}) 0%, transparent 62%),` +
      `linear-gradient(165deg, oklch(0.36 0.09 ${hue + 25}) 0%, oklch(0.19 0.05 ${hue + 60}) 78%)`,
  };
  return (
    <div
      className="@container relative aspect-2/3 w-full overflow-hidden rounded-lg text-white ring-1 ring-white/10 ring-inset"
      style={ground}
      aria-hidden="true"
    >
      <Motif seed={seed} />
      <div className="absolute inset-x-0 bottom-0 h-3/4 bg-linear-to-t from-black/70 to-transparent" />
      <div className="absolute inset-x-0 bottom-0 p-[9cqi]">
        <p dir="auto" className={`line-clamp-4 leading-[1.06] font-semibold tracking-tight text-balance ${letters}`}>{title}</p>
        <p className="mt-[4cqi] hidden text-[6.5cqi] tracking-[0.16em] text-white/75 uppercase @min-[6rem]:block">{kind || say.name}</p>
      </div>
      {of && <Picture of={of} size={size} />}
    </div>
  );
}

/** One of a few quiet shapes in the upper half. */
function Motif({ seed }: { readonly seed: number }) {
  const turn = (seed * 47) % 360;
  const shapes = [
    <circle key="0" cx="66" cy="42" r="30" />,
    <path key="1" d="M-10 92 50 12l60 80" />,
    <path key="2" d="M10-10v90M34-10v90M58-10v90M82-10v90" />,
    <g key="3">
      <circle cx="40" cy="44" r="14" />
      <circle cx="40" cy="44" r="28" />
      <circle cx="40" cy="44" r="42" />
    </g>,
    <path key="4" d="M-5 30q27-26 55 0t55 0M-5 52q27-26 55 0t55 0M-5 74q27-26 55 0t55 0" />,
  ];
  return (
    <svg viewBox="0 0 100 150" className="absolute inset-0 size-full" fill="none" stroke="white" strokeOpacity="0.2" strokeWidth="1.2">
      <g transform={`rotate(${(turn % 30) - 15} 50 50)`}>{shapes[seed % shapes.length]}</g>
    </svg>
  );
}
