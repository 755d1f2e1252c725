import { useState } from "react";
import type { NoticeChoice } from "../api/schema";
import { say } from "../strings/notices";
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
  return (
    <Loaded asked={useChoices()} ghost={<Ghost className="mt-3 h-40" />}>
      {({ items }) => (
        <fieldset className="mt-3 max-w-xl rounded-xl bg-raised px-4 py-3">
          <legend className="sr-only">{say.notices.choices}</legend>
          {items.map((choice) => (
            <Kind key={choice.kind} choice={choice} />
          ))}
          <p className="mt-2 text-sm text-quiet">{say.notices.choicesHint}</p>
        </fieldset>
      )}
    </Loaded>
  );
}

/** The box changes as it is clicked; where that cannot be kept, it changes back and says why. */
function Kind({ choice: { kind, wanted } }: { readonly choice: NoticeChoice }) {
  const [chosen, setChosen] = useState(wanted);
  const choose = useChoose();
  const change = (now: boolean) => {
    setChosen(now);
    choose.mutate({ kind, wanted: now }, { onError: () => setChosen(!now) });
  };
  return (
    <>
      <label className="flex min-h-11 items-center justify-between gap-4">
        {say.notices.kinds[kind]}
        <input type="checkbox" className="size-5 accent-accent" checked={chosen} onChange={(event) => change(event.currentTarget.checked)} />
      </label>
      {choose.error ? <Trouble error={choose.error} /> : null}
    </>
  );
}
