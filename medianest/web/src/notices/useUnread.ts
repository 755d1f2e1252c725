import { useQuery } from "@tanstack/react-query";
import { answered, api } from "../api/client";

/** Apart from the rest of the inbox: the bell is on every page. */
export function useUnread() {
  return useQuery({ queryKey: ["notices", "unread"], queryFn: () => answered(api.GET("/api/v1/notices/unread")) });
}
