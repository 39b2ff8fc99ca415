"""Every limit of a conversation with a submission server in one place.

How many octets a reply may have is bounded by the library that reads it: 8 KB a line, 32 KB a reply.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a server may take, in seconds; the caller's deadline is over all of it."""

    connect_seconds: float = 10.0
    """The TCP connection to one address."""

    greeting_seconds: float = 30.0
    """The TLS handshake, and once more from its end to the end of the greeting: servers let strangers wait."""

    reply_seconds: float = 60.0
    """From a command to the end of its reply; a wrong password alone may take 7 seconds."""

    block_seconds: float = 180.0
    """Until the server has taken another piece of a message (RFC 5321, section 4.5.3.2.5)."""

    end_seconds: float = 600.0
    """From a message's end to its reply (RFC 5321, section 4.5.3.2.6): who gives up sooner sends it twice."""

    quit_seconds: float = 3.0
    """From QUIT to its reply, which nobody needs."""


DEFAULT_LIMITS = Limits()
