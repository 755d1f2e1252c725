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
