"""The accounts of owners, and what hangs on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from popfetch.domain.visits import unread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from popfetch.domain.account import Account
    from popfetch.domain.fetch_state import FetchState, LastFetch
    from popfetch.domain.visits import Visit


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account with what its owner sees beside the settings; ``visit`` is the owner's last one."""

    account: Account
    state: FetchState
    is_default: bool
    visit: Visit | None = None

    @property
    def unread(self) -> int:
        """How many messages were stored since the last visit."""
        return unread(self.state.stored_total, self.visit)


type ChangeOfRecord = Callable[[Account, FetchState], tuple[Account, FetchState]]
"""What an account and its state become; it may raise, and is called again where others came first."""


class AccountStore(Protocol):
    """The accounts of owners. No call reaches another owner's account: it is not found.

    Calls that write raise AccountChanged when others kept coming first.
    """

    def add(self, account: Account, state: FetchState) -> AccountRecord:
        """Add an account at the end of its owner's order; the first becomes the default.

        Raises AccountAlreadyAdded and TooManyAccounts.
        """

    def get(self, owner_id: str, account_id: str) -> AccountRecord:
        """One account. Raises AccountNotFound."""

    def of_owner(self, owner_id: str) -> list[AccountRecord]:
        """All accounts of an owner, in the owner's order."""

    def change(self, owner_id: str, account_id: str, change: ChangeOfRecord) -> AccountRecord:
        """Write what ``change`` makes of an account and its state, both as they are at that moment.

        Of the state only what ``change`` alters is written, and a cycle under way is overtaken by it. Raises
        AccountNotFound, AccountAlreadyAdded where the account now is another's mailbox, and what ``change`` raises.
        """

    def reorder(self, owner_id: str, account_ids: Sequence[str]) -> list[AccountRecord]:
        """Give the accounts this order, which names each of them once. Raises InvalidOrder."""

    def make_default(self, owner_id: str, account_id: str) -> list[AccountRecord]:
        """Make an account the default one, in place of the one that was. Raises AccountNotFound."""

    def visit(self, owner_id: str, account_id: str, visit: Visit) -> None:
        """Remember that an account was visited, unless a visit is known that has seen more; it changes no version."""

    def remove(self, owner_id: str, account_id: str) -> AccountRecord:
        """Remove the account and its state together; the default passes to the first one left.

        Raises AccountNotFound.
        """


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Finished cycles, the newest first; ``cursor`` asks for those before them, ``None`` where there are none."""

    cycles: list[LastFetch]
    cursor: str | None


class CycleHistory(Protocol):
    """The finished cycles of an account in which anything happened, kept for a bounded time."""

    def page(self, account_id: str, *, limit: int, cursor: str | None = None) -> HistoryPage:
        """One page of the history. Raises InvalidCursor for a cursor that no page of this account gave."""


class AccountRemains(Protocol):
    """What an account leaves behind when it is removed."""

    def erase_records(self, account_id: str, until: datetime) -> bool:
        """Erase tokens, ledger, index, quarantine, history; ``False`` when ``until`` came first and some are left."""

    def erase_mail(self, owner_id: str, account_id: str, until: datetime) -> bool:
        """Erase the stored messages; ``False`` when ``until`` came first and some are left."""
