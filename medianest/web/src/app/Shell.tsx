import { type ReactNode, Suspense, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { Bell } from "../notices/Bell";
import { LiveNote } from "../live/LiveNote";
import { SignOut } from "../session/SignOut";
import { useMe } from "../session/useMe";
import { say } from "../strings/house";
import { Icon, type IconName } from "../ui/Icon";
import { keepFocus } from "./focus";
import { later } from "./later";
import { routes } from "./routes";
import { useTheme } from "./theme";

const You = later(() => import("./You"));

const PLACES: readonly { readonly path: string; readonly icon: IconName; readonly name: string }[] = [
  { path: routes.home, icon: "home", name: say.nav.home },
  { path: routes.discover, icon: "discover", name: say.nav.discover },
  { path: routes.library, icon: "library", name: say.nav.library },
  { path: routes.requests, icon: "requests", name: say.nav.requests },
  { path: routes.downloads, icon: "video", name: say.nav.downloads },
];

/** What is round every page: a bar below on phones, a column at the side where there is room. */
export function Shell({ children }: { readonly children: ReactNode }) {
  useEffect(keepFocus, []);
  return (
    <div className="md:grid md:grid-cols-[13.5rem_1fr]">
      <a
        href="#content"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-lg bg-accent px-4 py-2 font-medium text-on-accent focus:translate-y-0"
      >
        {say.skip}
      </a>
      <Sidebar />
      <main id="content" tabIndex={-1} className="relative isolate min-w-0 outline-none">
        <LiveNote />
        {children}
      </main>
      <BottomBar />
    </div>
  );
}

function Sidebar() {
  return (
    <header className="sticky top-0 hidden h-dvh flex-col overflow-y-auto overscroll-contain border-r border-line bg-raised/50 px-3 py-5 md:flex">
      <div className="mb-6 flex items-center justify-between pl-3">
        <Link href={routes.home} className="flex items-center gap-2.5 font-semibold tracking-tight">
          <img src="/icon.svg" alt="" className="size-7" />
          {say.name}
        </Link>
        <Bell />
      </div>
      <nav aria-label={say.nav.label} className="flex flex-col gap-0.5">
        {PLACES.map((place) => (
          <Place key={place.path} {...place} className="flex-row gap-3 rounded-lg px-3 py-2.5" current="bg-sunken text-ink" />
        ))}
        <AdminPlace />
      </nav>
      <SidebarFoot />
    </header>
  );
}

/** For whoever may look after something. */
function AdminPlace() {
  if (!useMe().data?.permissions.includes("accounts.view")) return null;
  return <Place path={routes.admin} icon="admin" name={say.nav.admin} className="flex-row gap-3 rounded-lg px-3 py-2.5" current="bg-sunken text-ink" />;
}

function SidebarFoot() {
  const me = useMe().data;
  const [theme, setTheme] = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  const look = "flex items-center gap-3 rounded-lg px-3 py-2 text-sm text-quiet hover:bg-sunken hover:text-ink";
  return (
    <div className="mt-auto flex flex-col gap-0.5">
      <button type="button" className={look} onClick={() => setTheme(other)}>
        <Icon name={other === "light" ? "sun" : "moon"} />
        {say.you.theme[other]}
      </button>
      <Link href={routes.help} className={look}>
        <Icon name="help" />
        {say.help.title}
      </Link>
      <Link href={routes.devices} className={look}>
        <Icon name="devices" />
        {say.nav.devices}
      </Link>
      <SignOut className={look} />
      <p className="mt-2 border-t border-line px-3 pt-3 text-sm">
        <span className="block truncate font-medium">{me?.name ?? "\u00a0"}</span>
        <span className="text-xs text-quiet">{me ? say.you.role[me.role] : "\u00a0"}</span>
      </p>
    </div>
  );
}

function BottomBar() {
  const [open, setOpen] = useState(false);
  return (
    <nav
      aria-label={say.nav.label}
      className="fixed inset-x-0 bottom-0 z-20 grid grid-cols-6 border-t border-line bg-paper/95 pb-[env(safe-area-inset-bottom)] backdrop-blur md:hidden"
    >
      {PLACES.map((place) => (
        <Place key={place.path} {...place} className="flex-col gap-0.5 pt-2 pb-1.5 text-2xs" current="text-accent" />
      ))}
      <button
        type="button"
        aria-haspopup="dialog"
        className="flex flex-col items-center gap-0.5 pt-2 pb-1.5 text-2xs font-medium text-quiet"
        onClick={() => setOpen(true)}
      >
        <Icon name="you" />
        {say.nav.you}
      </button>
      {open && (
        <Suspense>
          <You onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </nav>
  );
}

interface PlaceProps {
  readonly path: string;
  readonly icon: IconName;
  readonly name: string;
  readonly className: string;
  readonly current: string;
}

function Place({ path, icon, name, className, current }: PlaceProps) {
  const [location] = useLocation();
  const isHere = path === "/" ? location === "/" : location.startsWith(path);
  return (
    <Link
      href={path}
      {...(isHere && { "aria-current": "page" as const })}
      className={`flex items-center font-medium transition-colors ${className} ${isHere ? current : "text-quiet hover:text-ink"}`}
    >
      <Icon name={icon} />
      {name}
    </Link>
  );
}
