"""Adding, showing and removing an owner's accounts.

An account is added only after its sign-in was seen to work, unless its owner asks otherwise: a typing error
is told at once to the person who can mend it, and the schedule never repeats a wrong password.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from popfetch.domain.account import Account, AuthMethod, Direction, FetchSettings, Server
from popfetch.domain.errors import InvalidAccount, PopfetchError, StorageUnavailable
from popfetch.domain.mailbox import check_can_add, mailbox_print
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import (
    ConnectionFailed,
    LoginTooFrequent,
    MaildropBusy,
    Pop3Error,
    ServerPermanent,
    ServerTemporary,
    SignInRefused,
    TlsFailed,
)
from popfetch.ports import (
    AccountRecord,
    AccountRemains,
    AccountStore,
    Clock,
    CredentialVault,
    DialAdvice,
    FetchQueue,
    MaildropDialer,
)
from popfetch.services.erase import erase_account

SIGN_IN_SECONDS = 20.0
"""How long the test of a sign-in may take; the API answers within 29 seconds."""

ERASING_TIME = timedelta(seconds=15)
"""How long removing an account erases what it left before the rest is done in the background."""


class SignInTestFailed(PopfetchError):
    """The incoming server did not let popfetch in, so that nothing was stored."""

    code = "server_error"

    def __init__(self, message: str, server_said: str = "") -> None:
        super().__init__(message)
        self.server_said = server_said


class CannotConnect(SignInTestFailed):
    """The server cannot be reached."""

    code = "cannot_connect"


class TlsTestFailed(SignInTestFailed):
    """No trustworthy TLS with the server."""

    code = "tls_failed"


class SignInTestRefused(SignInTestFailed):
    """The server does not accept user name and password."""

    code = "sign_in_refused"


class SignInTooFrequent(SignInTestFailed):
    """The server wants longer pauses between sign-ins."""

    code = "too_frequent"


class MaildropTestBusy(SignInTestFailed):
    """Another program is signed in to the mailbox."""

    code = "maildrop_busy"


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The command to add an account; ``verify`` tests the sign-in first."""

    owner_id: str
    email: str
    name: str
    incoming: Server
    incoming_secret: Secret
    outgoing: Server | None = None
    outgoing_secret: Secret | None = None
    fetch: FetchSettings = field(default_factory=FetchSettings)
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Accounts:
    """The verbs over an owner's accounts. No call reaches another owner's: it is not found."""

    store: AccountStore
    vault: CredentialVault
    dialer: MaildropDialer
    remains: AccountRemains
    queue: FetchQueue
    clock: Clock
    new_account_id: Callable[[], str]

    def add(self, new: NewAccount) -> AccountRecord:
        """Test the sign-in, seal the passwords, and add the account at the end of its owner's order.

        Raises InvalidAccount, AccountAlreadyAdded, TooManyAccounts, HostRefused and the leaves of
        SignInTestFailed; nothing is stored then.
        """
        _check_auth(new)
        held = {r.account.account_id: mailbox_print(r.account.incoming) for r in self.store.of_owner(new.owner_id)}
        check_can_add(new.incoming, held)
        if new.verify:
            asyncio.run(_test_sign_in(self.dialer, new.incoming, new.incoming_secret))
        account_id = self.new_account_id()

        def seal(secret: Secret, direction: Direction) -> bytes:
            return self.vault.seal(secret, new.owner_id, account_id, direction)

        return self.store.add(
            Account(
                owner_id=new.owner_id,
                account_id=account_id,
                email=new.email,
                name=new.name,
                position=0,
                incoming=new.incoming,
                incoming_secret=seal(new.incoming_secret, Direction.INCOMING),
                outgoing=new.outgoing,
                outgoing_secret=seal(new.outgoing_secret, Direction.OUTGOING) if new.outgoing_secret else None,
                fetch=new.fetch,
                created_at=self.clock(),
            )
        )

    def get(self, owner_id: str, account_id: str) -> AccountRecord:
        """One account. Raises AccountNotFound."""
        return self.store.get(owner_id, account_id)

    def of_owner(self, owner_id: str) -> list[AccountRecord]:
        """All accounts of an owner, in the owner's order."""
        return self.store.of_owner(owner_id)

    def remove(self, owner_id: str, account_id: str, *, erase_mail: bool) -> bool:
        """Remove an account, which is gone at once, and erase what it leaves; ``False`` while that goes on.

        A cycle under way may still leave something behind, so the erasure is also asked for in the owner's
        queue, behind that cycle. It is asked for first, so that it happens even if this call is cut short.
        Raises AccountNotFound.
        """
        self.store.remove(owner_id, account_id)
        until = self.clock() + ERASING_TIME
        self.queue.send_erasure(owner_id, account_id, erase_mail)
        try:
            return erase_account(self.remains, owner_id, account_id, erase_mail=erase_mail, until=until)
        except StorageUnavailable:
            return False


