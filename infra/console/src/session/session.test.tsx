import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NoticesProvider, useNotices } from "../controls/notices";
import { LanguageProvider } from "../language/language";
import { SessionProvider, useSession } from "./session";

const TOKENS = { email: "me@example.org", idToken: "id", expiresAt: Date.now() + 3_600_000 };

vi.mock("../api/session", async (original) => ({
  ...(await original()),
  renewSession: () => Promise.resolve(TOKENS),
  endSession: () => Promise.reject(new Error("no answer")),
}));

let place: HTMLElement;
let root: Root;
let session: ReturnType<typeof useSession>;
let notices: ReturnType<typeof useNotices>;
let cache: QueryClient;

function Held(): ReactNode {
  session = useSession();
  notices = useNotices();
  return null;
}

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  place = document.body.appendChild(document.createElement("div"));
  root = createRoot(place);
  cache = new QueryClient();
  await act(async () =>
    root.render(
      <QueryClientProvider client={cache}>
        <LanguageProvider>
          <NoticesProvider>
            <SessionProvider>
              <Held />
            </SessionProvider>
          </NoticesProvider>
        </LanguageProvider>
      </QueryClientProvider>,
    ),
  );
});

afterEach(() => {
  act(() => root.unmount());
  place.remove();
  sessionStorage.clear();
});

test("signing out leaves nothing of a person behind, even where the server does not answer", async () => {
  // given
  expect(session.state).toEqual({ kind: "signedIn", email: TOKENS.email });
  cache.setQueryData(["accounts"], ["Work"]);
  sessionStorage.setItem("drafts", "begun");
  act(() => notices.tell("Work is refused.", "bad"));
  expect(place.textContent).toContain("Work is refused.");

  // when
  await act(() => session.leave());

  // then
  expect(session.state).toEqual({ kind: "signedOut", ended: false });
  expect(place.textContent).not.toContain("Work is refused.");
  expect(cache.getQueryData(["accounts"])).toBeUndefined();
  expect(sessionStorage).toHaveLength(0);
});
