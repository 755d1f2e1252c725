import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answered, api } from "../api/client";
import type { Found } from "../api/schema";

const SMALLEST_PX = 48; // what Plex has no picture for is a dot

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

/** It is fetched with the access token, which no address holds. */
function Fetched({ of, size }: PictureProps) {
  const { data: blob } = useQuery({
    queryKey: ["picture", "ticket" in of ? of.ticket : `${of.kind}/${of.tmdb}`, size],
    queryFn: ({ signal }) => fetched(of, size, signal),
    staleTime: Number.POSITIVE_INFINITY, // the same ticket is the same picture for ever
    gcTime: 1_800_000,
    retry: false,
    refetchInterval: false,
  });
  const url = useAddress(blob);
  const [isShown, setShown] = useState(false);
  if (url === undefined) return null;
  return (
    <img
      src={url}
      alt=""
      className={`absolute inset-0 size-full object-cover transition-opacity duration-300 ${isShown ? "" : "opacity-0"}`}
      onLoad={(event) => setShown(event.currentTarget.naturalWidth >= SMALLEST_PX)}
    />
  );
}

function fetched(of: Source, size: Size, signal: AbortSignal): Promise<Blob> {
  const how = { parseAs: "blob", signal } as const;
  if ("ticket" in of) return answered(api.GET("/api/v1/plex/posters/{ticket}", { ...how, params: { path: of, query: { size } } }));
  const { kind, tmdb } = of;
  return answered(api.GET("/api/v1/media/{kind}/{tmdb}/picture", { ...how, params: { path: { kind, tmdb }, query: { form: size } } }));
}

/** An address in this page for `blob`, for as long as it is looked at. */
function useAddress(blob: Blob | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (blob === undefined) return;
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url;
}
