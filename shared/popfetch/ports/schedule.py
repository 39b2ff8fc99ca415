"""The wheel and the queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from popfetch.domain.account import Standing
    from popfetch.domain.fetch_request import FetchRequest


@dataclass(frozen=True, slots=True)
class DueAccount:
    """An account on the wheel: whose it is, where it stands in the owner's order, and how often it is due."""

    owner_id: str
    account_id: str
    position: int
    interval_minutes: int


class Wheel(Protocol):
    """The accounts that are due, by slot, and how far dispatch has come."""

    def due(self, slots: Sequence[tuple[int, int]]) -> Sequence[DueAccount]:
        """The active accounts of slots (interval, slot), in no order."""

    def stopped(self, standing: Standing) -> int:
        """How many accounts are off the wheel with this standing."""

    def last_minute(self) -> int | None:
        """The last minute (since the epoch) that was dispatched whole; ``None`` before the first."""

    def advance_to(self, minute: int) -> None:
        """Remember that everything up to ``minute`` was dispatched; never goes back."""


class FetchQueue(Protocol):
    """The FIFO queue of fetch requests, one message group an owner."""

    def send(self, requests: Sequence[FetchRequest]) -> None:
        """Send requests; those of one owner keep their order. Raises StorageUnavailable when any was not taken."""

    def send_erasure(self, owner_id: str, account_id: str, erase_mail: bool) -> None:
        """Ask, behind whatever is under way for this owner, that a removed account's remains be erased."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of a batch that the queue has handed over: ``receipt`` holds it, ``body`` is as it came."""

    delivery_id: str
    receipt: str
    group: str
    body: str


class Deliveries(Protocol):
    """What a batch under way can do with its deliveries before it ends."""

    def read(self, delivery: Delivery) -> FetchRequest | Erasure:
        """What a delivery asks for. Raises NotAFetchRequest."""

    async def hold(self, deliveries: Sequence[Delivery], seconds: int) -> None:
        """Keep deliveries invisible for ``seconds`` from now, no more and no less."""

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete deliveries that are done, so that their owners' next requests need not wait for the batch."""

    async def set_aside(self, delivery: Delivery, why: str) -> None:
        """Put a delivery that is none of ours into the dead-letter queue, with the reason beside it."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """An account was removed; what it left behind is to be erased, its mail too if ``erase_mail``."""

    owner_id: str
    account_id: str
    erase_mail: bool
