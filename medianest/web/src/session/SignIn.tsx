import { type ReactNode, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { isProblem } from "../api/problem";
import { routes } from "../app/routes";
import { say } from "../strings/door";
import { Button, buttonLook } from "../ui/Button";
import { EnterCode } from "./EnterCode";
import { type Attempt, forgetAttempt, leaveForPlex, refusalOf, returned, startCode, usePin } from "./pin";

/** The door: by way of Plex and back, or by a code that is entered elsewhere. */
export function SignIn({ ended }: { readonly ended: boolean }) {
  const [attempt, setAttempt] = useState<Attempt | undefined>(returned);
  const [failure, setFailure] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const begin = async (start: () => Promise<Attempt | undefined>) => {
    setBusy(true);
    setFailure(undefined);
    try {
      setAttempt(await start());
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const giveUp = (error?: unknown) => {
    forgetAttempt();
    setAttempt(undefined);
    setFailure(error);
  };
  useEffect(() => {
    document.title = `${say.signIn.title} · ${say.name}`;
  }, []);

  return (
    <main className="door grid min-h-dvh place-items-center px-5 py-10">
      <div className="w-full max-w-88">
        <img src="/icon.svg" alt="" className="mb-6 size-14" />
        {attempt ? (
          <Waiting attempt={attempt} onFailure={giveUp} />
        ) : (
          <>
            <h1 className="text-3xl font-semibold tracking-tight">{failure ? say.signIn.failed : say.name}</h1>
            {failure ? <Refusal error={failure} /> : <p className="mt-2 text-quiet">{ended ? say.signIn.ended : say.signIn.lead}</p>}
            <div className="mt-7 flex flex-col gap-2.5">
              <Button weight="strong" className="min-h-12" disabled={busy} onClick={() => void begin(leaveForPlex)}>
                {say.signIn.redirect}
              </Button>
              <Button weight="plain" className="min-h-12" disabled={busy} onClick={() => void begin(startCode)}>
                {say.signIn.code}
              </Button>
              <Link href={routes.help} className={buttonLook("quiet")}>
                {say.help.title}
              </Link>
            </div>
          </>
        )}
      </div>
    </main>
  );
}

function Waiting({ attempt, onFailure }: { readonly attempt: Attempt; readonly onFailure: (error?: unknown) => void }) {
  const trouble = usePin(attempt, onFailure);
  const note = trouble && <p role="status" className="mt-4 text-sm text-warn">{say.signIn.stillTrying}</p>;
  const back = (
    <button type="button" className={`${buttonLook("quiet")} mt-3 w-full`} onClick={() => onFailure()}>
      {say.signIn.anotherWay}
    </button>
  );
  if (attempt.code) return <EnterCode attempt={attempt} after={<>{note}{back}</>} />;
  return (
    <Announced title={say.signIn.finishing}>
      <p className="mt-2 text-quiet">{say.signIn.finishingLead}</p>
      {note}
      {back}
    </Announced>
  );
}

function Refusal({ error }: { readonly error: unknown }) {
  const { title, remedy } = refusalOf(error);
  const isPlexAway = isProblem(error) && error.code === "plex-unreachable";
  return (
    <div role="alert" className="mt-4 rounded-xl border border-line bg-raised px-4 py-3">
      <p className="font-medium text-bad">{title}</p>
      <p className="mt-0.5 text-sm text-quiet">{remedy}</p>
      {isPlexAway && (
        <Link href={routes.spareKey} className="mt-2 inline-block py-1 text-sm underline underline-offset-4">
          {say.signIn.spareKey}
        </Link>
      )}
    </div>
  );
}

/** A heading that is read out when it comes up. */
export function Announced({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <h1 ref={heading} tabIndex={-1} className="text-3xl font-semibold tracking-tight">
        {title}
      </h1>
      {children}
    </>
  );
}
