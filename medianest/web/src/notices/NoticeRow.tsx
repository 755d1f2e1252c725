import type { KeyboardEvent } from "react";
import { Link } from "wouter";
import type { Notice } from "../api/schema";
import { requestPath, routes } from "../app/routes";
import { say } from "../strings/notices";
import { Icon } from "../ui/Icon";
import { Poster } from "../ui/Poster";
import { atClock } from "../ui/units";
import { useFromNow } from "../ui/useFromNow";

const INK: Readonly<Record<Notice["kind"], string>> = {
  "request-approved": "text-busy",
  "request-declined": "text-bad",
  "request-arrived": "text-good",
  "request-failed": "text-bad",
  "request-removed": "text-warn",
  "download-ready": "text-good",
  "download-failed": "text-bad",
  "download-removed": "text-warn",
  "account-changed": "text-busy",
};

interface Row {
  readonly notice: Notice;
  readonly onOpen: () => void;
  readonly onPutAway: () => void;
}

/** One notice: a way to what it is about, and a way to be rid of it. */
export function NoticeRow({ notice, onOpen, onPutAway }: Row) {
  const fromNow = useFromNow();
  const title = notice.title ?? (notice.kind === "account-changed" ? say.notices.account : say.notices.video);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Delete") onPutAway();
  };
  return (
    <li onKeyDown={onKeyDown} className="relative flex items-start gap-3 rounded-xl bg-raised py-3 pr-2 pl-4 hover:bg-sunken">
      <Picturing notice={notice} title={title} />
      <div className="min-w-0 flex-1">
        <p className={notice.read ? "text-quiet" : "font-medium"}>
          {notice.read ? null : <span className="sr-only">{say.notices.unread} </span>}
          <Subject notice={notice} title={title} onOpen={onOpen} />
        </p>
        <p className="text-sm text-quiet">{notice.words}</p>
        {notice.note && <p className="mt-1 text-sm text-ink">{say.requests.note(notice.note)}</p>}
        <p className="mt-1 text-xs text-quiet">
          <time dateTime={notice.at} title={atClock(new Date(notice.at))}>
            {fromNow(new Date(notice.at))}
          </time>
        </p>
      </div>
      <button
        type="button"
        aria-label={say.notices.putAway(title)}
        className="relative z-10 flex size-11 shrink-0 items-center justify-center rounded-lg text-quiet hover:bg-line hover:text-ink"
        onClick={onPutAway}
      >
        <Icon name="close" className="size-4" />
      </button>
    </li>
  );
}

/** What it is about: its poster, or a sign; in the corner a dot in the colour of the news, while it is new. */
function Picturing({ notice: { kind, media, tmdb, download, read }, title }: { readonly notice: Notice; readonly title: string }) {
  return (
    <span className="relative w-10 shrink-0">
      {media && tmdb !== null ? (
        <Poster title={title} kind="" seed={tmdb} of={{ kind: media, tmdb }} size="small" />
      ) : (
        <span className="grid size-10 place-items-center rounded-lg bg-sunken text-quiet">
          <Icon name={download ? "video" : "you"} />
        </span>
      )}
      {!read && <span aria-hidden="true" className={`absolute -top-1 -left-1 size-3 rounded-full bg-current ring-2 ring-raised ${INK[kind]}`} />}
    </span>
  );
}

/** The whole row leads there. What is about the account leads nowhere: it is read by a press. */
function Subject({ notice, title, onOpen }: { readonly notice: Notice; readonly title: string; readonly onOpen: () => void }) {
  const open = () => {
    if (!notice.read) onOpen();
  };
  const look = "block max-w-full truncate after:absolute after:inset-0 after:rounded-xl after:content-['']";
  const path = notice.request ? requestPath(notice.request) : notice.download ? routes.downloads : null;
  if (path)
    return (
      <Link href={path} dir="auto" className={look} onClick={open}>
        {title}
      </Link>
    );
  return notice.read ? (
    <span dir="auto" className="block truncate">
      {title}
    </span>
  ) : (
    <button type="button" dir="auto" className={look} onClick={open}>
      {title}
    </button>
  );
}
