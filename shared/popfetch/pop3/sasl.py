"""What of the proofs of identity is POP3's own; the SASL mechanisms are in ``popfetch.dialogue.sasl``.

The first answer of an exchange may travel with AUTH itself where the mechanism allows it and the line stays within 255
octets (RFC 5034, section 4); otherwise AUTH goes alone and the server asks.
"""

from dataclasses import dataclass
from hashlib import md5

from popfetch.dialogue import sasl
from popfetch.pop3.errors import UnusableCredentials

LONGEST_AUTH_LINE = 255
"""Octets of AUTH with its initial response, CRLF included."""


@dataclass(frozen=True, slots=True)
class Credentials(sasl.Credentials):
    """Who signs in to a POP3 server and with what."""

    def check(self) -> None:
        """Raise UnusableCredentials for what would break out of its line, before anything is sent."""
        if objection := self.objection():
            raise UnusableCredentials(objection)


def apop_digest(timestamp: bytes, password: str) -> str:
    """The digest that APOP sends: MD5 of the greeting's timestamp, angle brackets included, and the password."""
    return md5(timestamp + password.encode(), usedforsecurity=False).hexdigest()
