/** Where somebody is: a control and all it is in, from inside to outside, each with its place among its neighbours. */
interface Spot {
  readonly page: string;
  readonly path: readonly { readonly element: Element; readonly place: number }[];
}

const CONTROLS = "a[href], button:enabled, summary, input:enabled:is([type=checkbox], [type=radio]), [tabindex='0']";
const NEWS = "[role=status], [role=alert]";
const SETTLED_MS = 60; // what moves the focus by itself, a page that opens or a sheet that closes, has done so by then
const DISABLED_MS = 1_000; // what is done by then enables its control again

/**
 * A control that has the focus goes when it was pressed, or is disabled for a moment: the focus goes on from there, and
 * does not begin anew at the top. Answers with how to stop.
 */
export function keepFocus(): () => void {
  let spots: readonly Spot[] = []; // in the page, and then in a sheet over it
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lostAt: number | undefined;
  const came = ({ target }: FocusEvent) => {
    if (!(target instanceof Element) || target.closest("[data-base-ui-focus-guard]")) return;
    spots = target.closest("[role=dialog]") ? [...spots.slice(0, 1), spotOf(target)] : [spotOf(target)];
  };
  const left = ({ target, relatedTarget }: FocusEvent) => {
    if (relatedTarget !== null || !(target instanceof Element)) return;
    const from = spots;
    setTimeout(() => {
      if (spots === from && target.isConnected && !isDisabled(target)) spots = []; // by will: by a click beside it, say
    });
  };
  const goOn = () => {
    const control = spots.at(-1)?.path[0]?.element;
    if (!isLost(spots)) lostAt = undefined;
    else if (control && isDisabled(control) && Date.now() - (lostAt ??= Date.now()) < DISABLED_MS) timer = setTimeout(goOn, DISABLED_MS);
    else {
      lostAt = undefined;
      focus(nearest(spots));
    }
  };
  const watcher = new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(goOn, SETTLED_MS);
  });
  document.addEventListener("focusin", came);
  document.addEventListener("focusout", left);
  watcher.observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
  return () => {
    document.removeEventListener("focusin", came);
    document.removeEventListener("focusout", left);
    watcher.disconnect();
    clearTimeout(timer);
  };
}

function isLost(spots: readonly Spot[]): boolean {
  const isNowhere = document.activeElement === null || document.activeElement === document.body;
  return isNowhere && spots.length > 0 && spots.every(({ page }) => page === location.pathname);
}

function isDisabled(control: Element): boolean {
  return control.isConnected && control.matches(":disabled");
}

function spotOf(control: Element): Spot {
  const path = [];
  for (let at: Element | null = control; at && at !== document.body; at = at.parentElement)
    path.push({ element: at, place: at.parentElement ? [...at.parentElement.children].indexOf(at) : 0 });
  return { page: location.pathname, path };
}

/** The control itself, or what took its place, or stands next to it; where all of that went too, what it was in. */
function nearest(spots: readonly Spot[]): Element | null {
  for (const { path } of [...spots].reverse()) {
    const control = path[0]?.element;
    if (control?.isConnected && !isDisabled(control)) return control;
    for (const [step, { place }] of path.entries()) {
      const around = path[step + 1]?.element;
      if (!around?.isConnected) continue;
      const neighbours = [...around.children];
      const near = [...neighbours.slice(place), ...neighbours.slice(0, place).reverse()].map(placeIn).find((one) => one !== null);
      if (near) return near;
    }
  }
  return document.getElementById("content");
}

function placeIn(element: Element): Element | null {
  return element.matches(`${CONTROLS}, ${NEWS}`) ? element : element.querySelector(`${CONTROLS}, ${NEWS}`);
}

/** News are read out where they are; they take the focus only here. */
function focus(element: Element | null): void {
  if (!(element instanceof HTMLElement)) return;
  if (element.matches(NEWS)) element.tabIndex = -1;
  element.focus();
}
