import { useId } from "react";
import type { FieldView, Try } from "../api/schema";
import { say } from "../strings/admin";
import { FIELD } from "../ui/Field";

export type Given = Try["values"][string] | undefined;

interface FieldProps {
  readonly field: FieldView;
  readonly given: Given; // undefined: untouched; null: taken back
  readonly isNeededAgain: boolean; // a secret, with the new address
  readonly give: (value: Given) => void;
}

/** One setting, by its kind, with what it means and where its value comes from. A secret is written and never read. */
export function SettingField(props: FieldProps) {
  const id = useId();
  const { field, given, isNeededAgain, give } = props;
  return (
    <div>
      <div className="mb-1 flex flex-wrap items-baseline justify-between gap-x-3">
        <label htmlFor={id} className="text-sm font-medium">
          {field.label}
          {field.unit && <span className="font-normal text-quiet"> ({field.unit})</span>}
        </label>
        {field.source === "admin" && given !== null && (
          <button type="button" className="text-xs text-quiet underline hover:text-ink" onClick={() => give(null)}>
            {say.admin.settings.takeBack}
            <span className="sr-only"> {field.label}</span>
          </button>
        )}
      </div>
      <Control {...props} id={id} />
      {isNeededAgain && <p role="status" className="mt-1 text-xs text-warn">{say.admin.settings.neededAgain}</p>}
      <p id={`${id}help`} className="mt-1 text-xs text-quiet">
        {[field.help, given === null ? say.admin.settings.takenBack : field.source !== "built in" && say.admin.settings.sources[field.source]].filter(Boolean).join(" ")}
      </p>
    </div>
  );
}

function Control({ field, given, give, id }: FieldProps & { readonly id: string }) {
  const value = given === undefined ? field.value : given === null ? field.underneath : given;
  const common = { id, "aria-describedby": `${id}help`, className: FIELD };
  switch (field.kind) {
    case "switch":
      return <input {...common} type="checkbox" className="size-5 accent-accent" checked={value === true} onChange={(event) => give(event.target.checked)} />;
    case "choice":
      return (
        <select {...common} value={String(value ?? "")} onChange={(event) => give(event.target.value)}>
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      );
    case "list":
      return (
        <textarea
          {...common}
          className={`${FIELD} h-20! py-2`}
          value={Array.isArray(value) ? value.join("\n") : ""}
          onChange={(event) => give(event.target.value.split("\n"))}
          onBlur={(event) => given !== undefined && give(event.target.value.split("\n").map((line) => line.trim()).filter(Boolean))}
        />
      );
    case "secret":
      return (
        <input
          {...common}
          type="password"
          autoComplete="new-password"
          placeholder={field.is_set ? say.admin.settings.isSet : say.admin.settings.notSet}
          value={typeof given === "string" ? given : ""}
          onChange={(event) => give(event.target.value || undefined)}
        />
      );
    case "whole number":
    case "number":
      return (
        <input
          {...common}
          type="number"
          step={field.kind === "number" ? "any" : 1}
          {...(field.at_least !== null && { min: field.at_least })}
          {...(field.at_most !== null && { max: field.at_most })}
          value={String(value ?? "")}
          onChange={(event) => give(event.target.value === "" ? null : event.target.valueAsNumber)}
        />
      );
    default:
      return <input {...common} type="text" value={String(value ?? "")} onChange={(event) => give(event.target.value)} />;
  }
}
