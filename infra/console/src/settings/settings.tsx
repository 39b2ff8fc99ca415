/** Settings: the mail accounts, one of them, and a new one. */
import { Route, Switch } from "wouter";
import { AccountPage } from "./account-page";
import { AccountsPage } from "./accounts-page";
import { NewAccountPage } from "./new-account-page";

export default function SettingsPage() {
  return (
    <Switch>
      <Route path="/settings" component={AccountsPage} />
      <Route path="/settings/new" component={NewAccountPage} />
      {/* Another account is another page, with nothing left of what was entered for the one before. */}
      <Route path="/settings/:id">{({ id }) => <AccountPage key={id} id={id} />}</Route>
    </Switch>
  );
}
