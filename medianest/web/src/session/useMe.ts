import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

/** Who is signed in, and what they may do. */
export function useMe() {
  return useQuery({ queryKey: ["me"], queryFn: () => answered(api.GET("/api/v1/auth/session")) });
}
