import { useEffect } from "react";
import { Lost } from "./Lost";
import { Opening } from "./Opening";
import { REFERENCE } from "./routes";

/** No page of ours: the reference, which the server shows to whoever was let in here and has the cookie for it now, or none. */
export function Elsewhere() {
  const isReference = REFERENCE.includes(location.pathname); // by the letter: the server tells /Docs from it, and would send us here again
  useEffect(() => {
    if (isReference) location.replace(location.pathname);
  }, [isReference]);
  return isReference ? <Opening /> : <Lost />;
}
