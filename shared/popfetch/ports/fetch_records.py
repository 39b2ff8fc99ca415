"""What cycles know of an account, and what they write of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from popfetch.domain.account import Account
    from popfetch.domain.fetch_state import FetchState, LastFetch
    from popfetch.domain.ledger import Ledger, LedgerEntry
    from popfetch.domain.message import QuarantinedMessage, StoredMessage


class FetchRecords(Protocol):
    """What a cycle reads and commits: account, state, ledger, index, quarantine, history."""

    async def load(self, owner_id: str, account_id: str) -> tuple[Account, FetchState] | None:
        """The account and its state in one consistent read; ``None`` when there is no such account."""

    async def load_ledger(self, account_id: str) -> Ledger:
        """The whole ledger of an account, read consistently."""

    async def indexed_beyond(self, account_id: str, ledger: Ledger, since: datetime) -> list[LedgerEntry]:
        """Entries for the fetched messages of the index that the ledger does not know; reads all of the index.

        Of messages that were stored ``since`` then, the ledger has to know UID and content, of others the UID.
        """

    async def index(self, messages: Sequence[StoredMessage]) -> None:
        """Add messages to the index; the same message again changes nothing."""

    async def withdraw(self, messages: Sequence[StoredMessage]) -> None:
        """Take messages out of the index again: their account went away before they were committed."""

    async def commit(
        self, account: Account, state: FetchState, cycle_id: str, entries: Sequence[LedgerEntry] = ()
    ) -> FetchState:
        """Write ``state`` over the version it carries together with ``entries``; returns it as it now stands.

        Raises CycleOvertaken when the stored version is another, unless this very commit has come again after its
        answer was lost, and AccountNotFound when the account was removed meanwhile.
        """

    async def compact(
        self, account: Account, state: FetchState, cycle_id: str, rewritten: Ledger | None = None
    ) -> FetchState:
        """Pack the ledger's fresh segments, or all of it as ``rewritten``; raises as ``commit`` does."""

    async def quarantine(self, message: QuarantinedMessage) -> None:
        """Keep a visible record of a message that could not be taken."""

    async def release(self, account_id: str, uid: bytes) -> None:
        """Drop the record of a quarantined message that could be taken after all."""

    async def add_history(self, account: Account, cycle_id: str, fetch: LastFetch) -> None:
        """Keep a finished cycle for the owner to see, for a bounded time."""

    async def take_off_wheel(self, account: Account) -> bool:
        """Store ``account.standing`` and leave the wheel; ``False`` when the account was changed meanwhile."""

    async def put_on_wheel(self, account: Account) -> bool:
        """Store ``account.standing`` and join the wheel; ``False`` when the account was changed meanwhile."""
