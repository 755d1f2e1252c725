import { Link } from "wouter";
import { say } from "../strings/door";
import { buttonLook } from "./Button";
import { Icon } from "./Icon";

/** Whether there is a page of ours to go back to; who opened a link in a new tab came from elsewhere. */
function hasBefore(): boolean {
  const { navigation } = window as { readonly navigation?: { readonly canGoBack: boolean } }; // not in every browser
  return navigation?.canGoBack ?? history.length > 1;
}

/** Back to where one came from; to `to` for who came by a link from elsewhere. */
export function Back({ to }: { readonly to: string }) {
  const back = (event: { preventDefault: () => void }) => {
    if (!hasBefore()) return;
    event.preventDefault();
    history.back();
  };
  return (
    <Link href={to} className={buttonLook("quiet")} onClick={back}>
      <Icon name="back" />
      {say.back}
    </Link>
  );
}
