import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import { say } from "../strings/house";
import { CHIP } from "../ui/Chip";
import { Section } from "../ui/Page";

/** Other places that are good to know, in the order admins gave them. */
export function QuickLinks() {
  const links = useLinks().data?.items ?? [];
  if (links.length === 0) return null;
  return (
    <Section title={say.home.links}>
      <ul className="flex flex-wrap gap-2">
        {links.map(({ label, url }) => (
          <li key={`${label} ${url}`} className="max-w-full">
            <a href={url} target="_blank" rel="noreferrer" className={`inline-flex max-w-full items-center ${CHIP}`}>
              <span className="truncate">{label}</span>
              <span className="sr-only"> {say.newWindow}</span>
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}

export function useLinks() {
  return useQuery({ queryKey: ["links"], queryFn: () => answered(api.GET("/api/v1/links")) });
}
