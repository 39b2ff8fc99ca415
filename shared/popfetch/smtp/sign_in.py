"""Which ways to sign in are tried, and in which order.

Over TLS the order is PLAIN, LOGIN, and CRAM-MD5 last: the line is safe already, and servers that keep only hashes of
passwords announce challenges that they cannot check. Without TLS, which the owner must have asked for, it is CRAM-MD5
alone where it is offered, and the ways that show the password only where nothing else is.

The next way is tried only when the last refusal was of the mechanism itself (see ``classification``). A second try
after a refused password would count as a second failed sign-in, and lock people out of their own mailboxes.

An access token goes by XOAUTH2, then by OAUTHBEARER: along with AUTH where it fits on the line, else once the server
asks for it. Where AUTH is refused for its form, or hung up at, the token goes in the other form, for which the limit of
the line is set aside. See ``popfetch.dialogue.bearer`` for how many tries there are.
"""

from collections.abc import Callable, Collection
from enum import Enum

from popfetch.dialogue import bearer, sasl
from popfetch.dialogue.bearer import Attempt
from popfetch.dialogue.sasl import Credentials, SecretKind
from popfetch.smtp.errors import UnusableCredentials

LONGEST_AUTH_LINE = 512
"""Octets of AUTH with its initial response, CRLF included (RFC 4954, section 4; RFC 5321, section 4.5.3.1.4)."""

LONGEST_CREDENTIALS = 9_000
"""Octets of user name and secret together that every mechanism can put on a line of 12,288 (RFC 4954, section 4)."""


class Way(Enum):
    """A way to sign in."""

    PLAIN = "PLAIN"
    LOGIN = "LOGIN"
    CRAM_MD5 = "CRAM-MD5"
    XOAUTH2 = "XOAUTH2"
    OAUTHBEARER = "OAUTHBEARER"


EXCHANGES: dict[Way, Callable[[Credentials], sasl.Exchange]] = {
    Way.PLAIN: sasl.plain,
    Way.LOGIN: sasl.login,
    Way.CRAM_MD5: sasl.cram_md5,
    Way.XOAUTH2: sasl.xoauth2,
    Way.OAUTHBEARER: sasl.oauthbearer,
}

_PASSWORD = (Way.PLAIN, Way.LOGIN, Way.CRAM_MD5)
_TOKEN = (Way.XOAUTH2, Way.OAUTHBEARER)


def check(credentials: Credentials) -> None:
    """Raise UnusableCredentials for what would break out of its line or not fit on it, before anything is sent."""
    if objection := credentials.objection():
        raise UnusableCredentials(objection)
    if len(credentials.username.encode()) + len(credentials.secret.encode()) > LONGEST_CREDENTIALS:
        remedy = credentials.kind.remedy if credentials.kind is SecretKind.ACCESS_TOKEN else "enter them again"
        raise UnusableCredentials(f"The user name and the {credentials.kind} are too long to be sent; {remedy}.")


def ways_with_password(offered: Collection[str], *, protected: bool) -> tuple[Way, ...]:
    """The ways to try, best first, of those that the server offers, in any case; empty where none of them will do."""
    ways = _offered(_PASSWORD, offered)
    if not protected and Way.CRAM_MD5 in ways:
        return (Way.CRAM_MD5,)
    return ways


def ways_with_token(offered: Collection[str]) -> tuple[Way, ...]:
    """The ways to try with an access token, best first."""
    return _offered(_TOKEN, offered)


def token_attempts(offered: Collection[str], credentials: Credentials) -> tuple[Attempt, ...]:
    """What to try with an access token, best first; empty where the server takes none."""
    return bearer.attempts((EXCHANGES[way](credentials) for way in ways_with_token(offered)), LONGEST_AUTH_LINE)


def _offered(order: tuple[Way, ...], offered: Collection[str]) -> tuple[Way, ...]:
    names = {name.upper() for name in offered}
    return tuple(way for way in order if way.value in names)
