"""What an owner changes of an account, and what follows from it for the account and for its fetch state.

Pure rules: a change is applied to what is stored at the moment of writing, so that two changes at once lose nothing
of each other. A stored password is only ever sent to the host it was entered for: another host needs it again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from popfetch.domain.account import (
    USUAL_PORTS,
    Account,
    AfterFetch,
    AuthMethod,
    Direction,
    FetchSettings,
    Order,
    Security,
    Server,
    Standing,
)
from popfetch.domain.errors import InvalidAccount, NoOutgoingServer
from popfetch.domain.fetch_state import FailureCounts, FetchState, ServerTraits
from popfetch.domain.mailbox import mailbox_print
from popfetch.domain.secret import Secret


class Removed(Enum):
    """What is to be taken away."""

    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class ServerChange:
    """What is to change of one server; ``None`` stays as it is. ``secret`` is its password, if that is new."""

    host: str | None = None
    port: int | None = None
    security: Security | None = None
    username: str | None = None
    auth: AuthMethod | None = None
    secret: Secret | None = None

    @property
    def only_the_secret(self) -> bool:
        """True when nothing but the password changes."""
        return self == ServerChange(secret=self.secret)

    def applied_to(self, server: Server | None, direction: Direction, email: str) -> Server:
        """The server after the change; with ``None`` for ``server``, a new one. Raises the leaves of InvalidAccount."""
        if server is None:
            if self.only_the_secret:
                raise NoOutgoingServer("This account has no outgoing server yet; add one to the account first.")
            if self.host is None:
                raise InvalidAccount(f"{direction}.host: is required, as the account has no {direction} server yet.")
            security = self.security or Security.TLS
            server = Server(self.host, USUAL_PORTS[direction][security], security, email)
            if self.secret is None and self.auth is not AuthMethod.OAUTH2:
                raise InvalidAccount(f"{direction}.password: is required with a new server.")
        self._check_secret_fits(server, direction)
        security = self.security or server.security
        port = self.port or server.port
        if self.port is None and server.port == USUAL_PORTS[direction][server.security]:
            port = USUAL_PORTS[direction][security]
        return Server(
            host=self.host or server.host,
            port=port,
            security=security,
            username=self.username or server.username,
            auth=self.auth or server.auth,
        )

    def _check_secret_fits(self, server: Server, direction: Direction) -> None:
        """Check that there is a password where one is needed, and none where a token takes its place."""
        if (self.auth or server.auth) is AuthMethod.OAUTH2:
            if self.secret is not None:
                raise InvalidAccount(
                    f"{direction}.password: {server.host} is signed in to by OAuth 2 and takes no password here; sign "
                    f'in again at the provider, or set {direction}.auth to "password" with the new password.'
                )
        elif self.secret is None:
            if server.auth is AuthMethod.OAUTH2:
                raise InvalidAccount(f"{direction}.password: is required in place of the sign-in by OAuth 2.")
            self._check_stored_secret_may_go(server, direction)

    def _check_stored_secret_may_go(self, server: Server, direction: Direction) -> None:
        elsewhere = self.host is not None and self.host != server.host
        laid_open = self.security is Security.NONE and server.security is not Security.NONE
        if elsewhere or laid_open:
            what = "the host changes" if elsewhere else "the connection is no longer protected"
            raise InvalidAccount(
                f"{direction}.password: give the password again, as {what}; a stored password only ever goes where "
                "it was entered for."
            )


@dataclass(frozen=True, slots=True)
class FetchChange:
    """What is to change about collecting; ``None`` stays as it is."""

    interval_minutes: int | None = None
    max_messages_per_cycle: int | None = None
    catch_up: bool | None = None
    start: str | None = None
    order: Order | None = None
    after_fetch: AfterFetch | None = None
    delete_after_days: int | None = None

    def applied_to(self, fetch: FetchSettings) -> FetchSettings:
        """The settings after the change. Raises InvalidAccount where the parts do not go together."""
        given = {
            name: value
            for name in self.__dataclass_fields__
            if name != "delete_after_days" and (value := getattr(self, name)) is not None
        }
        changed = replace(fetch, **given)
        days = self.delete_after_days
        if changed.after_fetch is AfterFetch.DELETE_AFTER_DAYS:
            days = days or fetch.delete_after_days
            if days is None:
                raise InvalidAccount('fetch.delete_after_days: is required with after_fetch "delete_after_days".')
        elif days is not None:
            raise InvalidAccount('fetch.delete_after_days: goes with after_fetch "delete_after_days" only.')
        return replace(changed, delete_after_days=days)


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What is to change of an account; ``None`` stays as it is."""

    email: str | None = None
    name: str | None = None
    incoming: ServerChange | None = None
    outgoing: ServerChange | Removed | None = None
    fetch: FetchChange | None = None


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """New passwords of an account, sealed; ``None`` where the old one stays."""

    incoming: bytes | None = None
    outgoing: bytes | None = None


