"""Which mailbox an account is, and which ones an owner can still add.

A mailbox is where one signs in: host, port and user name. Two accounts of one owner for the same mailbox
would fetch it twice and fight over its lock.
"""

import re
from collections.abc import Mapping
from hashlib import sha256

from popfetch.domain.account import Server
from popfetch.domain.errors import AccountAlreadyAdded, TooManyAccounts

MAX_ACCOUNTS_PER_OWNER = 99
"""With the owner's profile that makes 100 items, as many as one transaction can change together."""

ACCOUNT_ID_LENGTH = 20
ACCOUNT_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
"""20 of 32 letters are 100 random bits; they are safe in a URL, in a key and to read aloud."""

_ACCOUNT_ID = re.compile(f"[{ACCOUNT_ID_ALPHABET}]{{{ACCOUNT_ID_LENGTH}}}")
_PRINT_OCTETS = 16


def is_account_id(text: str) -> bool:
    """True for what can be an account id at all; anything else must not reach a key."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def mailbox_print(server: Server) -> bytes:
    """The print of a mailbox: host (whatever its case), port and user name."""
    host = server.host.rstrip(".").lower()
    return sha256(f"{host}\0{server.port}\0{server.username}".encode()).digest()[:_PRINT_OCTETS]


def check_can_add(server: Server, mailboxes: Mapping[str, bytes]) -> None:
    """Check a mailbox against those the owner has, by account id.

    Raises AccountAlreadyAdded and TooManyAccounts.
    """
    wanted = mailbox_print(server)
    for account_id, held in mailboxes.items():
        if held == wanted:
            raise AccountAlreadyAdded(
                f"The mailbox of {server.username} at {server.host}, port {server.port}, is already account "
                f"{account_id}; change or remove that one instead."
            )
    if len(mailboxes) >= MAX_ACCOUNTS_PER_OWNER:
        raise TooManyAccounts(
            f"One owner can keep {MAX_ACCOUNTS_PER_OWNER} accounts; remove one before you add another."
        )
