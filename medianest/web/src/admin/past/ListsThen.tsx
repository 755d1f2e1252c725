import type { Account, DownloadView, RequestView } from "../../api/schema";
import { TONES as VIDEO_TONES } from "../../downloads/states";
import { TONES } from "../../requests/states";
import { say } from "../../strings/admin";
import { Badge, type Tone } from "../../ui/Badge";
import { Empty, Ghost } from "../../ui/Empty";
import { More } from "../../ui/More";
import { ROW, Rows } from "../../ui/Rows";
import { Loaded } from "../../ui/Trouble";
import { atClock } from "../../ui/units";
import { usePeopleThen, useRequestsThen, useVideosThen } from "./queries";

interface Then {
  readonly asOf: string;
}

export function RequestsThen({ asOf }: Then) {
  const asked = useRequestsThen(asOf);
  return (
    <>
      <Loaded asked={asked} ghost={<Ghost className="h-64" />}>
        {({ pages }) => <RequestRowsThen requests={pages.flatMap((page) => page.items)} />}
      </Loaded>
      <More list={asked} />
    </>
  );
}

export function VideosThen({ asOf }: Then) {
  const asked = useVideosThen(asOf);
  return (
    <>
      <Loaded asked={asked} ghost={<Ghost className="h-64" />}>
        {({ pages }) => <VideoRowsThen videos={pages.flatMap((page) => page.items)} />}
      </Loaded>
      <More list={asked} />
    </>
  );
}

const STANDING: Readonly<Record<string, Tone>> = { active: "good", suspended: "warn", erased: "plain" };

export function PeopleThen({ asOf }: Then) {
  const asked = usePeopleThen(asOf);
  return (
    <>
      <Loaded asked={asked} ghost={<Ghost className="h-64" />}>
        {({ pages }) => (
          <Rows abreast none={<Empty title={say.admin.past.nobody} />}>
            {pages.flatMap((page) => page.items.map((person) => <PersonThen key={person.account} person={person} />))}
          </Rows>
        )}
      </Loaded>
      <More list={asked} />
    </>
  );
}

function PersonThen({ person: { name, role, state, opened_at: opened } }: { readonly person: Account }) {
  const facts = [say.you.role[role], say.admin.past.since(atClock(new Date(opened)))];
  return <RowThen name={name} facts={facts} tone={STANDING[state] ?? "plain"} word={say.admin.people.states[state] ?? state} />;
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
        <p dir="auto" className="truncate font-medium">{name}</p>
        <p className="text-xs text-quiet">{facts.filter(Boolean).join(" · ")}</p>
      </div>
      <Badge tone={tone}>{word}</Badge>
    </li>
  );
}
