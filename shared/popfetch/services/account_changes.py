"""Changing an account that is there: its settings, its servers, its passwords.

Whatever changes the way in to a server is tried before it is kept, and what fails leaves everything as it was. A
change that was tried is written only if nobody else changed the account meanwhile; one that needs no trial is applied
to whatever is stored at that moment.
"""

from collections.abc import Collection
from dataclasses import dataclass

from popfetch.domain.account import Account, Direction, Server, Standing
from popfetch.domain.account_change import (
    AccountChange,
    Removed,
    SealedSecrets,
    ServerChange,
    changed_settings,
    followed_up,
    way_in_changed,
)
from popfetch.domain.admission import LONGEST_WAIT
from popfetch.domain.errors import AccountChanged, AccountOutdated
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.providers import check_interval
from popfetch.domain.secret import Secret
from popfetch.ports import AccountRecord, AccountStore, Clock, CredentialVault, FetchQueue
from popfetch.services.accounts import ask_for_check, sign_in_after
from popfetch.services.sign_in_trial import SignInTester, SignInTrial, check_can_be_tried


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
    vault: CredentialVault
    tester: SignInTester
    queue: FetchQueue
    clock: Clock

    def change(self, command: ChangeAccount) -> AccountRecord:
        """Change an account; where the way in to its mailbox changes, it is checked for mail at once.

        Only a server that wants a pause after the trial is left to the schedule.

        Raises AccountNotFound, AccountOutdated, InvalidAccount, AccountAlreadyAdded, HostRefused and the leaves of
        SignInTestFailed; nothing is changed then.
        """
        before = self.store.get(command.owner_id, command.account_id).account
        _check_seen(before, command.seen_versions)
        changed = changed_settings(before, command.change, SealedSecrets())
        _check(before, changed)
        trials = self._trials(before, changed, command.change)
        login_delay = self.tester.test(trials, sign_in=command.verify)
        pause = sign_in_after(self.clock(), login_delay, changed.incoming.host) if command.verify and trials else None
        sealed = self._sealed(command)

        def apply(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            _check_seen(account, command.seen_versions)
            if trials and _ways_in(account) != _ways_in(before):
                raise AccountChanged("The account was changed while its new settings were tried; try again.")
            after = changed_settings(account, command.change, sealed)
            _check(account, after)
            return followed_up(account, after, state, pause)

        record = self.store.change(command.owner_id, command.account_id, apply)
        wanted = record.state.sign_in_after
        soon = wanted is None or wanted - self.clock() <= LONGEST_WAIT
        tried_anew = trials and way_in_changed(before, record.account)
        if tried_anew and soon and record.account.standing is Standing.ACTIVE:
            ask_for_check(self.queue, record.account, self.clock())
        return record

    def change_password(
        self, owner_id: str, account_id: str, direction: Direction, secret: Secret, *, verify: bool = True
    ) -> AccountRecord:
        """Change the password of one of an account's servers; raises as ``change`` does."""
        new = ServerChange(secret=secret)
        change = AccountChange(incoming=new) if direction is Direction.INCOMING else AccountChange(outgoing=new)
        return self.change(ChangeAccount(owner_id, account_id, change, verify=verify))

    def _trials(self, before: Account, changed: Account, change: AccountChange) -> list[SignInTrial]:
        """The sign-ins that a change makes it worth trying."""
        trials = []
        if change.incoming and (changed.incoming != before.incoming or change.incoming.secret):
            trials.append(self._trial(before, Direction.INCOMING, changed.incoming, change.incoming))
        outgoing = change.outgoing
        if not isinstance(outgoing, ServerChange) or changed.outgoing is None:
            return trials
        if changed.outgoing != before.outgoing or outgoing.secret:
            trials.append(self._trial(before, Direction.OUTGOING, changed.outgoing, outgoing))
        return trials

    def _trial(self, before: Account, direction: Direction, server: Server, change: ServerChange) -> SignInTrial:
        secret = change.secret
        if secret is None:
            sealed = before.incoming_secret if direction is Direction.INCOMING else before.outgoing_secret
            assert sealed is not None
            secret = self.vault.open(sealed, before.owner_id, before.account_id, direction)
        return SignInTrial(direction, server, secret)

    def _sealed(self, command: ChangeAccount) -> SealedSecrets:
        def seal(change: ServerChange | Removed | None, direction: Direction) -> bytes | None:
            if not isinstance(change, ServerChange) or change.secret is None:
                return None
            return self.vault.seal(change.secret, command.owner_id, command.account_id, direction)

        return SealedSecrets(
            incoming=seal(command.change.incoming, Direction.INCOMING),
            outgoing=seal(command.change.outgoing, Direction.OUTGOING),
        )


def _check(before: Account, after: Account) -> None:
    check_can_be_tried(Direction.INCOMING, after.incoming)
    if after.outgoing:
        check_can_be_tried(Direction.OUTGOING, after.outgoing)
    if (before.fetch.interval_minutes, before.incoming.host) != (after.fetch.interval_minutes, after.incoming.host):
        check_interval(after.fetch.interval_minutes, after.incoming.host)


def _ways_in(account: Account) -> tuple[object, ...]:
    return account.incoming, account.incoming_secret, account.outgoing, account.outgoing_secret


def _check_seen(account: Account, seen_versions: Collection[int] | None) -> None:
    if seen_versions is not None and account.version not in seen_versions:
        raise AccountOutdated(account.account_id, account.version)
