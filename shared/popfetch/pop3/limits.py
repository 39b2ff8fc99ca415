"""Every limit of a POP3 session in one place: how many octets, how many seconds.

RFC 1939 bounds a reply at 512 octets and a UID at 70, but servers in the wild do not keep to that, so the limits
stand well above what was met and well below what could hurt.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server may send and how long it may take; all sizes in octets, all times in seconds."""

    status_line_octets: int = 8 * 1024
    """A greeting or status line, without its line end."""

    listing_row_octets: int = 8 * 1024
    """One row of LIST, UIDL or CAPA, without its line end."""

    listing_octets: int = 32 * 1024 * 1024
    """A whole listing."""

    listing_rows: int = 300_000
    """A whole listing: short rows take more memory than their octets say, with the ledger's 650 octets each."""

    small_listing_octets: int = 1024 * 1024
    small_listing_rows: int = 20_000
    """Listings up to both are read side by side; of larger ones, one at a time (see ``pop3_line``)."""

    capabilities_octets: int = 64 * 1024
    """All of CAPA, which anybody can say before any sign-in; real ones have a few hundred."""

    message_octets: int = 512 * 1024 * 1024
    """One message, dot-unstuffed."""

    header_octets: int = 512 * 1024
    """What is kept of a header block; some servers answer TOP with the whole message, and the rest is dropped."""

    resolve_seconds: float = 10.0
    """Looking up the host's addresses."""

    connect_seconds: float = 10.0
    """The TCP connection to one address."""

    reach_seconds: float = 25.0
    """All addresses of a host, one after the other."""

    handshake_seconds: float = 15.0
    """The TLS handshake."""

    greeting_seconds: float = 30.0
    """From the connection to the end of the greeting line."""

    reply_seconds: float = 60.0
    """From a command to the end of its status line; a wrong password alone may take 7 seconds."""

    idle_seconds: float = 30.0
    """Silence inside a multi-line reply, or fewer than ``least_octets``."""

    least_octets: int = 2 * 1024
    """What a multi-line reply brings in ``idle_seconds`` of waiting, if it does not end; a modem brings far more."""

    quit_seconds: float = 5.0
    """From QUIT to its reply."""


DEFAULT_LIMITS = Limits()
