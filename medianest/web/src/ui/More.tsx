import { useEffect, useRef } from "react";
import { say } from "../strings/door";
import { Button } from "./Button";

interface List {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  readonly fetchNextPage: () => unknown;
}

const AHEAD = "800px"; // so that who scrolls does not wait

/** The rest of a long list: comes by itself when its end is near, and by the button for who gets there by keyboard. */
export function More({ list }: { readonly list: List }) {
  const end = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  const comesByItself = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (!comesByItself || end.current === null) return;
    const watcher = new IntersectionObserver(([seen]) => seen?.isIntersecting && void fetchNextPage(), { rootMargin: AHEAD });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [comesByItself, fetchNextPage]);
  if (!hasNextPage) return null;
  return (
    <div ref={end} className="mt-5">
      <Button className="w-full" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {isFetchingNextPage ? say.loading : say.more}
      </Button>
    </div>
  );
}
