import { type FormEvent, useState } from "react";
import type { QuickLink } from "../../api/schema";
import { useLinks } from "../../home/QuickLinks";
import { say } from "../../strings/admin";
import { Button } from "../../ui/Button";
import { Empty, Ghost } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { Section } from "../../ui/Page";
import { ROW } from "../../ui/Rows";
import { Loaded, Trouble } from "../../ui/Trouble";
import { useArrange } from "./queries";

/** Other places that are good to know, in their order. Each change counts at once. */
export function LinkList() {
  const asked = useLinks();
  const arrange = useArrange();
  return (
    <Section title={say.home.links}>
      <Loaded asked={asked} ghost={<Ghost className="h-24" />}>
        {({ items }) => (
          <>
            <LinkForm isBusy={arrange.isPending} add={(link, done) => arrange.mutate({ items: [...items, link] }, { onSuccess: done })} />
            {arrange.error && <Trouble error={arrange.error} />}
            {items.length === 0 && <Empty title={say.admin.board.noLinks} hint={say.admin.board.noLinksHint} />}
            <ol className="grid gap-2.5">
              {items.map((link, place) => (
                <LinkRow
                  key={`${link.label} ${link.url}`}
                  link={link}
                  isBusy={arrange.isPending}
                  raise={place > 0 ? () => arrange.mutate({ items: raised(items, place) }) : undefined}
                  remove={() => arrange.mutate({ items: items.filter((_, other) => other !== place) })}
                />
              ))}
            </ol>
          </>
        )}
      </Loaded>
    </Section>
  );
}

function LinkForm({ isBusy, add }: { readonly isBusy: boolean; readonly add: (link: QuickLink, done: () => void) => void }) {
  const [label, name] = useState("");
  const [url, point] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add({ label: label.trim(), url: url.trim() }, () => {
      name("");
      point("");
    });
  };
  return (
    <form className="mb-4 grid items-end gap-3 rounded-xl border border-line bg-raised p-4 md:grid-cols-[12rem_1fr_auto]" onSubmit={submit}>
      <label className="block text-sm text-quiet">
        {say.admin.board.label}
        <input required maxLength={60} value={label} className={FIELD} onChange={(event) => name(event.target.value)} />
      </label>
      <label className="block text-sm text-quiet">
        {say.admin.board.address}
        <input required type="url" maxLength={500} value={url} placeholder="https://" className={FIELD} onChange={(event) => point(event.target.value)} />
      </label>
      <Button type="submit" weight="strong" disabled={isBusy || label.trim() === "" || url.trim() === ""}>
        {say.admin.board.add}
      </Button>
    </form>
  );
}

interface RowProps {
  readonly link: QuickLink;
  readonly isBusy: boolean;
  readonly raise: (() => void) | undefined; // undefined: it is the first
  readonly remove: () => void;
}

function LinkRow({ link, isBusy, raise, remove }: RowProps) {
  return (
    <li className={ROW}>
      <div className="min-w-48 grow basis-64">
        <p className="font-medium">{link.label}</p>
        <p className="text-xs break-all text-quiet">{link.url}</p>
      </div>
      <div className="flex gap-2">
        {raise && (
          <Button disabled={isBusy} onClick={raise}>
            {say.admin.board.raise}
            <span className="sr-only">{link.label}</span>
          </Button>
        )}
        <Button weight="danger" disabled={isBusy} onClick={remove}>
          {say.admin.board.remove}
          <span className="sr-only">{link.label}</span>
        </Button>
      </div>
    </li>
  );
}

function raised(links: readonly QuickLink[], place: number): QuickLink[] {
  return links.toSpliced(place - 1, 2, ...links.slice(place - 1, place + 1).reverse());
}
