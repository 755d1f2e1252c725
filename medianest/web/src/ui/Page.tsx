import { type ReactNode, useEffect, useRef } from "react";
import { Bell } from "../notices/Bell";
import { useSession } from "../session/session";
import { say } from "../strings/door";
import { hueOf } from "./hue";

let opened = 0;

interface PageProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly seed?: number | undefined; // of the title it is about: the page has a glow of that poster's colour
  readonly children: ReactNode;
}

/** A page with its title. Who comes to it from another page starts to read at its title. */
export function Page({ title, aside, seed, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isIn = useSession().state === "in";
  useEffect(() => {
    document.title = `${title} · ${say.name}`;
  }, [title]);
  useEffect(() => {
    if (opened++ > 0 && !document.activeElement?.closest("main")) heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <div className="page relative isolate">
      {seed !== undefined && <Glow seed={seed} />}
      <header className="mb-5 flex min-h-10 flex-wrap items-center justify-between gap-3 md:mb-7">
        <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight md:text-[1.75rem]">
          {title}
        </h1>
        <div className="ml-auto flex items-center gap-2">
          {aside}
          {isIn && <Bell className="-mr-2 md:hidden" />}
        </div>
      </header>
      {children}
    </div>
  );
}

function Glow({ seed }: { readonly seed: number }) {
  const light = `radial-gradient(55% 100% at 22% 0%, oklch(0.6 0.12 ${hueOf(seed)} / 0.22), transparent)`;
  return <div aria-hidden="true" className="pointer-events-none absolute inset-x-0 top-0 -z-10 h-112" style={{ backgroundImage: light }} />;
}

/** A part of a page with its heading. */
export function Section({ title, aside, children }: { readonly title: string; readonly aside?: ReactNode; readonly children: ReactNode }) {
  return (
    <section className="mb-9 md:mb-11">
      <div className="mb-3 flex items-baseline justify-between gap-3">
        <h2 className="text-sm font-semibold tracking-wide text-quiet">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
