import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { useRefresh } from "./refresh";

/** Something in an answer: the answer itself, one of its rows, or what either holds. */
export type Thing = Readonly<Record<string, unknown>>;

/** What becomes of a thing: another, itself where it is not meant, or nothing where it is to be gone. */
type Change<Wish> = (thing: Thing, wish: Wish) => Thing | null;

interface AtOnce<Wish, Answer> {
  readonly act: (wish: Wish) => Promise<Answer>;
  readonly pages: readonly string[]; // the first words of the keys of the answers that show it
  readonly change: Change<Wish>;
  readonly touches?: readonly string[]; // answers that are asked for anew as well
}

/**
 * A wish that is shown as granted before it is answered. Refused, everything is shown as it was, with the problem in
 * `error`; in either case what the server has is read afterwards, for it alone knows.
 */
export function useAtOnce<Wish, Answer>({ act, pages, change, touches = [] }: AtOnce<Wish, Answer>) {
  const queries = useQueryClient();
  const refresh = useRefresh(...pages);
  const refreshTouched = useRefresh(...touches);
  const mutationKey = ["at-once", ...pages];
  return useMutation({
    mutationKey,
    mutationFn: act,
    onMutate: async (wish) => {
      await Promise.all(pages.map((page) => queries.cancelQueries({ queryKey: [page] }))); // they would show it undone
      const before = pages.flatMap((page) => queries.getQueriesData({ queryKey: [page] }));
      return before.map(([key, answer]) => {
        queries.setQueryData(key, changed(answer, (thing) => change(thing, wish)));
        return { key, answer, shown: queries.getQueryData(key) };
      });
    },
    onError: (_problem, _wish, before) => before?.forEach(putBack),
    // Not waited for: without a network it would keep the problem from being shown.
    onSettled: () => {
      void refreshTouched();
      const isLast = queries.isMutating({ mutationKey }) <= 1; // before it, an answer would show another's wish undone
      if (isLast) void refresh();
    },
  });

  function putBack({ key, answer, shown }: { readonly key: QueryKey; readonly answer: unknown; readonly shown: unknown }) {
    if (queries.getQueryData(key) === shown) queries.setQueryData(key, answer); // else something newer is there
  }
}

/** `answer` with each thing in it changed, what is inside first; the very same answer where none is. */
export function changed(answer: unknown, change: (thing: Thing) => Thing | null): unknown {
  if (Array.isArray(answer)) {
    const items: unknown[] = answer;
    const after = items.map((item) => changed(item, change)).filter((item, place) => item !== null || items[place] === null);
    return after.length === items.length && after.every((item, place) => item === items[place]) ? items : after;
  }
  if (typeof answer !== "object" || answer === null) return answer;
  const entries = Object.entries(answer).map(([name, value]) => [name, value, changed(value, change)] as const);
  const inside = entries.some(([, before, after]) => before !== after)
    ? Object.fromEntries(entries.map(([name, before, after]) => [name, after === null ? before : after]))
    : (answer as Thing);
  return change(inside);
}
