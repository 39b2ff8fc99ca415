"""Proofs of identity as pure functions: SASL mechanisms (RFC 4422).

An exchange is a row of answers, one a challenge. The first answer may travel with AUTH itself where the mechanism
allows it and the line stays within what the protocol sets; otherwise AUTH goes alone and the server asks.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

CANCEL = b"*"
"""The answer that ends an exchange without finishing it (RFC 4954, section 4; RFC 5034, section 4)."""

ACKNOWLEDGEMENTS = frozenset({b"", b"AQ=="})
"""The answers, in base64, that hold nothing: XOAUTH2 and OAUTHBEARER acknowledge a failure by them."""


class SecretKind(StrEnum):
    """What a secret is, by the name that a person knows it by."""

    PASSWORD = "password"  # noqa: S105 - the word, not a password
    ACCESS_TOKEN = "access token"  # noqa: S105

    @property
    def remedy(self) -> str:
        """What a person does to get another one."""
        return "sign in again at the provider" if self is SecretKind.ACCESS_TOKEN else "enter it again"


_FORBIDDEN = {
    SecretKind.PASSWORD: frozenset("\r\n\0"),
    # what stands between the parts of an answer that holds a token
    SecretKind.ACCESS_TOKEN: frozenset("\r\n\0\x01"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in and with what; ``kind`` says what ``secret`` is."""

    username: str
    secret: str = field(repr=False)
    kind: SecretKind = SecretKind.PASSWORD

    def objection(self) -> str | None:
        """Why these cannot be sent at all, as a sentence for a person; ``None`` where they can."""
        named = (("user name", self.username, "enter it again"), (self.kind, self.secret, self.kind.remedy))
        for what, value, remedy in named:
            if not value:
                return f"The {what} is empty; {remedy}."
            if _FORBIDDEN[self.kind] & set(value):
                return f"The {what} holds a line break or a control character, which cannot be sent; {remedy}."
            if any("\ud800" <= char <= "\udfff" for char in value):
                # Encoding it would raise an error that carries the value.
                return f"The {what} is not valid text; {remedy}."
        return None

    def traces(self) -> frozenset[str]:
        """Every form in which the secret goes onto the wire and could come back in a server's words.

        Forms that show it as it is are not named one by one: it is found within them.
        """
        secret = self.secret.encode()
        if self.kind is SecretKind.ACCESS_TOKEN:
            whole = [exchange.answers[0](b"") for exchange in (xoauth2(self), oauthbearer(self))]
            forms = [secret, b"Bearer " + secret, *whole]
        else:
            forms = [secret, b"\0" + self.username.encode() + b"\0" + secret]
        encoded = {b64encode(form).decode("ascii") for form in forms}
        # Servers that echo often lose the padding.
        return frozenset({self.secret} | encoded | {form.rstrip("=") for form in encoded})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One run of a mechanism: what to answer to each challenge, in order; answers take and give plain octets."""

    mechanism: str
    answers: tuple[Callable[[bytes], bytes], ...] = field(repr=False)
    speaks_first: bool = False
    """Whether the first answer needs no challenge and may be an initial response."""

    def initial_response(self, longest_line: int | None = None) -> bytes | None:
        """The first answer in base64 where it may travel with AUTH, else ``None``.

        ``longest_line`` is the most octets that AUTH with its initial response may have, CRLF included; ``None`` sets
        no limit.
        """
        if not self.speaks_first:
            return None
        response = b64encode(self.answers[0](b""))
        line = len(b"AUTH ") + len(self.mechanism) + 1 + len(response) + 2
        return response if longest_line is None or line <= longest_line else None

    def answer(self, step: int, challenge: bytes) -> bytes | None:
        """The answer to the challenge of ``step`` (from 0), both in base64; ``None`` when there is no good one."""
        if step >= len(self.answers):
            return None
        try:
            return b64encode(self.answers[step](b64decode(challenge, validate=True)))
        except NotBase64:
            # The mechanisms that speak first ignore what is in their challenge; some servers put prose there.
            return b64encode(self.answers[step](b"")) if self.speaks_first or self.mechanism == "LOGIN" else None


def _fixed(answer: bytes) -> Callable[[bytes], bytes]:
    return lambda _challenge: answer


def plain(credentials: Credentials) -> Exchange:
    """PLAIN (RFC 4616)."""
    token = b"\0" + credentials.username.encode() + b"\0" + credentials.secret.encode()
    return Exchange("PLAIN", (_fixed(token),), speaks_first=True)


def login(credentials: Credentials) -> Exchange:
    """LOGIN, which was never standardised: user name, then password, each when asked."""
    return Exchange("LOGIN", (_fixed(credentials.username.encode()), _fixed(credentials.secret.encode())))


def cram_md5(credentials: Credentials) -> Exchange:
    """CRAM-MD5 (RFC 2195): the challenge keyed with the password."""

    def answer(challenge: bytes) -> bytes:
        digest = hmac.new(credentials.secret.encode(), challenge, "md5").hexdigest()
        return f"{credentials.username} {digest}".encode()

    return Exchange("CRAM-MD5", (answer,))


def xoauth2(credentials: Credentials) -> Exchange:
    """XOAUTH2, which Google and Microsoft describe; the second answer, empty, makes a failure end in a refusal."""
    token = f"user={credentials.username}\x01auth=Bearer {credentials.secret}\x01\x01".encode()
    return Exchange("XOAUTH2", (_fixed(token), _fixed(b"")), speaks_first=True)


def oauthbearer(credentials: Credentials) -> Exchange:
    """OAUTHBEARER (RFC 7628); the second answer acknowledges a failure (section 3.2.3)."""
    name = credentials.username.replace("=", "=3D").replace(",", "=2C")
    token = f"n,a={name},\x01auth=Bearer {credentials.secret}\x01\x01".encode()
    return Exchange("OAUTHBEARER", (_fixed(token), _fixed(b"\x01")), speaks_first=True)
