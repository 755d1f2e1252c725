import { say } from "../strings/door";

/** What stands where the code of a page is on its way. */
export function Opening() {
  return <p className="page text-quiet" role="status">{say.loading}</p>;
}