def changed_settings(account: Account, change: AccountChange, sealed: SealedSecrets) -> Account:
    """The account with the change applied, and nothing that follows from it. Raises the leaves of InvalidAccount."""
    email = change.email or account.email
    incoming, outgoing, outgoing_secret = account.incoming, account.outgoing, account.outgoing_secret
    if change.incoming is not None:
        incoming = change.incoming.applied_to(incoming, Direction.INCOMING, email)
    if isinstance(change.outgoing, Removed):
        outgoing = outgoing_secret = None
    elif change.outgoing is not None:
        outgoing = change.outgoing.applied_to(outgoing, Direction.OUTGOING, email)
        outgoing_secret = sealed.outgoing or outgoing_secret
    changed = replace(
        account,
        email=email,
        name=change.name or account.name,
        incoming=incoming,
        incoming_secret=_kept_for(incoming, sealed.incoming or account.incoming_secret),
        outgoing=outgoing,
        outgoing_secret=_kept_for(outgoing, outgoing_secret),
        fetch=change.fetch.applied_to(account.fetch) if change.fetch else account.fetch,
    )
    return changed if changed.uses_oauth else replace(changed, grant=None)


def _kept_for(server: Server | None, secret: bytes | None) -> bytes | None:
    """The password that is kept for a server; one that is signed in to by OAuth 2 has none."""
    return None if server is None or server.auth is AuthMethod.OAUTH2 else secret


def followed_up(
    before: Account, after: Account, state: FetchState, sign_in_after: datetime | None = None
) -> tuple[Account, FetchState]:
    """What follows from a change of settings for the account's standing and for what is remembered of its mailbox.

    Another way in mends an account that had stopped, another way out one that could not send. Another server is
    learned anew, another mailbox is surveyed anew (what its ledger knows stays known), another start judges anew what
    was left out. ``sign_in_after`` is when the server wants the next sign-in, where the change was tried.
    """
    if way_in_changed(before, after):
        stays = after.standing is Standing.PAUSED or after.lacks_consent
        after, state = (after, state) if stays else set_going(after, state)
        state = replace(state, failures=FailureCounts(), sign_in_after=sign_in_after)
    if before.way_out != after.way_out:
        after = replace(after, outgoing_failure=None)
    if _place(before.incoming) != _place(after.incoming):
        state = replace(state, traits=ServerTraits())
    if mailbox_print(before.incoming) != mailbox_print(after.incoming):
        state = replace(state, checkpoint=None, reconcile_after=None, troubles={})
    if before.fetch.start != after.fetch.start:
        state = replace(state, checkpoint=None, reconcile_after=None, start_applied=False, start_changed=True)
    return after, state


def way_in_changed(before: Account, after: Account) -> bool:
    """Whether popfetch signs in to the mailbox in another way now: another server, user name, password or consent."""
    return before.way_in != after.way_in


def set_going(account: Account, state: FetchState) -> tuple[Account, FetchState]:
    """The account back on the wheel, with its failures forgotten."""
    return replace(account, standing=Standing.ACTIVE), replace(state, failures=FailureCounts())


def _place(server: Server) -> tuple[str, int, Security]:
    return server.host, server.port, server.security
