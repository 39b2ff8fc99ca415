"""An account, in and out: the JSON of the API, its limits, and words for what does not fit."""

import re
import unicodedata
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StrictBool,
    StrictInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from popfetch.adapters.host_guard import ascii_name
from popfetch.domain.account import (
    INTERVAL_MENU,
    MESSAGES_PER_CYCLE,
    RECOMMENDED_INTERVAL,
    RECOMMENDED_MESSAGES_PER_CYCLE,
    AfterFetch,
    AuthMethod,
    FetchSettings,
    Order,
    Security,
    Server,
    Standing,
)
from popfetch.domain.errors import HostRefused
from popfetch.domain.fetch_state import LastFetch, Outcome
from popfetch.domain.secret import Secret
from popfetch.ports import AccountRecord
from popfetch.services.accounts import NewAccount

LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 100
LONGEST_USERNAME = 255
LONGEST_PASSWORD = 1024
LONGEST_WAIT_DAYS = 3650

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NOT_IN_ADDRESSES = frozenset(' "(),:;<>[\\]')
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _printable(text: str) -> str:
    if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise ValueError("must not hold control characters or line breaks")
    return text


def _host(text: str) -> str:
    try:
        return ascii_name(text)
    except HostRefused as error:
        raise ValueError(error.message) from error


