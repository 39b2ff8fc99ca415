/** The finished cycles of an account, the newest first, a page at a time. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { answered, api } from "./client";
import type { components } from "./schema";

export type Cycle = components["schemas"]["CycleOut"];

const A_PAGE = 30;

/** The history of an account; `last` is its last cycle, with which the newest page is read anew. */
export function useHistory(id: string, last: string | null) {
  return useInfiniteQuery({
    queryKey: ["history", id, last],
    queryFn: ({ pageParam, signal }) => {
      const query = pageParam ? { limit: A_PAGE, cursor: pageParam } : { limit: A_PAGE };
      return answered(
        api.GET("/accounts/{account_id}/history", { params: { path: { account_id: id }, query }, signal }),
      );
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.cursor,
    placeholderData: (before) => before,
  });
}
