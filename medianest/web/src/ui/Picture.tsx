import { useEffect, useRef, useState } from "react";
import type { Found } from "../api/schema";
import { useSession } from "../session/useSession";

const SMALLEST_PX = 48; // what Plex has no picture for is a dot

const AGAIN_MS: readonly number[] = [3_000, 15_000, 60_000]; // what does not come is asked for again, as it may have been fetched meanwhile
const NEAR = "300px"; // of what is seen: so far ahead a picture is fetched

/** What a picture is of: what the ticket of a library's item names, or a title anybody may ask for. */
export type Source = { readonly ticket: string } | { readonly kind: Found["kind"]; readonly tmdb: number };
export type Size = "small" | "medium" | "large" | "backdrop";

interface PictureProps {
  readonly of: Source;
  readonly size: Size;
}

/** A picture over what is drawn below it, once it is there: fetched when it is nearly in sight, so that those in sight come first. */
export function Picture(props: PictureProps) {
  const place = useRef<HTMLSpanElement>(null);
  const [isNear, come] = useState(false);
  useEffect(() => {
    if (place.current === null) return;
    const watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && come(true), { rootMargin: NEAR });
    watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  return isNear ? <Fetched {...props} /> : <span ref={place} className="absolute inset-0" />;
}

/** The browser fetches it by itself: a cookie lets it, which is renewed with the session, and then what failed is tried again. */
function Fetched({ of, size }: PictureProps) {
  const session = useSession();
  const until = session.state === "in" ? session.expiresAt : 0;
  const [refused, refuse] = useState<number>();
  const [pauses, wait] = useState(AGAIN_MS);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const [pause, ...later] = pauses;
    if (refused !== until || pause === undefined) return;
    const timer = setTimeout(() => {
      wait(later);
      refuse(undefined);
    }, pause);
    return () => clearTimeout(timer);
  }, [refused, until, pauses]);
  if (refused === until) return null;
  return (
    <img
      src={"ticket" in of ? `/api/v1/plex/posters/${of.ticket}?size=${size}` : `/api/v1/media/pictures/${of.kind}/${of.tmdb}?form=${size}`}
      alt=""
      className={`absolute inset-0 size-full object-cover transition-opacity duration-300 ${isShown ? "" : "opacity-0"}`}
      onLoad={(event) => setShown(event.currentTarget.naturalWidth >= SMALLEST_PX)}
      onError={() => refuse(until)}
    />
  );
}
