import { say } from "../strings/house";
import { CHIP } from "./Chip";

/** One's own, or everybody's: for moderators. */
export function Whose({ everybody, show }: { readonly everybody: boolean; readonly show: (everybody: boolean) => void }) {
  return (
    <div role="group" aria-label={say.whose.label} className="flex gap-2">
      {[false, true].map((one) => (
        <button key={String(one)} type="button" className={CHIP} aria-pressed={everybody === one} onClick={() => show(one)}>
          {one ? say.whose.everybody : say.whose.mine}
        </button>
      ))}
    </div>
  );
}
