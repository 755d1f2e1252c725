import { useSearchParams } from "wouter";
import { useMe } from "../session/useMe";
import { say } from "../strings/downloads";
import { Empty, GhostRows } from "../ui/Empty";
import { More } from "../ui/More";
import { Page, Section } from "../ui/Page";
import { Loaded } from "../ui/Trouble";
import { Whose } from "../ui/Whose";
import { DownloadList } from "./DownloadList";
import { useDownloads } from "./queries";
import { Send } from "./Send";

/** Send a video or a playlist to the server, and see what becomes of it; moderators may look after everybody's. */
export default function Downloads() {
  const [params, setParams] = useSearchParams();
  const me = useMe().data;
  const mayViewAll = me?.permissions.includes("downloads.view_all") ?? false;
  const wantsAll = params.get("whose") === "everybody"; // in the address, so that going back and loading anew show the same
  const everybody = wantsAll && mayViewAll;
  const show = (all: boolean) => setParams(all ? { whose: "everybody" } : {}, { replace: true });
  const asked = useDownloads(everybody, !wantsAll || me !== undefined);
  return (
    <Page title={say.downloads.title}>
      <Send />
      <Section title={everybody ? say.downloads.sentByAll : say.downloads.sent} aside={mayViewAll && <Whose everybody={everybody} show={show} />}>
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
