const LEASE_MS = 8_000;
const LOOK_MS = 60;

/**
 * Runs `work` while no other tab of this browser runs any of that name. The refresh token is in a cookie that all tabs
 * share, and the server ends a session whose token is used twice: so two tabs that wake together must take turns.
 */
export async function alone<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  // Only pages from https or this machine have locks; others take turns by a lease in the storage they share.
  return "locks" in navigator ? await navigator.locks.request(name, work) : byLease(name, work);
}

async function byLease<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const mine = `${crypto.getRandomValues(new Uint32Array(2)).join(".")}`;
  while (!(await taken(name, mine))) await pause(LOOK_MS + Math.random() * LOOK_MS);
  try {
    return await work();
  } finally {
    localStorage.removeItem(name);
  }
}

async function taken(name: string, mine: string): Promise<boolean> {
  const [, until] = (localStorage.getItem(name) ?? " 0").split(" ");
  if (Number(until) > Date.now()) return false;
  localStorage.setItem(name, `${mine} ${Date.now() + LEASE_MS}`);
  await pause(LOOK_MS); // whoever wrote last has it
  return localStorage.getItem(name)?.startsWith(`${mine} `) ?? false;
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
