"""Which mailbox an account is, and which ones an owner can still add.

A mailbox is where one signs in: host, port and user name. Two accounts of one owner for the same mailbox
would fetch it twice and fight over its lock.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256

from popfetch.domain.account import Server
from popfetch.domain.errors import AccountAlreadyAdded, InvalidOrder, TooManyAccounts

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
    check_not_held(server, mailboxes)
    if len(mailboxes) >= MAX_ACCOUNTS_PER_OWNER:
        raise TooManyAccounts(
            f"One owner can keep {MAX_ACCOUNTS_PER_OWNER} accounts; remove one before you add another."
        )


def check_not_held(server: Server, mailboxes: Mapping[str, bytes]) -> None:
    """Check that none of these accounts, by account id, is the mailbox already. Raises AccountAlreadyAdded."""
    wanted = mailbox_print(server)
    for account_id, held in mailboxes.items():
        if held == wanted:
            raise AccountAlreadyAdded(
                f"The mailbox of {server.username} at {server.host}, port {server.port}, is already account "
                f"{account_id}; change or remove that one instead."
            )


def check_order(account_ids: Sequence[str], held: Collection[str]) -> None:
    """Check that an order names each account that is held exactly once. Raises InvalidOrder."""
    missing = set(held) - set(account_ids)
    unknown = set(account_ids) - set(held)
    if missing or unknown or len(account_ids) != len(held):
        problems = [f"{len(missing)} missing"] if missing else []
        problems += [f"{len(unknown)} unknown"] if unknown else []
        problems += ["one named twice"] if len(set(account_ids)) != len(account_ids) else []
        raise InvalidOrder(
            f"The order must name each of your {len(held)} accounts once ({', '.join(problems)}); list them again."
        )
