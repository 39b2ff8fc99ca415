"""Adding, showing, ordering, pausing, checking and removing an owner's accounts.

An account is added only after its sign-in was seen to work, unless its owner asks otherwise: a typing error
is told at once to the person who can mend it, and the schedule never repeats a wrong password.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from popfetch.domain.account import (
    Account,
    AuthMethod,
    Direction,
    FetchSettings,
    Server,
    Standing,
    servers_of,
    signed_in_by_token,
)
from popfetch.domain.account_change import set_going
from popfetch.domain.errors import ConsentNeeded, StorageUnavailable
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.mailbox import check_can_add, mailbox_print
from popfetch.domain.providers import check_interval, shortest_interval
from popfetch.domain.secret import Secret
from popfetch.domain.visits import Visit
from popfetch.ports.accounts import AccountRecord, AccountRemains, AccountStore, CycleHistory, HistoryPage
from popfetch.ports.invocation import Clock
from popfetch.ports.schedule import FetchQueue
from popfetch.services.erase import erase_account
from popfetch.services.sign_in_secrets import SignInSecrets
from popfetch.services.sign_in_trial import SignInTester, SignInTrial
from popfetch.services.trial_limits import TrialLimits

ERASING_TIME = timedelta(seconds=15)
"""How long removing an account erases what it left before the rest is done in the background."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The command to add an account; ``verify`` tests the sign-in at both servers first.

    A server that is signed in to by OAuth 2 has no secret, and is tried once its owner has consented.
    """

    owner_id: str
    email: str
    name: str
    incoming: Server
    incoming_secret: Secret | None
    outgoing: Server | None = None
    outgoing_secret: Secret | None = None
    fetch: FetchSettings = field(default_factory=FetchSettings)
    verify: bool = True

    @property
    def trials(self) -> list[SignInTrial]:
        """The sign-ins that show whether the account can work."""
        trials = []
        if self.incoming_secret:
            trials.append(SignInTrial(Direction.INCOMING, self.incoming, self.incoming_secret))
        if self.outgoing and self.outgoing_secret:
            trials.append(SignInTrial(Direction.OUTGOING, self.outgoing, self.outgoing_secret))
        return trials

    @property
    def waiting_for_consent(self) -> list[tuple[Server, Direction]]:
        """The servers that are signed in to by OAuth 2."""
        return signed_in_by_token(servers_of(self.incoming, self.outgoing))


@dataclass(frozen=True, slots=True)
class Accounts:
    """The verbs over an owner's accounts. No call reaches another owner's: it is not found."""

    store: AccountStore
    secrets: SignInSecrets
    tester: SignInTester
    trial_limits: TrialLimits
    remains: AccountRemains
    history: CycleHistory
    queue: FetchQueue
    clock: Clock
    new_account_id: Callable[[], str]

    def add(self, new: NewAccount) -> AccountRecord:
        """Test the sign-ins, seal the passwords, and add the account at the end of its owner's order.

        An account whose mailbox is opened by OAuth 2 is not collected before its owner has consented. Raises
        InvalidAccount, AccountAlreadyAdded, TooManyAccounts, TooManySignIns, HostRefused, OAuthNotConfigured and the
        leaves of SignInTestFailed; nothing is stored then.
        """
        if waiting := new.waiting_for_consent:
            self.secrets.check_one_giver(waiting)
            self.tester.check_hosts(waiting)
        check_interval(new.fetch.interval_minutes, new.incoming.host)
        held = {r.account.account_id: mailbox_print(r.account.incoming) for r in self.store.of_owner(new.owner_id)}
        check_can_add(new.incoming, held)
        self.trial_limits.count(new.owner_id, new.trials)
        login_delay = self.tester.test(new.trials, sign_in=new.verify)
        tried = new.verify and new.incoming_secret is not None
        account_id = self.new_account_id()
        now = self.clock()

        def seal(secret: Secret | None, direction: Direction) -> bytes | None:
            return self.secrets.vault.seal(secret, new.owner_id, account_id, direction) if secret else None

        by_token = new.incoming.auth is AuthMethod.OAUTH2
        return self.store.add(
            Account(
                owner_id=new.owner_id,
                account_id=account_id,
                email=new.email,
                name=new.name,
                position=0,
                incoming=new.incoming,
                incoming_secret=seal(new.incoming_secret, Direction.INCOMING),
                outgoing=new.outgoing,
                outgoing_secret=seal(new.outgoing_secret, Direction.OUTGOING),
                fetch=new.fetch,
                standing=Standing.AUTH_FAILED if by_token else Standing.ACTIVE,
                created_at=now,
            ),
            FetchState(sign_in_after=sign_in_after(now, login_delay, new.incoming.host) if tried else None),
        )

    def get(self, owner_id: str, account_id: str) -> AccountRecord:
        """One account. Raises AccountNotFound."""
        return self.store.get(owner_id, account_id)

    def of_owner(self, owner_id: str) -> list[AccountRecord]:
        """All accounts of an owner, in the owner's order."""
        return self.store.of_owner(owner_id)

    def reorder(self, owner_id: str, account_ids: Sequence[str]) -> list[AccountRecord]:
        """Give an owner's accounts an order, in which they are fetched and listed. Raises InvalidOrder."""
        return self.store.reorder(owner_id, account_ids)

    def make_default(self, owner_id: str, account_id: str) -> list[AccountRecord]:
        """Make an account its owner's default one. Raises AccountNotFound."""
        return self.store.make_default(owner_id, account_id)

    def pause(self, owner_id: str, account_id: str) -> AccountRecord:
        """Take an account off the schedule until its owner resumes it. Raises AccountNotFound."""
        return self.store.change(
            owner_id, account_id, lambda account, state: (replace(account, standing=Standing.PAUSED), state)
        )

    def resume(self, owner_id: str, account_id: str) -> AccountRecord:
        """Put an account that was paused, or had stopped, back on the schedule, and check it at once.

        Raises AccountNotFound, and ConsentNeeded where its owner has not consented to the mailbox.
        """
        stood_still = False

        def resumed(account: Account, state: FetchState) -> tuple[Account, FetchState]:
            nonlocal stood_still
            if account.lacks_consent:
                raise ConsentNeeded(account.email)
            stood_still = account.standing is not Standing.ACTIVE
            return set_going(account, state) if stood_still else (account, state)

        record = self.store.change(owner_id, account_id, resumed)
        if stood_still:
            ask_for_check(self.queue, record.account, self.clock())
        return record

    def check_now(self, owner_id: str, account_id: str, correlation_id: str = "") -> datetime:
        """Ask for a fetch at once, behind those of this owner that are under way; returns when it was asked for.

        Raises AccountNotFound and StorageUnavailable.
        """
        record = self.store.get(owner_id, account_id)
        now = self.clock()
        ask_for_check(self.queue, record.account, now, correlation_id)
        return now

    def visit(self, owner_id: str, account_id: str) -> Visit:
        """Note that an account is being looked at: what fetching has stored up to now is not unread any more.

        Raises AccountNotFound and StorageUnavailable.
        """
        seen = self.store.get(owner_id, account_id).state.stored_total
        visit = Visit(self.clock(), seen)
        self.store.visit(owner_id, account_id, visit)
        return visit

    def history_of(self, owner_id: str, account_id: str, *, limit: int, cursor: str | None = None) -> HistoryPage:
        """The finished cycles of an account, the newest first, a page at a time.

        Cycles in which nothing happened are not kept, but the last one is shown, so that the first page always says
        how the last check went. Raises AccountNotFound and InvalidCursor.
        """
        last = self.store.get(owner_id, account_id).state.last_fetch
        page = self.history.page(account_id, limit=limit, cursor=cursor)
        if cursor is None and last and (not page.cycles or page.cycles[0].started_at < last.started_at):
            return HistoryPage([last, *page.cycles], page.cursor)
        return page

    def remove(self, owner_id: str, account_id: str, *, erase_mail: bool) -> bool:
        """Remove an account, which is gone at once, and erase what it leaves; ``False`` while that goes on.

        A cycle under way may still leave something behind, so the erasure is also asked for in the owner's
        queue, behind that cycle. It is asked for first, so that it happens even if this call is cut short. Consent is
        given back at the provider, where it takes it back. Raises AccountNotFound.
        """
        removed = self.store.remove(owner_id, account_id)
        until = self.clock() + ERASING_TIME
        self.queue.send_erasure(owner_id, account_id, erase_mail)
        try:
            if removed.account.grant is not None:
                others = self.store.of_owner(owner_id)
                self.tester.run(self.secrets.tokens.give_back(removed.account, others))
            return erase_account(self.remains, owner_id, account_id, erase_mail=erase_mail, until=until)
        except StorageUnavailable:
            return False


def ask_for_check(queue: FetchQueue, account: Account, now: datetime, correlation_id: str = "") -> None:
    """Ask for a fetch of an account at once. Raises StorageUnavailable."""
    queue.send([FetchRequest(account.owner_id, account.account_id, Reason.CHECK_NOW, now, correlation_id)])


def sign_in_after(now: datetime, login_delay: int, host: str) -> datetime | None:
    """When a server wants the next sign-in after one at ``now``; ``None`` where nothing says that it wants a pause.

    ``login_delay`` (seconds) is what it announced. Where its provider is known to tolerate a sign-in every so many
    minutes only, that counts as well: one that is too early looks like a wrong password to some.
    """
    shortest = shortest_interval(host)
    pause = max(timedelta(seconds=login_delay), timedelta(minutes=shortest if shortest > 1 else 0))
    return now + pause if pause else None
