import { useState } from "react";
import { useTitle } from "../discover/queries";
import type { RequestView } from "../api/schema";
import { in4k } from "../discover/copies";
import { QuotaLeft } from "../discover/QuotaLeft";
import { SeasonList } from "../discover/SeasonList";
import { free } from "../discover/standing";
import { say } from "../strings/requests";
import { Button } from "../ui/Button";
import { Ghost } from "../ui/Empty";
import { Sheet } from "../ui/Sheet";
import { Loaded, Trouble } from "../ui/Trouble";
import { useChangeSeasons } from "./queries";

/** Other seasons for a request that nobody has decided about yet. */
export default function SeasonsSheet({ request, onClose }: { readonly request: RequestView; readonly onClose: () => void }) {
  const title = useTitle("tv", request.tmdb);
  const [chosen, choose] = useState<readonly number[]>(request.seasons);
  const change = useChangeSeasons(request.request);
  const isSame = chosen.length === request.seasons.length && chosen.every((number) => request.seasons.includes(number));
  return (
    <Sheet title={say.requests.seasonsTitle(request.title)} lead={say.requests.seasonsLead} onClose={onClose}>
      <div className="max-h-[55vh] overflow-y-auto">
        <Loaded asked={title} ghost={<Ghost className="h-40" />}>
          {({ title: usual }) => {
            const { seasons } = request.is4k ? in4k(usual) : usual;
            const untaken = free(seasons).map(({ number }) => number);
            const open = seasons.map(({ number }) => number).filter((number) => untaken.includes(number) || request.seasons.includes(number));
            return <SeasonList seasons={seasons} open={open} chosen={chosen} choose={choose} />;
          }}
        </Loaded>
      </div>
      {change.error && <Trouble error={change.error} />}
      <QuotaLeft kind="tv" />
      <div className="mt-4 grid grid-cols-2 gap-2">
        <Button onClick={onClose}>{say.requests.keep}</Button>
        <Button weight="strong" disabled={isSame || chosen.length === 0 || change.isPending} onClick={() => change.mutate({ seasons: [...chosen] }, { onSuccess: onClose })}>
          {say.requests.seasonsSave(chosen.length)}
        </Button>
      </div>
    </Sheet>
  );
}
