import { type FormEvent, Suspense, useState } from "react";
import { isProblem } from "../api/problem";
import type { Check, FieldView, SectionView, Wanted } from "../api/schema";
import { later } from "../app/later";
import { say } from "../strings/admin";
import { Badge } from "../ui/Badge";
import { Button } from "../ui/Button";
import { Trouble } from "../ui/Trouble";
import { type Given, SettingField } from "./SettingField";
import { useKeep, useTry } from "./queries";

const Revisions = later(() => import("./Revisions"));

/** The settings of one system. They are tried before they are kept; what is not touched stays as it is. */
export function SectionForm({ section, isSaved }: { readonly section: SectionView; readonly isSaved: boolean }) {
  const [values, setValues] = useState<Wanted["values"]>({});
  const [isHistoryOpen, openHistory] = useState(false);
  const trying = useTry(section.name);
  const keeping = useKeep(section.name);
  const isChanged = Object.keys(values).length > 0;
  const isWorking = trying.isPending || keeping.isPending;
  const keep = (untested: boolean) => keeping.mutate({ values, untested, revision: section.revision });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (isChanged) keep(false);
  };
  const couldBeKept = isProblem(keeping.error) && keeping.error.code === "settings-test-failed";
  return (
    <form className="rounded-xl border border-line bg-raised p-5" onSubmit={submit}>
      <h2 className="font-semibold">{section.label}</h2>
      <p className="mb-4 text-sm text-quiet">{section.help}</p>
      <div className="grid gap-4">
        {section.fields.map((field) => (
          <SettingField key={field.name} field={field} given={values[field.name]} isNeededAgain={isNeededAgain(field, section, values)} give={(value) => setValues(withValue(values, field.name, value))} />
        ))}
      </div>
      <div className="mt-5 flex flex-wrap gap-2">
        <Button type="submit" weight="strong" disabled={!isChanged || isWorking}>
          {keeping.isPending ? say.admin.settings.saving : say.admin.settings.save}
        </Button>
        {section.testable && (
          <Button disabled={isWorking} onClick={() => trying.mutate({ values })}>
            {trying.isPending ? say.admin.settings.testing : say.admin.settings.test}
          </Button>
        )}
        <Button weight="quiet" aria-expanded={isHistoryOpen} onClick={() => openHistory(!isHistoryOpen)}>
          {say.admin.settings.history}
        </Button>
      </div>
      <div role="status" className="mt-3 empty:hidden">
        {trying.data ? <Checks checks={trying.data.checks} /> : isSaved && !isChanged && <p className="text-sm text-good">{say.admin.settings.saved}</p>}
      </div>
      {(keeping.error ?? trying.error) && <Trouble error={keeping.error ?? trying.error} />}
      {couldBeKept && (
        <Button className="mt-3" weight="danger" disabled={isWorking} onClick={() => keep(true)}>
          {say.admin.settings.keepAnyway}
        </Button>
      )}
      {isHistoryOpen && (
        <Suspense>
          <Revisions section={section.name} />
        </Suspense>
      )}
    </form>
  );
}

/** Whether it is a secret that was given for another address than the one that stands in the form. */
function isNeededAgain({ name, sent_to: address, is_set: isSet }: FieldView, { fields }: SectionView, values: Wanted["values"]): boolean {
  if (!address || !isSet || !(address in values) || name in values) return false;
  return values[address] !== fields.find((field) => field.name === address)?.value;
}

/** undefined: untouched again. */
function withValue(values: Wanted["values"], name: string, value: Given): Wanted["values"] {
  const { [name]: _, ...others } = values;
  return value === undefined ? others : { ...others, [name]: value };
}

function Checks({ checks }: { readonly checks: readonly Check[] }) {
  return (
    <ul className="grid gap-2">
      {checks.map((check) => (
        <li key={check.name}>
          <Badge tone={check.ok ? "good" : check.matters === false ? "plain" : "bad"}>{check.name}</Badge>
          <p className="text-sm text-quiet">{[check.words, check.remedy].filter(Boolean).join(" ")}</p>
        </li>
      ))}
    </ul>
  );
}
