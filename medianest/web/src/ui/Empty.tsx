import type { ReactNode } from "react";

/** Nothing to show: says so, and what to do about it. */
export function Empty({ title, hint, children }: { readonly title: string; readonly hint?: string; readonly children?: ReactNode }) {
  return (
    <div className="rounded-xl border border-dashed border-line px-6 py-10 text-center">
      <p className="font-medium">{title}</p>
      {hint && <p className="mt-1 text-sm text-quiet">{hint}</p>}
      {children && <div className="mt-4">{children}</div>}
    </div>
  );
}

/** What stands where something is still being read, in about its shape. */
export function Ghost({ className }: { readonly className: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-lg bg-raised ${className}`} />;
}

const SHELF = Array.from({ length: 14 }, (_, number) => number);

/** A shelf that is still being read: its posters come where these stand. */
export function GhostShelf({ className = "shelf" }: { readonly className?: string }) {
  return (
    <div aria-hidden="true" className={className}>
      {SHELF.map((number) => (
        <div key={number}>
          <Ghost className="aspect-2/3" />
          <Ghost className="mt-2.5 h-3.5 w-4/5" />
          <Ghost className="mt-2 h-3 w-2/5" />
        </div>
      ))}
    </div>
  );
}

/** A list that is still being read, in rows as high as its own. */
export function GhostRows({ rows = 4, className = "h-27" }: { readonly rows?: number; readonly className?: string }) {
  return (
    <div aria-hidden="true" className="grid gap-2.5 lg:grid-cols-2">
      {SHELF.slice(0, rows).map((number) => (
        <Ghost key={number} className={`rounded-xl! ${className}`} />
      ))}
    </div>
  );
}
