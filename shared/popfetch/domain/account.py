"""An account: a POP3 mailbox elsewhere, as its owner set it up."""

from collections.abc import Iterable, Mapping
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


def servers_of(incoming: Server, outgoing: Server | None) -> list[tuple[Server, Direction]]:
    """The servers of an account, the incoming one first."""
    both = ((incoming, Direction.INCOMING), (outgoing, Direction.OUTGOING))
    return [(server, direction) for server, direction in both if server is not None]


def signed_in_by_token(servers: Iterable[tuple[Server, Direction]]) -> list[tuple[Server, Direction]]:
    """Those of some servers that are signed in to by OAuth 2."""
    return [(server, direction) for server, direction in servers if server.auth is AuthMethod.OAUTH2]


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's consent to the account's mailbox (RFC 6749, section 1.3), given to the authorization server named.

    Its tokens are kept apart, under ``grant_id``.
    """

    grant_id: str
    server_id: str
    granted_at: datetime


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

    ``incoming_secret`` and ``outgoing_secret`` are sealed: what they hold is opened by the vault alone. A server that
    is signed in to by OAuth 2 has none, and ``grant`` is the consent that its tokens come from, once it was given.
    ``outgoing_failure`` is set while the outgoing server refuses the sign-in; it says nothing about collecting.
    """

    owner_id: str
    account_id: str
    email: str
    name: str
    position: int
    incoming: Server
    incoming_secret: bytes | None = field(repr=False)
    created_at: datetime
    outgoing: Server | None = None
    outgoing_secret: bytes | None = field(default=None, repr=False)
    grant: Grant | None = None
    fetch: FetchSettings = field(default_factory=FetchSettings)
    reply_to: ReplyTo = NO_REPLY_TO
    outgoing_failure: OutgoingFailure | None = None
    standing: Standing = Standing.ACTIVE
    version: int = 1

    def server(self, direction: Direction) -> Server | None:
        """Its server of a direction."""
        return self.incoming if direction is Direction.INCOMING else self.outgoing

    @property
    def servers(self) -> list[tuple[Server, Direction]]:
        """Its servers, the incoming one first."""
        return servers_of(self.incoming, self.outgoing)

    @property
    def by_token(self) -> list[tuple[Server, Direction]]:
        """Those of its servers that are signed in to by OAuth 2."""
        return signed_in_by_token(self.servers)

    @property
    def uses_oauth(self) -> bool:
        """Whether any of its servers is signed in to by OAuth 2."""
        return bool(self.by_token)

    @property
    def lacks_consent(self) -> bool:
        """Whether its mailbox is opened by OAuth 2, and nobody has consented to that."""
        return self.incoming.auth is AuthMethod.OAUTH2 and self.grant is None

    @property
    def lacks_any_consent(self) -> bool:
        """Whether any of its servers is signed in to by OAuth 2, and nobody has consented to that."""
        return self.uses_oauth and self.grant is None

    @property
    def way_in(self) -> tuple[object, ...]:
        """All that decides how popfetch signs in to the mailbox."""
        return self.incoming, self.incoming_secret, self.grant if self.incoming.auth is AuthMethod.OAUTH2 else None

    @property
    def way_out(self) -> tuple[object, ...]:
        """All that decides how popfetch signs in to send."""
        by_token = self.outgoing is not None and self.outgoing.auth is AuthMethod.OAUTH2
        return self.outgoing, self.outgoing_secret, self.grant if by_token else None

    @property
    def can_send(self) -> bool:
        """Whether it has an outgoing server, and what to sign in with there."""
        return self.outgoing is not None and (
            self.outgoing_secret is not None or self.outgoing.auth is AuthMethod.OAUTH2
        )
