"""Changing an account that is there: its settings, its servers, its passwords.

Whatever changes the way in to a server is tried before it is kept, and what fails leaves everything as it was. A
change that was tried is written only if nobody else changed the account meanwhile; one that needs no trial is applied
to whatever is stored at that moment.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from popfetch.domain.account import Account, AuthMethod, Direction, Server, Standing
from popfetch.domain.account_change import (
    AccountChange,
    Removed,
    SealedSecrets,
    ServerChange,
    changed_settings,
    followed_up,
    way_in_changed,
)
from popfetch.domain.admission import may_sign_in_soon
from popfetch.domain.errors import AccountChanged, AccountOutdated, InvalidAccount, StorageUnavailable
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.providers import check_interval
from popfetch.domain.secret import Secret
from popfetch.ports.accounts import AccountRecord, AccountStore
from popfetch.ports.invocation import Clock
from popfetch.ports.schedule import FetchQueue
from popfetch.services.access_tokens import RENEWAL_SECONDS
from popfetch.services.accounts import ask_for_check, sign_in_after
from popfetch.services.sign_in_secrets import SignInSecrets
from popfetch.services.sign_in_trial import (
    SIGN_IN_SECONDS,
    SIGN_IN_SECONDS_BY_TOKEN,
    SignInTester,
    SignInTrial,
)
from popfetch.services.trial_limits import TrialLimits

SECONDS_FOR_A_TOKEN = RENEWAL_SECONDS + 2.0
"""How long an account's access token is waited for before new settings are tried with it."""


