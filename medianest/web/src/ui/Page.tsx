import { type ReactNode, useEffect, useRef } from "react";
import { say } from "../strings";

let opened = 0;

/** A page with its title. Who comes to it from another page starts to read at its title. */
export function Page({ title, aside, children }: { readonly title: string; readonly aside?: ReactNode; readonly children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${say.name}`;
  }, [title]);
  useEffect(() => {
    if (opened++ > 0 && !document.activeElement?.closest("main")) heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <div className="page">
      <header className="mb-5 flex min-h-10 flex-wrap items-center justify-between gap-3 md:mb-7">
        <h1 ref={heading} tabIndex={-1} className="text-2xl font-semibold tracking-tight md:text-[1.75rem]">
          {title}
        </h1>
        {aside}
      </header>
      {children}
    </div>
  );
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
