import type { Monitors, SectionView } from "../api/schema";
import { say } from "../strings/admin";
import { FIELD } from "../ui/Field";
import { Section } from "../ui/Page";
import { Loaded, Trouble } from "../ui/Trouble";
import { useKeep, useSections } from "./queries";
import { chosenFor, FOUND, nameInSetting, NONE, type Watched, withChoice } from "./standsFor";

const SECTION = "uptime-kuma";
const SETTING = "uptime_kuma_services";
const SERVICES: readonly Watched[] = ["plex", "seerr"];

/** Which monitor stands for which of our services: found by its address or name, or chosen here. */
export function ServiceMonitors({ monitors }: { readonly monitors: Monitors }) {
  const sections = useSections();
  if (monitors.items.length === 0) return null;
  return (
    <Section title={say.admin.monitoring.services}>
      <Loaded asked={sections} ghost={null}>
        {({ items }) => {
          const section = items.find(({ name }) => name === SECTION);
          return section && <Choices section={section} monitors={monitors} />;
        }}
      </Loaded>
    </Section>
  );
}

function Choices({ section, monitors }: { readonly section: SectionView; readonly monitors: Monitors }) {
  const keeping = useKeep(SECTION);
  const setting = (section.fields.find(({ name }) => name === SETTING)?.value ?? []) as readonly string[];
  const keep = (service: Watched, choice: string) =>
    keeping.mutate({ values: { [SETTING]: withChoice(service, choice, setting) }, untested: true, revision: section.revision });
  return (
    <div className="grid gap-x-4 gap-y-3 rounded-xl bg-raised p-4 sm:grid-cols-2">
      {SERVICES.map((service) => (
        <Choice
          key={service}
          name={say.service[service]}
          value={inList(chosenFor(service, setting), monitors)}
          monitors={monitors}
          missing={monitors.unmatched.find((unmatched) => unmatched.service === service)?.words}
          choose={keeping.isPending ? undefined : (choice) => keep(service, choice)}
        />
      ))}
      {keeping.error && <Trouble error={keeping.error} />}
    </div>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly value: string;
  readonly monitors: Monitors;
  readonly missing: string | undefined; // in words: none stands for it
  readonly choose: ((choice: string) => void) | undefined; // undefined: not now
}

function Choice({ name, value, monitors, missing, choose }: ChoiceProps) {
  const known = monitors.items.map((monitor) => ({ value: nameInSetting(monitor), name: monitor.name }));
  const isGone = ![FOUND, NONE, ...known.map((one) => one.value)].includes(value);
  return (
    <label className="text-sm text-quiet">
      {name}
      <select aria-label={say.admin.monitoring.monitorOf(name)} className={FIELD} value={value} disabled={choose === undefined} onChange={(event) => choose?.(event.target.value)}>
        <option value={FOUND}>{say.admin.monitoring.found}</option>
        {[...known, ...(isGone ? [{ value, name: value }] : [])].map((one) => (
          <option key={one.value} value={one.value}>
            {one.name}
          </option>
        ))}
        <option value={NONE}>{say.admin.monitoring.noneOfThem}</option>
      </select>
      {missing && <span className="mt-1 block text-warn">{missing}</span>}
    </label>
  );
}

/** A monitor that the setting names by its name is chosen by its number. */
function inList(choice: string, { items }: Monitors): string {
  const named = items.find(({ name }) => name.toLowerCase() === choice.toLowerCase());
  return named ? nameInSetting(named) : choice;
}
