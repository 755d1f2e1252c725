import type { Account, DownloadView, RequestView } from "../../api/schema";
import { TONES as VIDEO_TONES } from "../../downloads/states";
import { TONES } from "../../requests/states";
import { say } from "../../strings";
import { Badge, type Tone } from "../../ui/Badge";
import { Empty, Ghost } from "../../ui/Empty";
import { ROW, Rows } from "../../ui/Rows";
import { Loaded } from "../../ui/Trouble";
import { atClock } from "../../ui/units";
import { usePeopleThen, useRequestsThen, useVideosThen } from "./queries";

interface Then {
  readonly asOf: string;
}

export function RequestsThen({ asOf }: Then) {
  return (
    <Loaded asked={useRequestsThen(asOf)} ghost={<Ghost className="h-64" />}>
      {({ items }) => <RequestRowsThen requests={items} />}
    </Loaded>
  );
}

export function VideosThen({ asOf }: Then) {
  return (
    <Loaded asked={useVideosThen(asOf)} ghost={<Ghost className="h-64" />}>
      {({ items }) => <VideoRowsThen videos={items} />}
    </Loaded>
  );
}

const STANDING: Readonly<Record<string, Tone>> = { active: "good", suspended: "warn", erased: "plain" };

export function PeopleThen({ asOf }: Then) {
  return (
    <Loaded asked={usePeopleThen(asOf)} ghost={<Ghost className="h-64" />}>
      {({ items }) => (
        <Rows abreast none={<Empty title={say.admin.past.nobody} />}>
          {items.map(({ account, name, role, state, opened_at: opened }: Account) => (
            <RowThen key={account} name={name} facts={[say.you.role[role], say.admin.past.since(atClock(new Date(opened)))]} tone={STANDING[state] ?? "plain"} word={say.admin.people.states[state] ?? state} />
          ))}
        </Rows>
      )}
    </Loaded>
  );
}

export function RequestRowsThen({ requests }: { readonly requests: readonly RequestView[] }) {
  return (
    <Rows abreast none={<Empty title={say.admin.past.noRequests} />}>
      {requests.map(({ request, title, year, kind, is4k, seasons, by, state, why, changed_at: changed }) => (
        <RowThen
          key={request}
          name={title}
          facts={[year, seasons.length > 0 ? say.requests.seasons(seasons) : say.kind[kind], is4k && say.requests.in4k, by && say.requests.by(by), atClock(new Date(changed)), why]}
          tone={TONES[state]}
          word={say.requestState[state]}
        />
      ))}
    </Rows>
  );
}

export function VideoRowsThen({ videos }: { readonly videos: readonly DownloadView[] }) {
  return (
    <Rows abreast none={<Empty title={say.admin.past.noVideos} />}>
      {videos.map(({ download, title, by, state, why, changed_at: changed }) => (
        <RowThen
          key={download}
          name={title ?? say.downloads.untitled}
          facts={[by && say.downloads.by(by), atClock(new Date(changed)), why]}
          tone={VIDEO_TONES[state]}
          word={say.downloadState[state]}
        />
      ))}
    </Rows>
  );
}

interface RowProps {
  readonly name: string;
  readonly facts: readonly (string | number | false | null)[];
  readonly tone: Tone;
  readonly word: string;
}

/** One thing as it was. It leads nowhere: there it is as it is now. */
export function RowThen({ name, facts, tone, word }: RowProps) {
  return (
    <li className={ROW}>
      <div className="min-w-0 grow basis-40">
        <p className="truncate font-medium">{name}</p>
        <p className="text-xs text-quiet">{facts.filter(Boolean).join(" · ")}</p>
      </div>
      <Badge tone={tone}>{word}</Badge>
    </li>
  );
}
