import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, type ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { endSession, renewSession, signIn } from "../api/session";
import { currentToken, renewedToken, type Tokens } from "../api/tokens";
import { NoticesProvider, useNotices } from "../controls/notices";
import { english } from "../language/english";
import { LanguageProvider } from "../language/language";
import { newStage } from "../stage.builder";
import { SessionProvider, useSession } from "./session";
import { SignIn } from "./sign-in";
import type { Told } from "./tabs";

const anna: Tokens = { email: "anna@example.org", idToken: "id", expiresAt: Date.now() + 3_600_000 };
const bert: Tokens = { ...anna, email: "bert@example.org", idToken: "other" };
const OUT = { kind: "signedOut", ended: false, unended: false };

vi.mock("../api/session", async (original) => ({
  ...(await original()),
  signIn: vi.fn(),
  renewSession: vi.fn(),
  endSession: vi.fn(),
}));

/** Another tab of this browser, as it is seen from this one. */
class OtherTab {
  static here: OtherTab | null = null;
  static heard: Told[] = [];
  onmessage: (event: { data: Told }) => void = () => undefined;
  constructor() {
    OtherTab.here = this;
  }
  postMessage(told: Told) {
    OtherTab.heard.push(told);
  }
  close() {}
}
const otherTab = (told: Told) => act(async () => OtherTab.here?.onmessage({ data: told }));

const stage = newStage();
let session: ReturnType<typeof useSession>;
let notices: ReturnType<typeof useNotices>;
let cache: QueryClient;

