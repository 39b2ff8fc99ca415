"""The maildrop: sessions with POP3 servers, and what comes of them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence

    from popfetch.domain.account import Server
    from popfetch.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class MaildropSize:
    """What STAT says: how many messages, how many octets; neither is exact on every server."""

    count: int
    octets: int


@dataclass(frozen=True, slots=True)
class ListedMessage:
    """One row of the maildrop's listing; ``uid`` is empty where the server gives none, ``octets`` 0 likewise."""

    number: int
    uid: bytes
    octets: int


@dataclass(frozen=True, slots=True)
class MessageBegan:
    """The server has begun to send message ``number``."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageContent:
    """The next octets of message ``number``, dot-unstuffed and otherwise untouched."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """The terminator of message ``number`` was seen; that it was the real one is known at ``MessageConfirmed``."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageConfirmed:
    """A well-formed reply followed message ``number``, so that its end was its end; only now may it be committed."""

    number: int


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """The server answered RETR of ``number`` with ``-ERR``; the session goes on. ``reason`` is its text, cleaned."""

    number: int
    reason: str


NO_SIZES: Mapping[int, int] = MappingProxyType({})
"""For numbers whose sizes nobody knows."""

type RetrievalEvent = MessageBegan | MessageContent | MessageEnded | MessageConfirmed | MessageRefused


class Maildrop(Protocol):
    """One signed-in POP3 session.

    Any ``Pop3Error`` but a plain refusal ends the session: nothing more is sent but the closing of the connection.
    """

    @property
    def pipelines(self) -> bool:
        """True while commands are sent ahead of their replies."""

    @property
    def capa_broke_session(self) -> bool:
        """True when the server closed an earlier connection at CAPA, so that it is better not asked again."""

    @property
    def apop_failed(self) -> bool:
        """True when APOP was refused and another way to sign in was accepted, so that it is better not tried again."""

    @property
    def login_delay(self) -> int:
        """Seconds that the server says it wants between sign-ins (RFC 2449, section 6.5); 0 where it says nothing."""

    async def stat(self) -> MaildropSize:
        """Ask for the number of messages and octets (RFC 1939, section 5)."""

    async def probe(self, number: int) -> tuple[MaildropSize, bytes | None]:
        """STAT and ``UIDL number``, in one round trip where the server pipelines.

        The UID is empty where the server refuses (no such message, or no UIDL at all).
        """

    async def listing(self, numbers: range | None = None, *, count: int = 0) -> list[ListedMessage]:
        """Number, UID and size of the messages ``numbers`` (all of them where ``None``), by number.

        UIDL's rows decide what there is, LIST's only add sizes; without UIDL, LIST's decide. ``count`` is what STAT
        said, and lets the adapter weigh asking one by one against asking for everything.
        """

    async def stat_and_listing(self) -> tuple[MaildropSize, list[ListedMessage]]:
        """STAT and the listing of all messages, in one round trip where the server pipelines.

        Any refusal of STAT ends the session: what travelled with it is left unread.
        """

    def headers(self, numbers: Iterable[int]) -> AsyncIterator[tuple[int, bytes]]:
        """The header blocks of ``numbers`` by TOP n 0, in order; empty where the server refuses."""

    def retrieve(self, numbers: Iterator[int], sizes: Mapping[int, int] = NO_SIZES) -> AsyncIterator[RetrievalEvent]:
        """Retrieve ``numbers`` in order, pulled from the iterator only as the window has room for their ``sizes``.

        A size is in octets, as it was listed; a number without one counts as none.

        Ends after the last message is confirmed. When it raises, the first number without ``MessageEnded`` or
        ``MessageRefused`` is the one the session broke at. Whoever leaves early must ``abandon`` the session.
        """

    async def delete(self, numbers: Sequence[int]) -> set[int]:
        """DELE ``numbers``; returns those the server accepted. They are gone only once ``quit`` is ``True``."""

    async def quit(self) -> bool:
        """End the session; ``True`` when the server confirmed it, and with it every deletion."""

    async def abandon(self) -> None:
        """Drop the connection without QUIT: the server forgets what was marked. Safe to call at any time."""


@dataclass(frozen=True, slots=True)
class DialAdvice:
    """What earlier sessions taught about a server.

    ``pipeline``: ``True`` to pipeline though only an earlier CAPA after sign-in announced it, ``False`` to never,
    ``None`` to go by what the server announces. ``skip_capa`` for servers that close the connection at CAPA,
    ``skip_apop`` for those that show a timestamp but have no APOP.
    """

    pipeline: bool | None = None
    skip_capa: bool = False
    skip_apop: bool = False


class MaildropDialer(Protocol):
    """Opens POP3 sessions."""

    async def open(self, server: Server, secret: Secret, advice: DialAdvice, deadline: float) -> Maildrop:
        """Connect, protect, sign in. ``deadline`` (``asyncio`` loop time) bounds the whole session.

        Raises HostRefused for hosts that must not be connected to, and the leaves of ``Pop3Error``.
        """
