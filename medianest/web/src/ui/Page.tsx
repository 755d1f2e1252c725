import { type ReactNode, useEffect, useRef } from "react";
import { Bell } from "../notices/Bell";
import { useSession } from "../session/useSession";
import { say } from "../strings/door";

let opened = 0;
let isReturn = false; // by the browser's own back or forward: it knows where on the page one was
addEventListener("popstate", () => (isReturn = true));
addEventListener("pushState", () => (isReturn = false)); // wouter says so

interface PageProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A page with its title. */
export function Page({ title, aside, children }: PageProps) {
  return (
    <div className="page">
      <header className="mb-5 flex min-h-10 flex-wrap items-center justify-between gap-3 md:mb-7">
        <Heading title={title} className="min-w-0 flex-1 basis-28 text-2xl md:text-[1.75rem]" />
        <BellOnPhones />
        {aside && <div className="w-full md:w-auto">{aside}</div>}
      </header>
      {children}
    </div>
  );
}

/** Where there is no sidebar, each page has the bell. */
export function BellOnPhones() {
  return useSession().state === "in" && <Bell className="-mr-1 md:hidden" />;
}

/** What a page is called. Who comes to it from another page starts to read here. */
export function Heading({ title, className }: { readonly title: string; readonly className: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${say.name}`;
  }, [title]);
  useEffect(() => {
    if (opened++ > 0 && !document.activeElement?.closest("main")) heading.current?.focus({ preventScroll: true });
    if (!isReturn) window.scrollTo(0, 0);
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1} dir="auto" className={`font-semibold tracking-tight text-balance ${className}`}>
      {title}
    </h1>
  );
}

/** A part of a page with its heading. */
export function Section({ title, aside, children }: { readonly title: string; readonly aside?: ReactNode; readonly children: ReactNode }) {
  return (
    <section className="mb-9 md:mb-11">
      <div className="mb-3 flex items-baseline justify-between gap-3">
        <h2 className="text-base font-semibold tracking-tight md:text-lg">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
