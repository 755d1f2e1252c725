import { encode } from "uqr";
import { say } from "../strings/door";

/** `text` as a QR code, in one path. */
export default function Qr({ text }: { readonly text: string }) {
  const { data, size } = encode(text, { border: 0 });
  const dots = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : [])));
  return (
    <svg viewBox={`0 0 ${size} ${size}`} role="img" aria-label={say.signIn.qr} shapeRendering="crispEdges">
      <path d={dots.join("")} fill="black" />
    </svg>
  );
}
