import { useQueryClient } from "@tanstack/react-query";

/** Has all answers whose keys begin with one of these asked for anew. */
export function useRefresh(...keys: readonly string[]): () => Promise<unknown> {
  const queries = useQueryClient();
  return () => Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] })));
}
