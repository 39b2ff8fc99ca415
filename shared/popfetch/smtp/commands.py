"""The commands that tell a server of a message, and what its answer to EHLO says about them."""

import re

from popfetch.smtp.errors import RecipientRefused, SenderRefused

LONGEST_SIZE = 20
"""Digits that a size may have (RFC 1870, section 3)."""

_SIZE = re.compile(rf" *([0-9]{{1,{LONGEST_SIZE}}})(?: |$)")
_NOT_IN_A_PATH = re.compile(r"[\x00-\x20\x7f<>\ud800-\udfff]")
"""What would end an address or its line, or cannot be encoded."""


def announced_limit(parameter: str) -> int:
    """The most octets that a message may have, of EHLO's SIZE; 0 where it sets no limit (RFC 1870, section 4).

    What is no number sets none: the server will say so itself.
    """
    found = _SIZE.match(parameter)
    return int(found[1]) if found else 0


def mail_from(sender: str, *, octets: int | None, utf8: bool) -> tuple[bytes, ...]:
    """The words of MAIL; with ``octets`` they tell the size (RFC 1870), with ``utf8`` what RFC 6531 wants.

    Raises SenderRefused for an address that would break out of its place.
    """
    if not _fits(sender):
        raise SenderRefused("The address to send from holds what no address can have; nothing was sent.")
    size = () if octets is None else (b"SIZE=%d" % octets,)
    # An address beyond ASCII implies a message whose headers are so, too (RFC 6531, section 3.6).
    international = (b"BODY=8BITMIME", b"SMTPUTF8") if utf8 else ()
    return (b"MAIL", b"FROM:<" + sender.encode() + b">", *size, *international)


def rcpt_to(recipient: str) -> tuple[bytes, ...]:
    """The words of RCPT. Raises RecipientRefused for an address that would break out of its place."""
    if not _fits(recipient):
        raise RecipientRefused("The address of a recipient holds what no address can have; nothing was sent.")
    return (b"RCPT", b"TO:<" + recipient.encode() + b">")


def _fits(address: str) -> bool:
    return bool(address) and not _NOT_IN_A_PATH.search(address)