def _check_auth(new: NewAccount) -> None:
    servers = {Direction.INCOMING: new.incoming, Direction.OUTGOING: new.outgoing}
    for direction, server in servers.items():
        if server and server.auth is not AuthMethod.PASSWORD:
            raise InvalidAccount(
                f"{direction}.auth: signing in with OAuth 2 is not supported yet; use a password, or an app "
                "password where the provider asks for one."
            )


async def _test_sign_in(dialer: MaildropDialer, server: Server, secret: Secret) -> None:
    """Sign in and out again. Raises HostRefused and the leaves of SignInTestFailed."""
    deadline = asyncio.get_running_loop().time() + SIGN_IN_SECONDS
    try:
        async with asyncio.timeout_at(deadline):
            maildrop = await dialer.open(server, secret, DialAdvice(), deadline)
    except TimeoutError as error:
        raise CannotConnect(
            f"{server.host} did not let popfetch in within {SIGN_IN_SECONDS:.0f} seconds; check host, port "
            "and security, or try again later."
        ) from error
    except Pop3Error as error:
        raise _told(error, server, secret) from error
    try:
        with suppress(Pop3Error, TimeoutError):
            async with asyncio.timeout_at(deadline):
                await maildrop.quit()
    finally:
        await maildrop.abandon()


type _Telling = tuple[type[SignInTestFailed], str]

_TOLD: Mapping[type[Pop3Error], _Telling] = {
    SignInRefused: (
        SignInTestRefused,
        (
            "{host} does not accept this user name and password; check both. Some providers want an app "
            "password, or POP to be switched on first."
        ),
    ),
    MaildropBusy: (
        MaildropTestBusy,
        "Another program is signed in to this mailbox; close it or wait a few minutes, then try again.",
    ),
    LoginTooFrequent: (
        SignInTooFrequent,
        "{host} wants longer pauses between sign-ins; wait a quarter of an hour, then try again.",
    ),
    TlsFailed: (TlsTestFailed, "{reason}"),
    ConnectionFailed: (CannotConnect, "{reason}"),
    ServerTemporary: (
        SignInTestFailed,
        "{host} has a problem of its own at the moment; try again later.",
    ),
    ServerPermanent: (
        SignInTestFailed,
        "{host} does not give access to this mailbox; its provider can say why.",
    ),
}
_UNEXPECTED: _Telling = (
    SignInTestFailed,
    "{host}, port {port}, does not answer as a POP3 server does; check host, port and security.",
)


def _told(error: Pop3Error, server: Server, secret: Secret) -> SignInTestFailed:
    """The failure in words for the owner; the server's own go along only where they answer a POP3 command."""
    kinds = (_TOLD[kind] for kind in type(error).__mro__ if kind in _TOLD)
    failure, words = next(kinds, _UNEXPECTED)
    spoke_pop3 = not isinstance(error, TlsFailed | ConnectionFailed) and (failure, words) != _UNEXPECTED
    said = error.server_text if spoke_pop3 and secret.reveal() not in error.server_text else ""
    return failure(words.format(host=server.host, port=server.port, reason=error.message), said)
