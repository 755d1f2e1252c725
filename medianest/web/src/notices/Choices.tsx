import { useState } from "react";
import { say } from "../strings";
import { Ghost } from "../ui/Empty";
import { Loaded, Trouble } from "../ui/Trouble";
import { useChoices, useChoose } from "./queries";

/** Which kinds of notices one wants; asked for when somebody looks. */
export function Choices() {
  const [open, setOpen] = useState(false);
  return (
    <details className="mt-8" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="w-fit cursor-pointer rounded-lg py-2 text-sm font-medium text-quiet hover:text-ink">{say.notices.choices}</summary>
      {open && <Kinds />}
    </details>
  );
}

function Kinds() {
  const asked = useChoices();
  const choose = useChoose();
  return (
    <Loaded asked={asked} ghost={<Ghost className="mt-3 h-40" />}>
      {({ items }) => (
        <fieldset className="mt-3 max-w-xl rounded-xl bg-raised px-4 py-3">
          <legend className="sr-only">{say.notices.choices}</legend>
          {items.map(({ kind, wanted }) => (
            <label key={kind} className="flex min-h-11 items-center justify-between gap-4">
              {say.notices.kinds[kind]}
              <input
                type="checkbox"
                className="size-5 accent-accent"
                checked={choose.isPending && choose.variables.kind === kind ? choose.variables.wanted : wanted}
                onChange={(event) => choose.mutate({ kind, wanted: event.currentTarget.checked })}
              />
            </label>
          ))}
          <p className="mt-2 text-sm text-quiet">{say.notices.choicesHint}</p>
          {choose.error ? <Trouble error={choose.error} /> : null}
        </fieldset>
      )}
    </Loaded>
  );
}
