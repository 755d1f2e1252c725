import { useEffect } from "react";
import { Opening } from "./Opening";

/** The server shows the reference itself to whoever is signed in: whoever was let in here has the cookie for it now. */
export function Reference() {
  useEffect(() => location.replace(location.pathname), []);
  return <Opening />;
}
