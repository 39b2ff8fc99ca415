"""An account as requests bring it: to be added, to be changed, to be put in order."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StrictBool, model_validator

from popfetch.api.fields import (
    AccountId,
    Email,
    Host,
    Interval,
    MessagesPerCycle,
    Name,
    Password,
    Port,
    ReachableEmail,
    RequestModel,
    Start,
    Username,
    WaitDays,
    left_out,
)
from popfetch.domain.account import (
    RECOMMENDED_INTERVAL,
    RECOMMENDED_MESSAGES_PER_CYCLE,
    USUAL_PORTS,
    AfterFetch,
    AuthMethod,
    Direction,
    FetchSettings,
    Order,
    Security,
    Server,
)
from popfetch.domain.account_change import AccountChange, FetchChange, Removed, ServerChange
from popfetch.domain.mailbox import MAX_ACCOUNTS_PER_OWNER
from popfetch.domain.providers import recommended_interval
from popfetch.domain.secret import Secret
from popfetch.services.accounts import NewAccount

# what _password_present checks, for the description
_HAS_PASSWORD: dict[str, Any] = {"required": ["password"], "properties": {"password": {"type": "string"}}}
_HAS_TOKEN: dict[str, Any] = {"required": ["auth"], "properties": {"auth": {"const": str(AuthMethod.OAUTH2)}}}


class ServerIn(RequestModel):
    """One server of an account. Port and user name have the usual values where they are left out."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_HAS_PASSWORD, _HAS_TOKEN]})

    host: Host
    port: Port | None = Field(default=None, description="The usual port for the security where it is left out.")
    security: Security = Security.TLS
    username: Username | None = Field(default=None, description="The account's e-mail address if left out.")
    auth: AuthMethod = AuthMethod.PASSWORD
    password: Password | None = Field(default=None, description="Goes in and never comes out.")

    @model_validator(mode="after")
    def _password_present(self) -> Self:
        if self.auth is AuthMethod.PASSWORD and self.password is None:
            raise ValueError("needs a password")
        if self.auth is AuthMethod.OAUTH2 and self.password is not None:
            raise ValueError('takes no password with auth "oauth2"; its owner consents at the provider')
        return self

    def to_server(self, email: str, direction: Direction) -> Server:
        """The server without its password."""
        return Server(
            host=self.host,
            port=self.port or USUAL_PORTS[direction][self.security],
            security=self.security,
            username=self.username or email,
            auth=self.auth,
        )

    def to_secret(self) -> Secret | None:
        """The password, in the type that does not show itself; ``None`` with OAuth 2."""
        return Secret(self.password.get_secret_value()) if self.password else None


class FetchIn(RequestModel):
    """What an owner sets about collecting."""

    interval_minutes: Interval = RECOMMENDED_INTERVAL
    max_messages_per_cycle: MessagesPerCycle = RECOMMENDED_MESSAGES_PER_CYCLE
    catch_up: StrictBool = Field(default=True, description="Fetch a backlog without waiting for the interval.")
    start: Start = "all"
    order: Order = Order.OLDEST_FIRST
    after_fetch: AfterFetch = Field(default=AfterFetch.KEEP, description="What becomes of stored mail on the server.")
    delete_after_days: WaitDays | None = None

    @model_validator(mode="after")
    def _days_fit_policy(self) -> Self:
        if self.after_fetch is AfterFetch.DELETE_AFTER_DAYS and self.delete_after_days is None:
            raise ValueError('after_fetch "delete_after_days" needs delete_after_days, a number of days')
        if self.after_fetch is not AfterFetch.DELETE_AFTER_DAYS and self.delete_after_days is not None:
            raise ValueError('delete_after_days goes with after_fetch "delete_after_days" only')
        return self

    def to_settings(self, incoming_host: str) -> FetchSettings:
        """The settings; an interval that was left out is the one that suits the server."""
        given = "interval_minutes" in self.model_fields_set
        return FetchSettings(
            interval_minutes=self.interval_minutes if given else recommended_interval(incoming_host),
            max_messages_per_cycle=self.max_messages_per_cycle,
            catch_up=self.catch_up,
            start=self.start,
            order=self.order,
            after_fetch=self.after_fetch,
            delete_after_days=self.delete_after_days,
        )


