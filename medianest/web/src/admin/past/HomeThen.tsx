import { STATE_TONES } from "../../home/ServiceTiles";
import { say } from "../../strings/admin";
import { Ghost } from "../../ui/Empty";
import { FIELD } from "../../ui/Field";
import { Section } from "../../ui/Page";
import { Rows } from "../../ui/Rows";
import { Loaded } from "../../ui/Trouble";
import { usePeople } from "../queries";
import { RequestRowsThen, RowThen, VideoRowsThen } from "./ListsThen";
import { useHomeThen } from "./queries";

interface HomeProps {
  readonly asOf: string;
  readonly whose: string; // an account; empty: one's own
  readonly choose: (whose: string) => void;
}

/** What somebody had open and running, and what was up. */
export function HomeThen({ asOf, whose, choose }: HomeProps) {
  const people = usePeople().data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <label className="mb-5 grid max-w-80 gap-1 text-sm text-quiet">
        {say.admin.past.whose}
        <select className={FIELD} value={whose} onChange={(event) => choose(event.target.value)}>
          <option value="">{say.admin.past.mine}</option>
          {people.map((person) => (
            <option key={person.account} value={person.account}>
              {person.name}
            </option>
          ))}
        </select>
      </label>
      <Loaded asked={useHomeThen(asOf, whose)} ghost={<Ghost className="h-64" />}>
        {({ requests, downloads, services }) => (
          <>
            <Section title={say.home.services}>
              <Rows abreast>
                {services.map(({ service, state, why }) => (
                  <RowThen key={service} name={say.service[service]} facts={[why]} tone={STATE_TONES[state]} word={say.serviceState[state]} />
                ))}
              </Rows>
            </Section>
            <Section title={say.admin.past.openRequests}>
              <RequestRowsThen requests={requests} />
            </Section>
            <Section title={say.admin.past.runningVideos}>
              <VideoRowsThen videos={downloads} />
            </Section>
          </>
        )}
      </Loaded>
    </>
  );
}