function Held(): ReactNode {
  session = useSession();
  notices = useNotices();
  return session.state.kind === "signedOut" ? <SignIn {...session.state} /> : null;
}
async function load() {
  await act(async () =>
    stage.root.render(
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
}
async function loadAnew() {
  await stage.clear();
  await load();
}
/** What the server answers to signing out, by hand. */
function anEnding() {
  let answer: (isThere: boolean) => Promise<void> = async () => {};
  vi.mocked(endSession).mockImplementationOnce(
    () =>
      new Promise((resolve, reject) => {
        answer = (isThere) => act(async () => (isThere ? resolve() : reject(new Error("no answer"))));
      }),
  );
  return { answer: (isThere: boolean) => answer(isThere) };
}
const tryAgain = () =>
  [...stage.place.querySelectorAll("button")].find(({ textContent }) => textContent === english.common.tryAgain);

beforeEach(async () => {
  vi.stubGlobal("BroadcastChannel", OtherTab);
  OtherTab.heard = [];
  localStorage.clear();
  sessionStorage.clear();
  vi.mocked(renewSession).mockReset().mockResolvedValue(anna);
  vi.mocked(endSession).mockReset().mockResolvedValue();
  cache = new QueryClient();
  await load();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Something of everything that a person leaves in a tab. */
function leaveTraces() {
  cache.setQueryData(["accounts"], ["Work"]);
  sessionStorage.setItem("drafts", "begun");
  act(() => notices.tell("Work is refused.", "bad"));
}
async function expectNoTraces() {
  expect(stage.place.textContent).not.toContain("Work is refused.");
  expect(cache.getQueryData(["accounts"])).toBeUndefined();
  expect(sessionStorage).toHaveLength(0);
  expect(await currentToken()).toBeNull();
}

test("signing out leaves nothing of a person behind, before the server has answered", async () => {
  // given
  expect(session.state).toEqual({ kind: "signedIn", email: anna.email });
  leaveTraces();
  const ending = anEnding();

  // when
  const { tell } = notices;
  await act(async () => void session.leave());
  act(() => tell("Sent to bert@example.org.", "good"));

  // then
  expect(session.state).toEqual({ kind: "looking" });
  await expectNoTraces();
  expect(stage.place.textContent).not.toContain("Sent to");

  // when
  await ending.answer(true);

  // then
  expect(session.state).toEqual(OUT);
  expect(localStorage.getItem("popfetch.unended")).toBeNull();
  expect(OtherTab.heard).toEqual([{ kind: "left", email: anna.email }, { kind: "settled" }]);
});

test("a sign-out that does not reach the server says so, and is tried again by hand", async () => {
  // given
  leaveTraces();
  vi.mocked(endSession).mockRejectedValueOnce(new Error("no answer"));

  // when
  await act(() => session.leave());

  // then
  expect(session.state).toEqual({ ...OUT, unended: true });
  await expectNoTraces();
  expect(stage.place.querySelector("[role=alert]")?.textContent).toBe(english.session.unended);
  expect(OtherTab.heard.at(-1)).toEqual({ kind: "unended" });

  // when
  tryAgain()?.focus();
  await act(async () => tryAgain()?.click());

  // then
  expect(endSession).toHaveBeenCalledTimes(2);
  expect(session.state).toEqual(OUT);
  expect(stage.place.textContent).not.toContain(english.session.unended);
  expect(document.activeElement?.getAttribute("name")).toBe("username");
});

test("it is tried again by itself when the browser comes back online, and only until it has succeeded", async () => {
  vi.mocked(endSession).mockRejectedValueOnce(new Error("no answer"));
  await act(() => session.leave());
  await act(async () => dispatchEvent(new Event("online")));
  expect(session.state).toEqual(OUT);
  await act(async () => dispatchEvent(new Event("online")));
  expect(endSession).toHaveBeenCalledTimes(2);
});

test("loading the page anew does not sign in whoever has signed out, and tries again", async () => {
  // given
  vi.mocked(endSession).mockRejectedValue(new Error("no answer"));
  await act(() => session.leave());
  vi.mocked(renewSession).mockClear();

  // when
  await loadAnew();

  // then
  expect(renewSession).not.toHaveBeenCalled();
  expect(session.state).toEqual({ ...OUT, unended: true });

  // when
  vi.mocked(endSession).mockResolvedValue();
  await loadAnew();

  // then
  expect(session.state).toEqual(OUT);
});

test("whoever signs in instead is not signed out by what was still to be ended", async () => {
  // given
  vi.mocked(endSession).mockRejectedValueOnce(new Error("no answer"));
  await act(() => session.leave());
  const again = anEnding();
  await act(async () => void session.end());

  // when
  act(() => session.enter(bert));

  // then
  expect(vi.mocked(endSession).mock.lastCall?.[0].aborted).toBe(true);
  await again.answer(false);
  await act(async () => dispatchEvent(new Event("online")));
  expect(endSession).toHaveBeenCalledTimes(2);
  expect(session.state).toEqual({ kind: "signedIn", email: bert.email });
  expect(OtherTab.heard.at(-1)).toEqual({ kind: "settled" });
});

test("somebody who has signed in in another tab is not signed out from here", async () => {
  vi.mocked(endSession).mockRejectedValueOnce(new Error("no answer"));
  await act(() => session.leave());
  localStorage.removeItem("popfetch.unended");
  await act(async () => tryAgain()?.click());
  expect(endSession).toHaveBeenCalledOnce();
  expect(session.state).toEqual(OUT);
});

test("somebody who has signed in in another tab takes this one over, and is told so alone", async () => {
  leaveTraces();
  vi.mocked(renewSession).mockResolvedValue(bert);
  await act(async () => void (await renewedToken(anna.idToken)));
  expect(session.state).toEqual({ kind: "signedIn", email: bert.email });
  expect(stage.place.querySelector("[role=status]")?.textContent).toBe(english.session.another(bert.email));
  expect(cache.getQueryData(["accounts"])).toBeUndefined();
  expect(sessionStorage).toHaveLength(0);
});

test("a session that ends by itself keeps what was begun to write for whoever comes back to it", async () => {
  leaveTraces();
  vi.mocked(renewSession).mockResolvedValue(null);
  await act(async () => void (await renewedToken(anna.idToken)));
  expect(session.state).toEqual({ ...OUT, ended: true });
  expect(await currentToken()).toBeNull();
  expect(sessionStorage.getItem("drafts")).toBe("begun");
});

test("a step of signing in is taken once, however often it is sent", async () => {
  vi.mocked(signIn).mockReturnValue(new Promise(() => undefined));
  await act(() => session.leave());
  const form = stage.place.querySelector("form");
  for (let times = 0; times < 2; times += 1) {
    await act(async () => form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
  }
  expect(signIn).toHaveBeenCalledOnce();
});

test("a sign-out in another tab is one here", async () => {
  leaveTraces();
  await otherTab({ kind: "left", email: anna.email });
  expect(session.state).toEqual(OUT);
  await expectNoTraces();
  expect(endSession).not.toHaveBeenCalled();
  await otherTab({ kind: "unended" });
  expect(stage.place.textContent).toContain(english.session.unended);
  await otherTab({ kind: "settled" });
  expect(session.state).toEqual(OUT);
});

test("a sign-out by somebody else ends the session here, and keeps what was begun to write", async () => {
  leaveTraces();
  await otherTab({ kind: "left", email: bert.email });
  expect(session.state).toEqual({ ...OUT, ended: true });
  expect(await currentToken()).toBeNull();
  expect(cache.getQueryData(["accounts"])).toBeUndefined();
  expect(sessionStorage.getItem("drafts")).toBe("begun");
});

test("a tab that was still looking who is signed in when another signed out signs nobody in", async () => {
  // given
  let brings: (tokens: Tokens) => void = () => undefined;
  vi.mocked(renewSession).mockReturnValue(
    new Promise((resolve) => {
      brings = resolve;
    }),
  );
  await loadAnew();

  // when
  await otherTab({ kind: "left", email: anna.email });
  await act(async () => brings(anna));

  // then
  expect(session.state).toEqual(OUT);
});
