import { Link } from "wouter";
import { say } from "../strings/house";
import { buttonLook } from "../ui/Button";
import { Empty } from "../ui/Empty";
import { Page } from "../ui/Page";
import { routes } from "./routes";

export function Lost() {
  return (
    <Page title={say.lost.title}>
      <Empty title={say.lost.hint}>
        <Link href={routes.home} className={buttonLook()}>
          {say.lost.home}
        </Link>
      </Empty>
    </Page>
  );
}
