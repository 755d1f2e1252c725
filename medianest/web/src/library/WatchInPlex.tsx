import type { Item } from "../api/schema";
import { say } from "../strings/house";
import { Icon } from "../ui/Icon";

/** The short way to watch something of a list: past its own page, straight into Plex. */
export function WatchInPlex({ item, className }: { readonly item: Item; readonly className: string }) {
  if (item.watch_url === null) return null;
  const label = `${say.library.play} ${say.newWindow}`;
  return (
    <a href={item.watch_url} target="_blank" rel="noreferrer" aria-label={label} aria-description={item.title} className={`grid size-11 place-items-center ${className}`}>
      <Icon name="play" />
    </a>
  );
}
