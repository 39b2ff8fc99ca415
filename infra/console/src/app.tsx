/** The console: who is signed in decides what is shown, the address where. */
import { lazy, Suspense } from "react";
import { Redirect, Route, Router, Switch, useLocation } from "wouter";
import { Button } from "./controls/button";
import { Empty, Failed, Loading } from "./controls/states";
import { useWords } from "./language/language";
import { DraftsProvider } from "./mail/compose/drafts";
import MailPage from "./mail/mail";
import { useSession } from "./session/session";
import { SignIn } from "./session/sign-in";
import { useConsentReturn } from "./settings/consent-return";
import { Guarded } from "./shell/broken";
import { useHashQuery, useHashRoute } from "./shell/hash-route";
import { askFirst } from "./shell/leaving";
import { Shell } from "./shell/shell";

// Whoever only reads mail never loads the settings.
const SettingsPage = lazy(() => import("./settings/settings"));

export function App() {
  const { state, look } = useSession();
  switch (state.kind) {
    case "looking":
      return <Loading />;
    case "unreachable":
      return <Failed failure={null} onRetry={look} />;
    case "signedOut":
      return <SignIn ended={state.ended} unended={state.unended} />;
    case "signedIn":
      return (
        // Nothing on the page outlives the person it was for.
        <Router key={state.email} hook={useHashRoute} searchHook={useHashQuery} aroundNav={askFirst}>
          <DraftsProvider email={state.email}>
            <Shell email={state.email}>
              <Pages />
            </Shell>
          </DraftsProvider>
        </Router>
      );
  }
}

function Pages() {
  const [place] = useLocation();
  useConsentReturn();
  return (
    <Guarded place={place}>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/">
            <Redirect to="/mail" replace />
          </Route>
          <Route path="/mail/*?" component={MailPage} />
          <Route path="/settings/*?" component={SettingsPage} />
          <Route>
            <NoSuchPage />
          </Route>
        </Switch>
      </Suspense>
    </Guarded>
  );
}

function NoSuchPage() {
  const words = useWords();
  const [, go] = useLocation();
  return (
    <main tabIndex={-1}>
      <Empty title={words.common.pageNotFound}>
        <Button onClick={() => go("/mail")}>{words.common.toMail}</Button>
      </Empty>
    </main>
  );
}
