import { useState } from "react";
import type { SectionView } from "../api/schema";
import { say } from "../strings/admin";
import { Ghost } from "../ui/Empty";
import { Loaded } from "../ui/Trouble";
import { useSections } from "./queries";
import { SectionForm } from "./SectionForm";

/** All that may be changed while MediaNest runs, a form for each system. */
export default function Settings() {
  return (
    <Loaded asked={useSections()} ghost={<Ghost className="h-96" />}>
      {({ items }) => (
        <>
          <p className="mb-6 max-w-3xl text-sm text-quiet">{say.admin.settings.lead}</p>
          <Sections sections={items} />
        </>
      )}
    </Loaded>
  );
}

/** What is saved begins anew as a form of its next revision, which says so. */
function Sections({ sections }: { readonly sections: readonly SectionView[] }) {
  const [opened] = useState(() => new Map(sections.map(({ name, revision }) => [name, revision])));
  return (
    <div className="grid items-start gap-6 xl:grid-cols-2">
      {sections.map((section) => (
        <SectionForm key={`${section.name} ${section.revision}`} section={section} isSaved={section.revision !== opened.get(section.name)} />
      ))}
    </div>
  );
}
