import type { Revision } from "../api/schema";
import { say } from "../strings/admin";
import { Button } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Loaded, Trouble } from "../ui/Trouble";
import { atClock } from "../ui/units";
import { useRevisions, useRollBack } from "./queries";

/** Who changed what of a section, and the way back. */
export default function Revisions({ section }: { readonly section: string }) {
  const back = useRollBack(section);
  return (
    <div className="mt-4 border-t border-line pt-4">
      {back.error && <Trouble error={back.error} />}
      <Loaded asked={useRevisions(section)} ghost={<Ghost className="h-16" />}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="text-sm text-quiet">{say.admin.settings.neverChanged}</p>
          ) : (
            <ol className="grid gap-4">
              {items.map((revision, age) => (
                <li key={revision.revision} className="text-sm">
                  <p>
                    {revision.words} <span className="text-quiet">{atClock(new Date(revision.at))}</span>
                  </p>
                  <Changes revision={revision} />
                  {age > 0 && (
                    <Button className="mt-2" disabled={back.isPending} onClick={() => back.mutate(revision.revision)}>
                      {say.admin.settings.rollBack}
                    </Button>
                  )}
                </li>
              ))}
              <li>
                <Button disabled={back.isPending} onClick={() => back.mutate(0)}>
                  {say.admin.settings.rollBackAll}
                </Button>
              </li>
            </ol>
          )
        }
      </Loaded>
    </div>
  );
}

/** Before and after, side by side. */
function Changes({ revision }: { readonly revision: Revision }) {
  return (
    <table className="mt-1 w-full text-xs text-quiet">
      <thead className="sr-only">
        <tr>
          {[say.admin.settings.setting, say.admin.settings.was, say.admin.settings.now].map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {revision.changes.map((change) => (
          <tr key={change.setting} className="align-top">
            <th scope="row" className="pr-3 text-left font-normal">
              {change.label}
            </th>
            <td className="pr-3 break-all line-through">{change.secret ? say.admin.settings.secret : shown(change.was)}</td>
            <td className="break-all text-ink">{change.secret ? say.admin.settings.secret : shown(change.now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return say.admin.settings.usual;
  return Array.isArray(value) ? value.join(", ") : String(value);
}