def _email(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if (
        not at
        or not local
        or len(local) > LONGEST_LOCAL_PART
        or "@" in local
        or any(character in _NOT_IN_ADDRESSES or character.isspace() for character in local)
        or local.startswith(".")
        or local.endswith(".")
        or ".." in local
    ):
        raise ValueError("must be an e-mail address such as anna@example.com")
    try:
        ascii_name(domain)
    except HostRefused as error:
        raise ValueError("must have a valid domain after the @, such as example.com") from error
    return f"{local}@{domain.lower()}"


def _interval(minutes: int) -> int:
    if minutes not in INTERVAL_MENU:
        raise ValueError(f"must be one of {', '.join(map(str, INTERVAL_MENU))} minutes")
    return minutes


def _start(text: str) -> str:
    if text in {"all", "now"}:
        return text
    try:
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueError('must be "all", "now", or a date such as 2026-01-31')


def _text(longest: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


type Email = Annotated[str, _text(LONGEST_EMAIL), AfterValidator(_printable), AfterValidator(_email)]
type Name = Annotated[str, _text(LONGEST_NAME), AfterValidator(_printable)]
type Host = Annotated[str, _text(253), AfterValidator(_host)]
type Username = Annotated[str, _text(LONGEST_USERNAME), AfterValidator(_printable)]
type Port = Annotated[StrictInt, Field(ge=1, le=65535)]
type Interval = Annotated[StrictInt, AfterValidator(_interval), Field(json_schema_extra={"enum": list(INTERVAL_MENU)})]
type Start = Annotated[str, AfterValidator(_start)]


class _In(BaseModel):
    """What a request holds: nothing but the fields that are there, and no value of it in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class ServerIn(_In):
    """One server of an account. Port and user name have the usual values where they are left out."""

    host: Host
    port: Port | None = Field(default=None, description="The usual port for the security where it is left out.")
    security: Security = Security.TLS
    username: Username | None = Field(default=None, description="The account's e-mail address if left out.")
    auth: AuthMethod = AuthMethod.PASSWORD
    password: SecretStr | None = Field(default=None, description="Goes in and never comes out.")

    @field_validator("password")
    @classmethod
    def _password_fits(cls, password: SecretStr | None) -> SecretStr | None:
        if password is not None:
            text = password.get_secret_value()
            if not 1 <= len(text) <= LONGEST_PASSWORD:
                raise ValueError(f"must have 1 to {LONGEST_PASSWORD} characters")
            _printable(text)
        return password

    @model_validator(mode="after")
    def _password_present(self) -> Self:
        if self.auth is AuthMethod.PASSWORD and self.password is None:
            raise ValueError("needs a password")
        return self

    def to_server(self, email: str, usual_ports: dict[Security, int]) -> Server:
        """The server without its password."""
        return Server(
            host=self.host,
            port=self.port or usual_ports[self.security],
            security=self.security,
            username=self.username or email,
            auth=self.auth,
        )

    def to_secret(self) -> Secret:
        """The password, in the type that does not show itself."""
        return Secret(self.password.get_secret_value() if self.password else "")


class FetchIn(_In):
    """What an owner sets about collecting."""

    interval_minutes: Interval = RECOMMENDED_INTERVAL
    max_messages_per_cycle: Annotated[StrictInt, Field(ge=MESSAGES_PER_CYCLE.start, le=MESSAGES_PER_CYCLE.stop - 1)] = (
        RECOMMENDED_MESSAGES_PER_CYCLE
    )
    catch_up: StrictBool = True
    start: Start = Field(default="all", description='"all", "now", or an ISO date: what to take at first.')
    order: Order = Order.OLDEST_FIRST
    after_fetch: AfterFetch = AfterFetch.KEEP
    delete_after_days: Annotated[StrictInt, Field(ge=1, le=LONGEST_WAIT_DAYS)] | None = None

    @model_validator(mode="after")
    def _days_fit_policy(self) -> Self:
        if self.after_fetch is AfterFetch.DELETE_AFTER_DAYS and self.delete_after_days is None:
            raise ValueError('after_fetch "delete_after_days" needs delete_after_days, a number of days')
        if self.after_fetch is not AfterFetch.DELETE_AFTER_DAYS and self.delete_after_days is not None:
            raise ValueError('delete_after_days goes with after_fetch "delete_after_days" only')
        return self

    def to_settings(self) -> FetchSettings:
        """The settings."""
        return FetchSettings(
            interval_minutes=self.interval_minutes,
            max_messages_per_cycle=self.max_messages_per_cycle,
            catch_up=self.catch_up,
            start=self.start,
            order=self.order,
            after_fetch=self.after_fetch,
            delete_after_days=self.delete_after_days,
        )


_USUAL_POP3_PORTS = {Security.TLS: 995, Security.STARTTLS: 110, Security.NONE: 110}
_USUAL_SMTP_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 587}


class AccountIn(_In):
    """An account to add."""

    email: Email
    name: Name | None = Field(default=None, description="How the account is shown; the address if left out.")
    incoming: ServerIn
    outgoing: ServerIn | None = None
    fetch: FetchIn = Field(default_factory=FetchIn)
    verify: StrictBool = Field(default=True, description="Test the sign-in before anything is stored.")

    def to_command(self, owner_id: str) -> NewAccount:
        """The command to add it."""
        return NewAccount(
            owner_id=owner_id,
            email=self.email,
            name=self.name or self.email,
            incoming=self.incoming.to_server(self.email, _USUAL_POP3_PORTS),
            incoming_secret=self.incoming.to_secret(),
            outgoing=self.outgoing.to_server(self.email, _USUAL_SMTP_PORTS) if self.outgoing else None,
            outgoing_secret=self.outgoing.to_secret() if self.outgoing else None,
            fetch=self.fetch.to_settings(),
            verify=self.verify,
        )


class Status(StrEnum):
    """How an account does, in one word."""

    ACTIVE = "active"
    BACKING_OFF = "backing_off"
    AUTH_FAILED = "auth_failed"
    CONNECTION_FAILED = "connection_failed"
    PAUSED = "paused"


class ServerOut(BaseModel):
    """One server of an account; its password stays inside."""

    host: str
    port: int
    security: Security
    username: str
    auth: AuthMethod

    @classmethod
    def of(cls, server: Server) -> Self:
        """The server as its owner sees it."""
        return cls(
            host=server.host,
            port=server.port,
            security=server.security,
            username=server.username,
            auth=server.auth,
        )


class FetchOut(BaseModel):
    """What an owner has set about collecting."""

    interval_minutes: int
    max_messages_per_cycle: int
    catch_up: bool
    start: str
    order: Order
    after_fetch: AfterFetch
    delete_after_days: int | None

    @classmethod
    def of(cls, fetch: FetchSettings) -> Self:
        """The settings as their owner sees them."""
        return cls(
            interval_minutes=fetch.interval_minutes,
            max_messages_per_cycle=fetch.max_messages_per_cycle,
            catch_up=fetch.catch_up,
            start=fetch.start,
            order=fetch.order,
            after_fetch=fetch.after_fetch,
            delete_after_days=fetch.delete_after_days,
        )


class FetchErrorOut(BaseModel):
    """What went wrong in a cycle."""

    code: str
    message: str


class LastFetchOut(BaseModel):
    """The last finished cycle: when, how it ended, and what became of the messages it saw."""

    at: datetime
    outcome: Outcome
    listed: int
    stored: int
    skipped: int
    quarantined: int
    remaining: int
    error: FetchErrorOut | None

    @classmethod
    def of(cls, fetch: LastFetch) -> Self:
        """The cycle as the owner sees it."""
        return cls(
            at=fetch.finished_at,
            outcome=fetch.outcome,
            listed=fetch.listed,
            stored=fetch.stored,
            skipped=fetch.skipped,
            quarantined=fetch.quarantined,
            remaining=fetch.remaining,
            error=FetchErrorOut(code=fetch.error_code, message=fetch.error_message or "") if fetch.error_code else None,
        )


class AccountOut(BaseModel):
    """An account as its owner sees it."""

    id: str
    email: str
    name: str
    status: Status
    is_default: bool
    position: int
    incoming: ServerOut
    outgoing: ServerOut | None
    fetch: FetchOut
    reply_to: None = None
    last_fetch: LastFetchOut | None
    created_at: datetime

    @classmethod
    def of(cls, record: AccountRecord, now: datetime) -> Self:
        """The record as its owner sees it at ``now``."""
        account = record.account
        return cls(
            id=account.account_id,
            email=account.email,
            name=account.name,
            status=_status(record, now),
            is_default=record.is_default,
            position=account.position,
            incoming=ServerOut.of(account.incoming),
            outgoing=ServerOut.of(account.outgoing) if account.outgoing else None,
            fetch=FetchOut.of(account.fetch),
            last_fetch=LastFetchOut.of(record.state.last_fetch) if record.state.last_fetch else None,
            created_at=account.created_at,
        )


class AccountsOut(BaseModel):
    """An owner's accounts, in the owner's order."""

    accounts: list[AccountOut]


class MailFate(StrEnum):
    """What becomes of the stored mail of a deleted account."""

    KEEP = "keep"
    DELETE = "delete"


class ErasureOut(BaseModel):
    """A deleted account whose remains are still being erased."""

    id: str
    erasing: bool = True


def _status(record: AccountRecord, now: datetime) -> Status:
    failures = record.state.failures
    if record.account.standing is Standing.ACTIVE and failures.any and failures.not_before:
        return Status.BACKING_OFF if failures.not_before > now else Status.ACTIVE
    return Status(record.account.standing)
