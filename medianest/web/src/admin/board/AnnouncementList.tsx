import { type FormEvent, useState } from "react";
import type { Announcement, NewAnnouncement } from "../../api/schema";
import { say } from "../../strings/admin";
import { Button } from "../../ui/Button";
import { Empty, Ghost } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { Section } from "../../ui/Page";
import { ROW, Rows } from "../../ui/Rows";
import { Loaded, Trouble } from "../../ui/Trouble";
import { ALWAYS, momentsOf, PeriodFields, standingOf, typedOf } from "./Period";
import { useAllAnnouncements, useAnnounce, useWithdraw } from "./queries";

type Level = NonNullable<NewAnnouncement["level"]>;
const LEVELS: readonly Level[] = ["info", "warning", "important"];

/** What was, is and will be announced, and the words for the next one. */
export function AnnouncementList() {
  const asked = useAllAnnouncements();
  const [changing, change] = useState<Announcement>();
  return (
    <Section title={say.admin.board.announcements}>
      <AnnouncementForm key={changing?.announcement ?? ""} changing={changing} onDone={() => change(undefined)} />
      <Loaded asked={asked} ghost={<Ghost className="h-24" />}>
        {({ items }) => (
          <Rows none={<Empty title={say.admin.board.noneAnnounced} hint={say.admin.board.noneAnnouncedHint} />}>
            {items.map((one) => (
              <AnnouncementRow key={one.announcement} announcement={one} onChange={() => change(one)} />
            ))}
          </Rows>
        )}
      </Loaded>
    </Section>
  );
}

function AnnouncementForm({ changing, onDone }: { readonly changing: Announcement | undefined; readonly onDone: () => void }) {
  const [text, write] = useState(changing?.text ?? "");
  const [level, choose] = useState<Level>(changing?.level ?? "info");
  const [period, type] = useState(changing ? typedOf(changing) : ALWAYS);
  const announce = useAnnounce(changing?.announcement);
  const done = () => {
    write("");
    type(ALWAYS);
    onDone();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    announce.mutate({ text: text.trim(), level, ...momentsOf(period) }, { onSuccess: done });
  };
  return (
    <form className="mb-4 grid gap-3 rounded-xl border border-line bg-raised p-4" onSubmit={submit}>
      <label className="block text-sm text-quiet">
        {changing ? say.admin.board.reword : say.admin.board.words}
        <textarea required rows={2} maxLength={500} value={text} className={`${FIELD} h-auto! py-2`} onChange={(event) => write(event.target.value)} />
      </label>
      <div className="grid gap-3 md:grid-cols-[12rem_1fr]">
        <label className="block text-sm text-quiet">
          {say.admin.board.level}
          <select value={level} className={FIELD} onChange={(event) => choose(event.target.value as Level)}>
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {say.admin.board.levels[one]}
              </option>
            ))}
          </select>
        </label>
        <PeriodFields typed={period} type={type} />
      </div>
      {announce.error && <Trouble error={announce.error} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" weight="strong" disabled={text.trim() === "" || announce.isPending}>
          {changing ? say.admin.board.change : say.admin.board.announce}
        </Button>
        {changing && <Button onClick={onDone}>{say.back}</Button>}
      </div>
    </form>
  );
}

function AnnouncementRow({ announcement, onChange }: { readonly announcement: Announcement; readonly onChange: () => void }) {
  const withdraw = useWithdraw();
  return (
    <li className={ROW}>
      <div className="min-w-48 grow basis-64">
        <p>{announcement.text}</p>
        <p className="text-xs text-quiet">{[say.admin.board.levels[announcement.level], standingOf(announcement)].join(" · ")}</p>
        {withdraw.error && <Trouble error={withdraw.error} />}
      </div>
      <div className="flex gap-2">
        <Button onClick={onChange}>{say.admin.board.edit}</Button>
        <Button weight="danger" disabled={withdraw.isPending} onClick={() => withdraw.mutate(announcement.announcement)}>
          {say.admin.board.withdraw}
        </Button>
      </div>
    </li>
  );
}
