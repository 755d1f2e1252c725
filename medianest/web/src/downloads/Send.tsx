import { type FormEvent, useState } from "react";
import type { PreviewView } from "../api/schema";
import { say } from "../strings/downloads";
import { Button } from "../ui/Button";
import { Trouble } from "../ui/Trouble";
import { addressIn } from "./address";
import { type Answer, Preview } from "./Preview";
import { usePreview } from "./queries";

interface Seen {
  readonly url: string;
  readonly view: PreviewView;
}

/** An address is looked at first: what comes to the server is what one has seen. */
export function Send() {
  const [url, setUrl] = useState("");
  const [seen, setSeen] = useState<Seen>();
  const [note, setNote] = useState("");
  const preview = usePreview();
  const look = (event: FormEvent) => {
    event.preventDefault();
    const wanted = addressIn(url);
    setUrl(wanted);
    setNote("");
    if (wanted) preview.mutate(wanted, { onSuccess: (view) => setSeen({ url: wanted, view }) });
  };
  const done = (answer: Answer) => {
    setNote(isNew(answer) ? say.downloads.queued : say.downloads.already);
    setSeen(undefined);
    setUrl("");
  };
  return (
    <div className="mb-9">
      <form className="flex flex-col gap-2.5 sm:flex-row" onSubmit={look}>
        <input
          inputMode="url"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={url}
          aria-label={say.downloads.address}
          placeholder={say.downloads.placeholder}
          className="h-12 grow rounded-xl border border-line bg-raised px-4 placeholder:text-quiet"
          onChange={(event) => setUrl(event.target.value)}
        />
        <Button type="submit" weight={seen ? "plain" : "strong"} className="min-h-12" disabled={preview.isPending}>
          {preview.isPending ? say.downloads.looking : say.downloads.look}
        </Button>
      </form>
      <div aria-live="polite" className="mt-3">
        {note && <p className="text-sm text-good">{note}</p>}
        {preview.error && <Trouble error={preview.error} titles={say.downloads.refusals} />}
        {seen && !preview.error && <Preview key={seen.url} url={seen.url} view={seen.view} onDone={done} />}
      </div>
    </div>
  );
}

function isNew(answer: Answer): boolean {
  return "queued" in answer ? answer.queued.length > 0 : answer.state === "queued";
}
