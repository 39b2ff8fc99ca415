"""An account: a POP3 mailbox elsewhere, as its owner set it up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from popfetch.domain.outgoing import OutgoingFailure
from popfetch.domain.reply_to import NO_REPLY_TO, ReplyTo

INTERVAL_MENU = (1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 360, 720, 1440)
"""The intervals in minutes that an account can have; each divides a day, so that the wheel has no seam."""

RECOMMENDED_INTERVAL = 5
MESSAGES_PER_CYCLE = range(20, 201)
"""The messages an account can take in one cycle."""

RECOMMENDED_MESSAGES_PER_CYCLE = 100


class Security(StrEnum):
    """How the connection to a server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class AuthMethod(StrEnum):
    """What the owner signs in with."""

    PASSWORD = "password"  # noqa: S105 - the word, not a password
    OAUTH2 = "oauth2"


class Direction(StrEnum):
    """Which of the account's two servers something belongs to."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"


USUAL_PORTS: Mapping[Direction, Mapping[Security, int]] = {
    Direction.INCOMING: {Security.TLS: 995, Security.STARTTLS: 110, Security.NONE: 110},
    Direction.OUTGOING: {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 587},
}
"""The ports that servers usually have, by how the connection is protected (RFC 8314, sections 3.2 and 3.3;
RFC 1939; RFC 6409)."""


class AfterFetch(StrEnum):
    """What becomes of a message on the server once it is safely stored."""

    KEEP = "keep"
    DELETE = "delete"
    DELETE_AFTER_DAYS = "delete_after_days"


class Order(StrEnum):
    """Which of the waiting messages are taken first."""

    OLDEST_FIRST = "oldest_first"
    NEWEST_FIRST = "newest_first"


class Standing(StrEnum):
    """Whether the account is on the wheel, and if not, why; only a person brings it back."""

    ACTIVE = "active"
    PAUSED = "paused"
    AUTH_FAILED = "auth_failed"
    CONNECTION_FAILED = "connection_failed"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of an account, without its password."""

    host: str
    port: int
    security: Security
    username: str
    auth: AuthMethod = AuthMethod.PASSWORD


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """What an owner sets about collecting.

    ``start`` is ``all``, ``now`` or an ISO date (``YYYY-MM-DD``): which of the messages that are on the server when
    the account is added are taken. ``delete_after_days`` counts from the day a message was stored.
    """

    interval_minutes: int = RECOMMENDED_INTERVAL
    max_messages_per_cycle: int = RECOMMENDED_MESSAGES_PER_CYCLE
    catch_up: bool = True
    start: str = "all"
    order: Order = Order.OLDEST_FIRST
    after_fetch: AfterFetch = AfterFetch.KEEP
    delete_after_days: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox as its owner keeps it; ``version`` grows by one with each change of a setting.

    ``incoming_secret`` and ``outgoing_secret`` are sealed: what they hold is opened by the vault alone.
    ``outgoing_failure`` is set while the outgoing server refuses the sign-in; it says nothing about collecting.
    """

    owner_id: str
    account_id: str
    email: str
    name: str
    position: int
    incoming: Server
    incoming_secret: bytes = field(repr=False)
    created_at: datetime
    outgoing: Server | None = None
    outgoing_secret: bytes | None = field(default=None, repr=False)
    fetch: FetchSettings = field(default_factory=FetchSettings)
    reply_to: ReplyTo = NO_REPLY_TO
    outgoing_failure: OutgoingFailure | None = None
    standing: Standing = Standing.ACTIVE
    version: int = 1
