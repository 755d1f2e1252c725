import type { ReactElement, ReactNode } from "react";

/** How one thing of a list looks: what it is, and what may be done about it, beside each other or below. */
export const ROW = "flex flex-wrap items-center gap-x-4 gap-y-2 rounded-xl bg-raised p-4 in-[[role=dialog]]:bg-paper/50";

interface RowsProps {
  readonly none?: ReactNode; // stands there where nothing does
  readonly abreast?: boolean; // two of them, where there is room
  readonly children: readonly ReactElement[];
}

/** A list, a row each. */
export function Rows({ none, abreast = false, children }: RowsProps) {
  if (children.length === 0 && none !== undefined) return none;
  return <ul className={`grid gap-2.5 ${abreast ? "lg:grid-cols-2" : ""}`}>{children}</ul>;
}
