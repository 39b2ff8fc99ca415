/** What has been read of the API, and when it is read again. */
import { QueryClient } from "@tanstack/react-query";
import { ApiFailure } from "./client";

const MOST_TRIES = 3;

export function newCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // Waiting for the browser to be online, a spinner would turn for ever; it may also be wrong about it.
        networkMode: "always",
        refetchOnReconnect: true,
        // What will not heal by itself is told at once.
        retry: (tried, failure) =>
          tried < MOST_TRIES && failure instanceof ApiFailure && failure.passes && navigator.onLine,
      },
      mutations: { networkMode: "always" },
    },
  });
}
