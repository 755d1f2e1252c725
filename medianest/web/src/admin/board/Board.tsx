import { AnnouncementList } from "./AnnouncementList";
import { LinkList } from "./LinkList";
import { MaintenanceList } from "./MaintenanceList";

/** What admins tell everybody on their home. */
export default function Board() {
  return (
    <>
      <AnnouncementList />
      <MaintenanceList />
      <LinkList />
    </>
  );
}