@dataclass(frozen=True, slots=True)
class ChangeAccount:
    """The command to change an account.

    ``seen_versions`` are the versions that the owner knows, any of which may be changed; ``None`` changes whatever is
    there. ``verify`` tries new ways in before they are kept.
    """

    owner_id: str
    account_id: str
    change: AccountChange
    seen_versions: Collection[int] | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """The verbs that change an account. No call reaches another owner's: it is not found."""

    store: AccountStore
    secrets: SignInSecrets
    tester: SignInTester
    trial_limits: TrialLimits
    queue: FetchQueue
    clock: Clock

    def change(self, command: ChangeAccount) -> AccountRecord:
        """Change an account; where the way in to its mailbox changes, it is checked for mail at once.

        Only a server that wants a pause after the trial is left to the schedule.

        Raises AccountNotFound, AccountOutdated, InvalidAccount, AccountAlreadyAdded, TooManySignIns, HostRefused and
        the leaves of SignInTestFailed; nothing is changed then.
        """
        before = self.store.get(command.owner_id, command.account_id).account
        _check_seen(before, command.seen_versions)
        changed = changed_settings(before, command.change, SealedSecrets())
        self._check(before, changed)
        trials = self._trials(before, changed, command)
        self.trial_limits.count(command.owner_id, trials)
        seconds = SIGN_IN_SECONDS_BY_TOKEN if changed.uses_oauth else SIGN_IN_SECONDS
        login_delay = self.tester.test(trials, sign_in=command.verify, seconds=seconds)
        pause = sign_in_after(self.clock(), login_delay, changed.incoming.host) if command.verify and trials else None
        sealed = self._sealed(command)

        def apply(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            _check_seen(account, command.seen_versions)
            if trials and _ways_in(account) != _ways_in(before):
                raise AccountChanged("The account was changed while its new settings were tried; try again.")
            after = changed_settings(account, command.change, sealed)
            self._check(account, after)
            return followed_up(account, after, state, pause)

        record = self.store.change(command.owner_id, command.account_id, apply)
        if before.grant is not None and record.account.grant is None:
            self._give_consent_back(before)
        tried_anew = trials and way_in_changed(before, record.account)
        if tried_anew and may_sign_in_soon(record.state, self.clock()) and record.account.standing is Standing.ACTIVE:
            ask_for_check(self.queue, record.account, self.clock())
        return record

    def _give_consent_back(self, before: Account) -> None:
        """Give the consent back that passwords have taken the place of."""
        tokens = self.secrets.tokens
        try:
            self.tester.run(tokens.give_back(before, self.store.of_owner(before.owner_id)))
        except StorageUnavailable as error:
            # the change stands
            tokens.note_left_behind(before, error)

    def change_password(
        self, owner_id: str, account_id: str, direction: Direction, secret: Secret, *, verify: bool = True
    ) -> AccountRecord:
        """Change the password of one of an account's servers; raises as ``change`` does."""
        new = ServerChange(secret=secret)
        change = AccountChange(incoming=new) if direction is Direction.INCOMING else AccountChange(outgoing=new)
        return self.change(ChangeAccount(owner_id, account_id, change, verify=verify))

    def _trials(self, before: Account, changed: Account, command: ChangeAccount) -> list[SignInTrial]:
        """The sign-ins that a change makes it worth trying."""
        change, verify = command.change, command.verify
        incoming = self._trial(before, Direction.INCOMING, changed.incoming, change.incoming, verify=verify)
        return incoming + self._trial(before, Direction.OUTGOING, changed.outgoing, change.outgoing, verify=verify)

    def _trial(
        self,
        account: Account,
        direction: Direction,
        server: Server | None,
        change: ServerChange | Removed | None,
        *,
        verify: bool,
    ) -> list[SignInTrial]:
        """The sign-in at one server that is worth trying, if any; without consent there is nothing to try with."""
        if server is None or not isinstance(change, ServerChange):
            return []
        if change.secret is not None:
            return [SignInTrial(direction, server, change.secret)]
        if server == account.server(direction):
            return []
        if server.auth is AuthMethod.OAUTH2 and (account.grant is None or not verify):
            self.tester.check_hosts([(server, direction)])
            return []
        return [SignInTrial(direction, server, self.tester.run(self._secret(account, server, direction)))]

    async def _secret(self, account: Account, server: Server, direction: Direction) -> Secret:
        deadline = asyncio.get_running_loop().time() + SECONDS_FOR_A_TOKEN
        return await self.secrets.secret_for(account, server, direction, deadline=deadline)

    def _check(self, before: Account, after: Account) -> None:
        """Check what a change leads to, of what it touches."""
        if after.lacks_any_consent and (before.incoming, before.outgoing) != (after.incoming, after.outgoing):
            self.secrets.check_one_giver(after.by_token)
        for server, direction in after.by_token:
            if server != before.server(direction):
                self._check_tokens_may_go(before, server, direction)
        if (before.fetch.interval_minutes, before.incoming.host) != (after.fetch.interval_minutes, after.incoming.host):
            check_interval(after.fetch.interval_minutes, after.incoming.host)

    def _check_tokens_may_go(self, account: Account, server: Server, direction: Direction) -> None:
        if account.grant is not None:
            self.secrets.check_token_may_go(server, direction, account.grant)
        elif not account.uses_oauth:
            raise InvalidAccount(
                f"{direction}.auth: sign in at the provider first: POST /accounts/{account.account_id}/oauth/start "
                "begins that, and turns the account's servers over to OAuth 2 once it is done."
            )

    def _sealed(self, command: ChangeAccount) -> SealedSecrets:
        def seal(change: ServerChange | Removed | None, direction: Direction) -> bytes | None:
            if not isinstance(change, ServerChange) or change.secret is None:
                return None
            return self.secrets.vault.seal(change.secret, command.owner_id, command.account_id, direction)

        return SealedSecrets(
            incoming=seal(command.change.incoming, Direction.INCOMING),
            outgoing=seal(command.change.outgoing, Direction.OUTGOING),
        )


def _ways_in(account: Account) -> tuple[object, ...]:
    return account.way_in, account.way_out


def _check_seen(account: Account, seen_versions: Collection[int] | None) -> None:
    if seen_versions is not None and account.version not in seen_versions:
        raise AccountOutdated(account.account_id, account.version)
