import { type FormEvent, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { answered, api } from "../api/client";
import { routes } from "../app/routes";
import { say } from "../strings/spareKey";
import { Button, buttonLook } from "../ui/Button";
import { FIELD } from "../ui/Field";
import { Trouble } from "../ui/Trouble";
import { signedIn } from "./session";

/** The owner's way in while plex.tv is away: a key that was made on the server. */
export default function SpareKey() {
  const [key, type] = useState("");
  const [isTrying, setTrying] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const [, go] = useLocation();
  const use = async () => {
    setTrying(true);
    setFailure(undefined);
    try {
      const done = await answered(api.POST("/api/v1/auth/spare-key", { body: { key } }));
      go(routes.home, { replace: true });
      signedIn(done);
    } catch (error) {
      setFailure(error);
    } finally {
      setTrying(false);
    }
  };
  useEffect(() => {
    document.title = `${say.spareKey.title} · ${say.name}`;
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void use();
  };
  return (
    <main className="door grid min-h-dvh place-items-center px-5 py-10">
      <form className="w-full max-w-88" onSubmit={submit}>
        <h1 className="text-3xl font-semibold tracking-tight">{say.spareKey.title}</h1>
        <p className="mt-2 text-quiet">{say.spareKey.lead}</p>
        <code className="mt-3 block rounded-lg bg-sunken px-4 py-2.5 text-sm">{say.spareKey.command}</code>
        <label className="mt-6 block text-sm text-quiet">
          {say.spareKey.key}
          <input className={`${FIELD} font-mono uppercase`} value={key} required maxLength={100} autoComplete="off" spellCheck={false} onChange={(event) => type(event.target.value)} />
        </label>
        {failure !== undefined && (
          <div className="mt-4">
            <Trouble error={failure} />
          </div>
        )}
        <div className="mt-6 flex flex-col gap-2.5">
          <Button type="submit" weight="strong" className="min-h-12" disabled={isTrying || key.trim() === ""}>
            {say.signIn.title}
          </Button>
          <Link href={routes.home} className={buttonLook("quiet")}>
            {say.signIn.anotherWay}
          </Link>
        </div>
      </form>
    </main>
  );
}
