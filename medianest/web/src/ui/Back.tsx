import { Link } from "wouter";
import { say } from "../strings/door";
import { buttonLook } from "./Button";
import { Icon } from "./Icon";

/** Back to where one came from; to `to` for who came by a link from elsewhere. */
export function Back({ to }: { readonly to: string }) {
  const back = (event: { preventDefault: () => void }) => {
    if (history.length < 2) return;
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
