import { useState } from "react";
import type { EntryView, NewDownload, PreviewView, Queued, QueuedPlaylist } from "../api/schema";
import { say } from "../strings/downloads";
import { Button } from "../ui/Button";
import { duration } from "../ui/units";
import { Trouble } from "../ui/Trouble";
import { usePresets, useSend } from "./queries";

export type Answer = Queued | QueuedPlaylist;
const NO_SITE = "generic"; // what yt-dlp calls a bare file

type Preset = NonNullable<NewDownload["preset"]>;

/** What stands behind the address: which of it, and how good, is chosen here. */
export function Preview({ url, view, onDone }: { readonly url: string; readonly view: PreviewView; readonly onDone: (answer: Answer) => void }) {
  const [preset, setPreset] = useState<Preset>("1080p");
  const entries = view.entries.filter((entry): entry is Named => entry.id !== null);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const chosen = entries.filter((entry) => !left.has(entry.id));
  const send = useSend();
  const isList = view.entries.length > 0;
  const body: NewDownload = isList ? { url, preset, items: chosen.map((entry) => entry.id) } : { url, preset, title: view.title };
  return (
    <section className="rounded-xl bg-raised p-4" aria-label={view.title}>
      <p className="text-lg font-medium text-balance">{view.title}</p>
      <p className="mb-4 text-sm text-quiet">{facts(view)}</p>
      {isList && <Entries entries={entries} left={left} setLeft={setLeft} />}
      <div className="flex flex-wrap items-end gap-3">
        <Presets preset={preset} setPreset={setPreset} />
        <Button
          weight="strong"
          className="min-h-11 grow sm:grow-0"
          disabled={send.isPending || (isList && chosen.length === 0)}
          onClick={() => send.mutate(body, { onSuccess: onDone })}
        >
          {isList ? say.downloads.sendMany(chosen.length) : say.downloads.send}
        </Button>
      </div>
      {send.error && (
        <div className="mt-3">
          <Trouble error={send.error} />
        </div>
      )}
    </section>
  );
}

type Named = EntryView & { readonly id: string };

interface EntriesProps {
  readonly entries: readonly Named[];
  readonly left: ReadonlySet<string>;
  readonly setLeft: (left: ReadonlySet<string>) => void;
}

function Entries({ entries, left, setLeft }: EntriesProps) {
  const toggle = (id: string) => {
    const next = new Set(left);
    if (!next.delete(id)) next.add(id);
    setLeft(next);
  };
  return (
    <fieldset className="mb-4">
      <legend className="sr-only">{say.downloads.pick}</legend>
      <ul className="max-h-96 divide-y divide-line overflow-y-auto rounded-lg bg-sunken/50">
        {entries.map((entry) => (
          <li key={entry.id}>
            <label className="flex min-h-11 items-center gap-3 px-3 hover:bg-sunken">
              <input type="checkbox" className="size-4 shrink-0 accent-accent" checked={!left.has(entry.id)} onChange={() => toggle(entry.id)} />
              <span dir="auto" className="min-w-0 grow truncate">{entry.title}</span>
              {entry.duration_seconds !== null && <span className="text-xs text-quiet tabular-nums">{duration(entry.duration_seconds)}</span>}
            </label>
          </li>
        ))}
      </ul>
    </fieldset>
  );
}

function Presets({ preset, setPreset }: { readonly preset: Preset; readonly setPreset: (preset: Preset) => void }) {
  const presets = usePresets().data?.items ?? [];
  return (
    <label className="grow text-sm text-quiet sm:grow-0">
      {say.downloads.quality}
      <select
        value={preset}
        className="mt-1 block h-11 w-full min-w-52 rounded-lg border border-line bg-paper px-3 text-ink"
        onChange={(event) => {
          const found = presets.find((one) => one.preset === event.target.value);
          if (found) setPreset(found.preset);
        }}
      >
        {presets.map((one) => (
          <option key={one.preset} value={one.preset}>
            {one.preset} · {one.words}
          </option>
        ))}
      </select>
    </label>
  );
}

function facts({ uploader, duration_seconds: length, is_live: isLive, entries, count, site }: PreviewView): string {
  return [
    uploader ?? (site === NO_SITE ? null : site),
    length !== null && duration(length),
    isLive && say.downloads.isLive,
    entries.length > 0 && say.downloads.videos(entries.length, count),
  ]
    .filter(Boolean)
    .join(" · ");
}
