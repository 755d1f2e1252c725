/** The highest position this page knows of: every read asks to be at least that new, so nothing goes back in time. */
let highest = 0;

export function saw(position: number | null | undefined): void {
  if (position && position > highest) highest = position;
}

export function seen(): number {
  return highest;
}

const AGAIN_MS = 3_000;
let readAgain: (() => void) | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

/** `act` reads everything shown anew; it is called a while after an answer was older than what this page knows of. */
export function whenBehind(act: () => void): void {
  readAgain = act;
}

export function readAgainSoon(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    readAgain?.();
  }, AGAIN_MS);
}
