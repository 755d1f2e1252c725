import { Link } from "wouter";
import { say } from "../strings";
import { buttonLook } from "../ui/Button";
import { Empty } from "../ui/Empty";
import { Page } from "../ui/Page";
import { routes } from "./routes";

export function Lost() {
  return (
    <Page title={say.trouble.lost}>
      <Empty title={say.trouble.lostHint}>
        <Link href={routes.home} className={buttonLook()}>
          {say.trouble.home}
        </Link>
      </Empty>
    </Page>
  );
}
