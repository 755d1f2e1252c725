import type { Entry, FieldChange, RowChanged } from "../../api/schema";
import { say } from "../../strings/admin";
import { Empty, Ghost } from "../../ui/Empty";
import { Sheet } from "../../ui/Sheet";
import { Loaded } from "../../ui/Trouble";
import { toTheSecond } from "../../ui/units";
import { useChanges } from "./queries";

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/; // as PostgreSQL writes one

/** What one event changed: each row it touched, before it and after it, side by side. */
export default function Changes({ entry, onClose }: { readonly entry: Entry; readonly onClose: () => void }) {
  return (
    <Sheet wide title={say.admin.audit.changesOf(entry.position)} lead={entry.words} onClose={onClose}>
      <div className="max-h-[65vh] overflow-y-auto" tabIndex={0} role="region" aria-label={say.admin.audit.changes}>
        <Loaded asked={useChanges(entry.position)} ghost={<Ghost className="h-40" />}>
          {({ rows }) => (rows.length === 0 ? <Empty title={say.admin.audit.noChanges} hint={say.admin.audit.noChangesHint} /> : rows.map((row) => <OneRow key={`${row.table} ${row.key}`} row={row} />))}
        </Loaded>
      </div>
    </Sheet>
  );
}

function OneRow({ row }: { readonly row: RowChanged }) {
  const known = row.fields.filter((field) => field.before !== null || field.after !== null);
  const fields = [...known.filter((field) => field.changed), ...known.filter((field) => !field.changed)];
  return (
    <table className="mb-6 w-full table-fixed text-left text-sm">
      <caption className="mb-1 text-left font-medium">
        {plain(row.table)} <span className="font-normal text-quiet">{row.came ? say.admin.audit.came : row.went ? say.admin.audit.went : say.admin.audit.stayed}</span>
      </caption>
      <thead className="text-xs text-quiet">
        <tr>
          <th scope="col" className="w-1/4 py-1 font-medium">
            {say.admin.audit.field}
          </th>
          <th scope="col" className="py-1 font-medium">
            {say.admin.audit.before}
          </th>
          <th scope="col" className="py-1 font-medium">
            {say.admin.audit.after}
          </th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {fields.map((field) => (
          <Field key={field.name} field={field} />
        ))}
      </tbody>
    </table>
  );
}

/** What differs is bold and says so; what stayed is quiet. */
function Field({ field: { name, before, after, changed } }: { readonly field: FieldChange }) {
  const look = `py-1.5 pr-3 align-top break-words ${changed ? "" : "text-quiet"}`;
  return (
    <tr>
      <th scope="row" className={`${look} font-normal`}>
        {plain(name)}
        {changed && <span className="sr-only"> {say.admin.audit.changed}</span>}
      </th>
      <td className={look}>{told(before)}</td>
      <td className={`${look} ${changed ? "font-semibold" : ""}`}>{told(after)}</td>
    </tr>
  );
}

/** A moment by the clock of who looks, to the second: two of them may be near each other. */
function told(value: string | null): string {
  if (value === null) return "–";
  return MOMENT.test(value) ? toTheSecond(new Date(value)) : value;
}

/** `changed_at` as it is said: "Changed at". */
function plain(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
