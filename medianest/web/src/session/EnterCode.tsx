import { type ReactNode, Suspense, useEffect, useState } from "react";
import { later } from "../app/later";
import { say } from "../strings/door";
import { buttonLook } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { countdown } from "../ui/units";
import type { Attempt } from "./pin";
import { Announced } from "./SignIn";

const Qr = later(() => import("./Qr"));

/** The code, in letters for the hand and as a picture for the phone. */
export function EnterCode({ attempt, after }: { readonly attempt: Attempt; readonly after: ReactNode }) {
  const { code } = attempt;
  const left = useSecondsUntil(attempt.expiresAt);
  if (!code) return null;
  return (
    <Announced title={say.signIn.codeTitle}>
      <p className="mt-2 text-quiet">{say.signIn.codeLead}</p>
      <Letters letters={code.letters} />
      <p className="mb-5 text-sm text-quiet tabular-nums" role="timer">
        {say.signIn.runsOut(countdown(left))}
      </p>
      <a href={code.filledIn} target="_blank" rel="noreferrer" className={`${buttonLook("strong")} min-h-12 w-full`}>
        {say.signIn.codeOpen}
      </a>
      <div className="mt-5 hidden items-center gap-4 md:flex">
        <div className="size-36 shrink-0 rounded-xl bg-white p-2.5">
          <Suspense>
            <Qr text={code.filledIn} />
          </Suspense>
        </div>
        <p className="text-sm text-quiet">
          {say.signIn.codeScan}
          <span className="mt-1 block break-all text-ink">{code.link.replace(/^https?:\/\//, "")}</span>
        </p>
      </div>
      {after}
    </Announced>
  );
}

function Letters({ letters }: { readonly letters: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(letters).then(() => setCopied(true));
  return (
    <div className="mt-5 mb-2 flex items-center justify-between rounded-xl border border-line bg-raised py-3 pr-2 pl-5">
      <p className="text-4xl font-semibold tracking-[0.28em] tabular-nums" data-testid="code">
        {letters}
      </p>
      {"clipboard" in navigator && (
        <button type="button" className={buttonLook("quiet")} aria-label={copied ? say.signIn.copied : say.signIn.copy} onClick={copy}>
          <Icon name={copied ? "check" : "copy"} />
        </button>
      )}
    </div>
  );
}

function useSecondsUntil(at: number): number {
  const [now, tick] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => tick(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (at - now) / 1000;
}
