/** The highest position this page knows of: every read asks to be at least that new, so nothing goes back in time. */
let highest = 0;

export function saw(position: number | null | undefined): void {
  if (position && position > highest) highest = position;
}

export function seen(): number {
  return highest;
}
