"""How what goes wrong becomes an answer: one table of statuses, one shape, and nothing of the inside."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from popfetch.domain.errors import (
    AccountAlreadyAdded,
    AccountChanged,
    AccountNotFound,
    AccountOutdated,
    AssetNotFound,
    AttachmentBeyondReach,
    AttachmentNotFound,
    CodeRefused,
    ConsentNeeded,
    ConsentRefused,
    ConsoleNotBuilt,
    GrantInvalid,
    HostRefused,
    InvalidAccount,
    InvalidCursor,
    InvalidMail,
    InvalidOrder,
    KeyReused,
    MailUnavailable,
    MessageNotFound,
    NoOutgoingServer,
    OAuthClientRefused,
    OAuthFlowInvalid,
    OAuthNotConfigured,
    OutgoingStopped,
    OwnerSignInRefused,
    PasswordResetRequired,
    PasswordTooWeak,
    PopfetchError,
    ReplyToLinkInvalid,
    SignedOut,
    StorageUnavailable,
    TokensUnavailable,
    TooManyAccounts,
    TooManyTries,
    TooOften,
    UnderWay,
    VerificationMailRefused,
)
from popfetch.services.sending_failures import MailNotSent
from popfetch.services.sign_in_trial import SignInTestFailed

STATUS: Mapping[type[PopfetchError], HTTPStatus] = {
    InvalidAccount: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidOrder: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidCursor: HTTPStatus.UNPROCESSABLE_ENTITY,
    HostRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    SignInTestFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
    VerificationMailRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidMail: HTTPStatus.UNPROCESSABLE_ENTITY,
    MailNotSent: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConsentRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    GrantInvalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    CodeRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    PasswordTooWeak: HTTPStatus.UNPROCESSABLE_ENTITY,
    OwnerSignInRefused: HTTPStatus.UNAUTHORIZED,
    PasswordResetRequired: HTTPStatus.UNAUTHORIZED,
    SignedOut: HTTPStatus.UNAUTHORIZED,
    AccountNotFound: HTTPStatus.NOT_FOUND,
    AssetNotFound: HTTPStatus.NOT_FOUND,
    MessageNotFound: HTTPStatus.NOT_FOUND,
    AttachmentNotFound: HTTPStatus.NOT_FOUND,
    AttachmentBeyondReach: HTTPStatus.CONFLICT,
    AccountAlreadyAdded: HTTPStatus.CONFLICT,
    TooManyAccounts: HTTPStatus.CONFLICT,
    AccountChanged: HTTPStatus.CONFLICT,
    NoOutgoingServer: HTTPStatus.CONFLICT,
    OutgoingStopped: HTTPStatus.CONFLICT,
    UnderWay: HTTPStatus.CONFLICT,
    ConsentNeeded: HTTPStatus.CONFLICT,
    OAuthNotConfigured: HTTPStatus.CONFLICT,
    OAuthClientRefused: HTTPStatus.CONFLICT,
    AccountOutdated: HTTPStatus.PRECONDITION_FAILED,
    ReplyToLinkInvalid: HTTPStatus.GONE,
    OAuthFlowInvalid: HTTPStatus.GONE,
    TooOften: HTTPStatus.TOO_MANY_REQUESTS,
    TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    MailUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TokensUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ConsoleNotBuilt: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each error, by the nearest class; what is not here is an internal error."""

MOST_PROBLEMS = 50
"""Fields that an answer tells of; a request may have any number that do not fit."""

_LONGEST_FIELD = 100
_WORDS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "string_unicode": "must be valid Unicode text",
}


class ErrorBody(BaseModel):
    """What went wrong: a word for programs, a sentence for people, and what helps to mend it."""

    code: str
    message: str
    details: dict[str, Any] = Field(default_factory=dict)


class ErrorOut(BaseModel):
    """The answer to a request that was not carried out."""

    error: ErrorBody


class BadRequest(Exception):
    """A request that cannot be read at all."""

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def status_of(error: PopfetchError) -> HTTPStatus:
    """The HTTP status that tells of ``error``."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)


def body(code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The error's JSON."""
    return ErrorOut(error=ErrorBody(code=code, message=message, details=dict(details or {}))).model_dump()


def details_of(error: PopfetchError) -> dict[str, Any]:
    """What helps to mend an error, beside its sentence."""
    match error:
        case AccountOutdated(version=version):
            return {"version": version}
        case SignInTestFailed(also=SignInTestFailed() as other):
            told = {"code": other.code, "message": other.message, **_sign_in_details(other)}
            return {**_sign_in_details(error), "also": told}
        case SignInTestFailed():
            return dict(_sign_in_details(error))
        case MailNotSent(server_said=said, refused=refused):
            told = {"server_said": said} if said else {}
            return {**told, **({"refused": [asdict(one) for one in refused]} if refused else {})}
        case TooOften(retry_after_seconds=seconds):
            return {"retry_after_seconds": seconds}
        case VerificationMailRefused(server_said=said) if said:
            return {"server_said": said}
        case _:
            return {}


def headers_of(error: PopfetchError) -> dict[str, str]:
    """The headers that tell programs of an error."""
    match error:
        case TooOften(retry_after_seconds=seconds):
            return {"Retry-After": str(seconds)}
        case _:
            return {}


def _sign_in_details(failure: SignInTestFailed) -> dict[str, str]:
    said = {"server_said": failure.server_said} if failure.server_said else {}
    return {"direction": str(failure.direction), **said}


def invalid_fields(errors: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The details of what pydantic found: each field with what is wrong, and no value that was sent.

    Of many only the first are told; ``more`` says of how many nothing is.
    """
    told = errors[:MOST_PROBLEMS]
    details: dict[str, Any] = {
        "fields": [{"field": _field(error["loc"]), "problem": _problem(error)} for error in told]
    }
    return {**details, "more": len(errors) - len(told)} if len(errors) > len(told) else details


def _field(location: Sequence[str | int]) -> str:
    """The path of a field within its request; a body's own name is left out."""
    inside = location[1:] if len(location) > 1 else location
    return ".".join(map(str, inside))[:_LONGEST_FIELD]


def _problem(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    if kind == "value_error":
        return str(error.get("ctx", {}).get("error", error["msg"]))
    return _WORDS.get(kind) or str(error["msg"])
