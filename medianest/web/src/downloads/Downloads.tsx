import { say } from "../strings/downloads";
import { Empty, GhostRows } from "../ui/Empty";
import { More } from "../ui/More";
import { Page, Section } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { DownloadList } from "./DownloadList";
import { useDownloads } from "./queries";
import { Send } from "./Send";

/** Send a video or a playlist to the server, and see what becomes of it. */
export default function Downloads() {
  const asked = useDownloads();
  return (
    <Page title={say.downloads.title}>
      <Send />
      <Section title={say.downloads.sent}>
        <Loaded asked={asked} ghost={<GhostRows className="h-22" />}>
          {({ pages }) => {
            const downloads = pages.flatMap((page) => page.items);
            return downloads.length === 0 ? <Empty title={say.downloads.none} hint={say.downloads.noneHint} /> : <DownloadList downloads={downloads} />;
          }}
        </Loaded>
        <More list={asked} />
      </Section>
    </Page>
  );
}
