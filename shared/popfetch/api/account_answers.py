"""An account as its owner sees it: settings, standing, history, and never a password."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, Field

from popfetch.domain.account import Account, AfterFetch, AuthMethod, FetchSettings, Order, Security, Server, Standing
from popfetch.domain.errors import ConsentNeeded
from popfetch.domain.fetch_state import FetchState, LastFetch, Outcome, Progress
from popfetch.domain.outgoing import OutgoingFailure
from popfetch.domain.reply_to import NO_REPLY_TO, ReplyTo
from popfetch.domain.visits import Visit
from popfetch.ports.accounts import AccountRecord, HistoryPage


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


class OAuthOut(BaseModel):
    """Whether popfetch has its owner's consent to an account that is signed in to by OAuth 2."""

    provider: str | None = Field(description="Who was asked; null where nobody has consented yet.")
    connected: bool = Field(description="False where nobody has consented yet, and where the provider has ended it.")
    connected_at: datetime | None

    @classmethod
    def of(cls, account: Account, state: FetchState) -> Self | None:
        """The consent as the owner sees it; ``None`` where both servers have passwords."""
        if not account.uses_oauth:
            return None
        grant = account.grant
        troubles = [trouble for trouble in (state.stop, account.outgoing_failure) if trouble is not None]
        # trouble of a consent before this one stays to be seen until mail flows again
        ended = grant is not None and any(
            trouble.code == ConsentNeeded.code and trouble.at >= grant.granted_at for trouble in troubles
        )
        return cls(
            provider=grant.server_id if grant else None,
            connected=grant is not None and not ended,
            connected_at=grant.granted_at if grant else None,
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


class _CycleCountsOut(BaseModel):
    """How a cycle ended, and what became of the messages it saw."""

    outcome: Outcome
    listed: int = Field(description="Messages that the server listed.")
    stored: int
    skipped: int = Field(description="Messages that the account's start leaves out.")
    quarantined: int = Field(description="Messages that could not be taken, cycle after cycle.")
    deleted: int = Field(description="Messages deleted on the server, once stored.")
    remaining: int = Field(description="Messages that wait for the next cycle.")
    bytes: int = Field(description="The size of what was stored.")
    error: FetchErrorOut | None

    @classmethod
    def _values(cls, fetch: LastFetch) -> dict[str, Any]:
        counts = fetch.counts
        error = FetchErrorOut(code=fetch.error_code, message=fetch.error_message or "") if fetch.error_code else None
        return {"outcome": fetch.outcome, "error": error, "bytes": counts.pop("octets"), **counts}


class _Ended(BaseModel):
    started_at: datetime = Field(description="A check that was asked for before is answered by it.")
    at: datetime = Field(description="When it had ended.")


class LastFetchOut(_CycleCountsOut, _Ended):
    """The last finished cycle: when, how it ended, and what became of the messages it saw."""

    @classmethod
    def of(cls, fetch: LastFetch) -> Self:
        """The cycle as the owner sees it."""
        return cls(started_at=fetch.started_at, at=fetch.finished_at, **cls._values(fetch))


class FetchingOut(BaseModel):
    """The cycle under way, as far as it has come with its last commit."""

    started_at: datetime
    updated_at: datetime
    listed: int = Field(description="Messages that the server listed, all of the mailbox.")
    remaining: int = Field(description="Those of them that still wait; it goes down from cycle to cycle.")
    stored: int = Field(description="Messages that this cycle has stored so far.")

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """The progress as the owner sees it."""
        return cls(
            started_at=progress.started_at,
            updated_at=progress.updated_at,
            listed=progress.listed,
            remaining=progress.remaining,
            stored=progress.stored,
        )


class VisitOut(BaseModel):
    """An account that was just looked at, in which nothing is unread any more."""

    visited_at: datetime
    unread: int

    @classmethod
    def of(cls, visit: Visit) -> Self:
        """The visit as the owner sees it."""
        return cls(visited_at=visit.at, unread=0)


class _BeganAndEnded(BaseModel):
    started_at: datetime
    finished_at: datetime


class CycleOut(_CycleCountsOut, _BeganAndEnded):
    """A finished cycle of the history."""

    @classmethod
    def of(cls, fetch: LastFetch) -> Self:
        """The cycle as the owner sees it."""
        return cls(started_at=fetch.started_at, finished_at=fetch.finished_at, **cls._values(fetch))


class HistoryOut(BaseModel):
    """Finished cycles, the newest first."""

    cycles: list[CycleOut]
    cursor: str | None = Field(description="Asks for the cycles before these; null where there are none.")

    @classmethod
    def of(cls, page: HistoryPage) -> Self:
        """The page as the owner sees it."""
        return cls(cycles=[CycleOut.of(cycle) for cycle in page.cycles], cursor=page.cursor)


class ReplyToOut(BaseModel):
    """Where replies to an account's mail go, and what was asked last."""

    address: str = Field(description="The newest address that was asked for.")
    verified: bool = Field(description="Whether its reader has confirmed it, so that it is in force.")
    in_force: str | None = Field(description="The address that mail carries now; null where there is none.")
    expires_at: datetime | None = Field(description="When the link to confirm the address ends; null once verified.")

    @classmethod
    def of(cls, reply_to: ReplyTo) -> Self | None:
        """The reply address as the owner sees it; a question that nobody answered in time is shown as well."""
        if reply_to == NO_REPLY_TO:
            return None
        question = reply_to.question
        return cls(
            address=question.address if question else reply_to.in_force,
            verified=question is None,
            in_force=reply_to.in_force or None,
            expires_at=question.expires_at if question else None,
        )


class OutgoingFailureOut(BaseModel):
    """Why nothing can be sent until the outgoing password is set again, or works again."""

    code: str
    message: str
    at: datetime
    refusals: int = Field(description="How often in a row; after some the server is left alone.")

    @classmethod
    def of(cls, failure: OutgoingFailure) -> Self:
        """The failure as the owner sees it."""
        return cls(code=failure.code, message=failure.message, at=failure.at, refusals=failure.refusals)


class OutgoingStatus(StrEnum):
    """How sending does, in one word."""

    ACTIVE = "active"
    AUTH_FAILED = "auth_failed"


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
    outgoing_status: OutgoingStatus | None = Field(description="Null where there is no outgoing server.")
    outgoing_failure: OutgoingFailureOut | None
    oauth: OAuthOut | None = Field(description="Null where both servers are signed in to with passwords.")
    fetch: FetchOut
    reply_to: ReplyToOut | None
    last_fetch: LastFetchOut | None
    fetching: FetchingOut | None = Field(
        description="The cycle under way; null where there is none, or it has committed nothing yet."
    )
    unread: int = Field(description="Messages that were fetched since the last visit; all of them before the first.")
    visited_at: datetime | None
    created_at: datetime
    version: int = Field(description="Grows with each change of a setting, and with nothing else; the ETag.")

    @classmethod
    def of(cls, record: AccountRecord, now: datetime) -> Self:
        """The record as its owner sees it at ``now``."""
        account = record.account
        progress = record.state.under_way(now)
        return cls(
            id=account.account_id,
            email=account.email,
            name=account.name,
            status=_status(record, now),
            is_default=record.is_default,
            position=account.position,
            incoming=ServerOut.of(account.incoming),
            outgoing=ServerOut.of(account.outgoing) if account.outgoing else None,
            outgoing_status=_outgoing_status(account),
            outgoing_failure=OutgoingFailureOut.of(account.outgoing_failure) if account.outgoing_failure else None,
            oauth=OAuthOut.of(account, record.state),
            fetch=FetchOut.of(account.fetch),
            reply_to=ReplyToOut.of(account.reply_to),
            last_fetch=LastFetchOut.of(record.state.last_fetch) if record.state.last_fetch else None,
            fetching=FetchingOut.of(progress) if progress else None,
            unread=record.unread,
            visited_at=record.visit.at if record.visit else None,
            created_at=account.created_at,
            version=account.version,
        )


class AccountsOut(BaseModel):
    """An owner's accounts, in the owner's order."""

    accounts: list[AccountOut]

    @classmethod
    def of(cls, records: Sequence[AccountRecord], now: datetime) -> Self:
        """The records as their owner sees them at ``now``."""
        return cls(accounts=[AccountOut.of(record, now) for record in records])


class CheckOut(BaseModel):
    """A check for mail that was asked for; it is done once ``last_fetch.started_at`` is later."""

    id: str
    requested_at: datetime


class MailFate(StrEnum):
    """What becomes of the stored mail of a deleted account."""

    KEEP = "keep"
    DELETE = "delete"


class ErasureOut(BaseModel):
    """A deleted account whose remains are still being erased."""

    id: str
    erasing: bool = True


def _outgoing_status(account: Account) -> OutgoingStatus | None:
    if account.outgoing is None:
        return None
    waits_for_consent = account.outgoing.auth is AuthMethod.OAUTH2 and account.grant is None
    return OutgoingStatus.AUTH_FAILED if account.outgoing_failure or waits_for_consent else OutgoingStatus.ACTIVE


def _status(record: AccountRecord, now: datetime) -> Status:
    failures = record.state.failures
    if record.account.standing is Standing.ACTIVE and failures.any and failures.not_before:
        return Status.BACKING_OFF if failures.not_before > now else Status.ACTIVE
    return Status(record.account.standing)