class AccountIn(RequestModel):
    """An account to add."""

    email: Email
    name: Name | None = Field(default=None, description="How the account is shown; the address if left out.")
    incoming: ServerIn
    outgoing: ServerIn | None = None
    fetch: FetchIn = Field(default_factory=FetchIn)
    verify: StrictBool = Field(default=True, description="Try to sign in at both servers before anything is stored.")

    def to_command(self, owner_id: str) -> NewAccount:
        """The command to add it."""
        return NewAccount(
            owner_id=owner_id,
            email=self.email,
            name=self.name or self.email,
            incoming=self.incoming.to_server(self.email, Direction.INCOMING),
            incoming_secret=self.incoming.to_secret(),
            outgoing=self.outgoing.to_server(self.email, Direction.OUTGOING) if self.outgoing else None,
            outgoing_secret=self.outgoing.to_secret() if self.outgoing else None,
            fetch=self.fetch.to_settings(self.incoming.host),
            verify=self.verify,
        )


class ServerPatch(RequestModel):
    """What is to change of one server; what is left out stays as it is.

    The password is needed again where the host changes or the connection loses its protection.
    """

    host: Host = left_out()
    port: Port = left_out("Where it is left out, a usual port follows the security.")
    security: Security = left_out()
    username: Username = left_out()
    auth: AuthMethod = left_out()
    password: Password = left_out("Goes in and never comes out.")

    def to_change(self) -> ServerChange:
        """The change."""
        return ServerChange(
            host=self.host,
            port=self.port,
            security=self.security,
            username=self.username,
            auth=self.auth,
            secret=Secret(self.password.get_secret_value()) if self.password else None,
        )


class FetchPatch(RequestModel):
    """What is to change about collecting; what is left out stays as it is."""

    interval_minutes: Interval = left_out()
    max_messages_per_cycle: MessagesPerCycle = left_out()
    catch_up: StrictBool = left_out()
    start: Start = left_out("Another start judges anew what is on the server and was not taken.")
    order: Order = left_out()
    after_fetch: AfterFetch = left_out()
    delete_after_days: WaitDays = left_out()

    def to_change(self) -> FetchChange:
        """The change."""
        return FetchChange(**dict(self))


class AccountPatch(RequestModel):
    """What is to change of an account; what is left out stays as it is."""

    email: Email = left_out()
    name: Name = left_out()
    incoming: ServerPatch = left_out()
    outgoing: ServerPatch | None = left_out("null takes the outgoing server away.")
    fetch: FetchPatch = left_out()
    verify: StrictBool = Field(default=True, description="Try new ways to sign in before they are kept.")

    def to_change(self) -> AccountChange:
        """The change."""
        removed = Removed.REMOVED if "outgoing" in self.model_fields_set else None
        return AccountChange(
            email=self.email,
            name=self.name,
            incoming=self.incoming.to_change() if self.incoming else None,
            outgoing=self.outgoing.to_change() if self.outgoing else removed,
            fetch=self.fetch.to_change() if self.fetch else None,
        )


class PasswordIn(RequestModel):
    """A new password for one of an account's servers."""

    password: Password = Field(description="Goes in and never comes out.")
    verify: StrictBool = Field(default=True, description="Try the password before it is kept.")

    def to_secret(self) -> Secret:
        """The password, in the type that does not show itself."""
        return Secret(self.password.get_secret_value())


class ReplyToIn(RequestModel):
    """Where replies to an account's mail are to go."""

    address: ReachableEmail = Field(description="Used once whoever reads its mail has confirmed it.")


class OrderIn(RequestModel):
    """The order of an owner's accounts: each of them once."""

    account_ids: Annotated[list[AccountId], Field(max_length=MAX_ACCOUNTS_PER_OWNER)]


class DefaultIn(RequestModel):
    """Which account is the default one."""

    account_id: AccountId
