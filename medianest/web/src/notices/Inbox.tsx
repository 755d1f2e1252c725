import type { NoticePage } from "../api/schema";
import { say } from "../strings/notices";
import { Button } from "../ui/Button";
import { Empty, GhostRows } from "../ui/Empty";
import { More } from "../ui/More";
import { Page } from "../ui/Page";
import { Loaded, Trouble } from "../ui/Trouble";
import { Choices } from "./Choices";
import { NoticeRow } from "./NoticeRow";
import { useMark, useNotices, useReadAll } from "./queries";

/** What became of what one asked for, follows and sent, the newest first. */
export default function Inbox() {
  const asked = useNotices();
  return (
    <Page title={say.notices.title} aside={<ReadAll newest={asked.data?.pages[0]} />}>
      <Loaded asked={asked} ghost={<GhostRows rows={6} className="h-22 lg:col-span-2" />}>
        {({ pages }) => <List pages={pages} />}
      </Loaded>
      <More list={asked} />
      <Choices />
    </Page>
  );
}

function List({ pages }: { readonly pages: readonly NoticePage[] }) {
  const dismiss = useMark("dismiss");
  const read = useMark("read");
  const items = pages.flatMap((page) => page.items);
  const refused = dismiss.error ?? read.error;
  return (
    <>
      {refused ? <Trouble error={refused} /> : null}
      {items.length === 0 ? (
        <Empty title={say.notices.none} hint={say.notices.noneHint} />
      ) : (
        <ul className="grid gap-2" aria-label={say.notices.title}>
          {items.map((notice) => (
            <NoticeRow key={notice.position} notice={notice} onOpen={() => read.mutate(notice)} onPutAway={() => dismiss.mutate(notice)} />
          ))}
        </ul>
      )}
    </>
  );
}

function ReadAll({ newest }: { readonly newest: NoticePage | undefined }) {
  const readAll = useReadAll();
  const until = newest?.items[0]?.position;
  if (until === undefined || newest?.unread === 0) return null;
  return (
    <Button weight="quiet" disabled={readAll.isPending} onClick={() => readAll.mutate(until)}>
      {say.notices.readAll}
    </Button>
  );
}
