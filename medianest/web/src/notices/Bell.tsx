import { Link, useLocation } from "wouter";
import { routes } from "../app/routes";
import { say } from "../strings/house";
import { Icon } from "../ui/Icon";
import { useUnread } from "./useUnread";

/** The way to the inbox, with how much in it is unread. */
export function Bell({ className = "" }: { readonly className?: string }) {
  const [location] = useLocation();
  const unread = useUnread().data?.unread ?? 0;
  const isHere = location === routes.notices;
  return (
    <Link
      href={routes.notices}
      aria-label={say.notices.bell(unread)}
      {...(isHere && { "aria-current": "page" as const })}
      className={`relative flex size-11 items-center justify-center rounded-lg hover:bg-sunken hover:text-ink md:size-10 ${isHere ? "text-accent" : "text-quiet"} ${className}`}
    >
      <Icon name="bell" />
      {unread > 0 && (
        <span
          aria-hidden="true"
          className="absolute top-1 left-6 min-w-4.5 rounded-full bg-accent px-1 text-center text-2xs leading-4.5 font-semibold text-on-accent tabular-nums"
        >
          {say.notices.count(unread)}
        </span>
      )}
    </Link>
  );
}
