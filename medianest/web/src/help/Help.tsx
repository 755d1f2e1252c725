import { say } from "../strings/help";
import { Page, Section } from "../ui/Page";

/** How to use MediaNest, and what people ask; for those too who cannot get in. */
export default function Help() {
  return (
    <Page title={say.help.title}>
      <Section title={say.help.guide}>
        <ol className="grid max-w-3xl gap-2.5">
          {say.help.steps.map(([title, words]) => (
            <li key={title} className="rounded-xl bg-raised p-4">
              <h3 className="font-medium">{title}</h3>
              <p className="mt-1 text-pretty text-quiet">{words}</p>
            </li>
          ))}
        </ol>
      </Section>
      <Section title={say.help.questions}>
        <div className="grid max-w-3xl gap-2.5">
          {say.help.answers.map(([question, answer]) => (
            <details key={question} className="rounded-xl bg-raised p-4">
              <summary className="cursor-pointer font-medium">{question}</summary>
              <p className="mt-2 text-pretty text-quiet">{answer}</p>
            </details>
          ))}
        </div>
      </Section>
    </Page>
  );
}
