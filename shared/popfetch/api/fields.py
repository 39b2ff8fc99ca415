"""The fields that requests share: their types, their limits, and words for what does not fit.

No field takes control characters or line breaks, not even at its ends: what comes in here ends up in commands of mail
protocols and in headers of mail.
"""

import re
import unicodedata
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    StringConstraints,
)

from popfetch.domain.account import INTERVAL_MENU, MESSAGES_PER_CYCLE, RECOMMENDED_INTERVAL
from popfetch.domain.draft import MESSAGE_ID
from popfetch.domain.errors import HostRefused
from popfetch.domain.host_names import ascii_name, domain_name
from popfetch.domain.mailbox import ACCOUNT_ID_ALPHABET, ACCOUNT_ID_LENGTH

LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 100
LONGEST_USERNAME = 255
LONGEST_PASSWORD = 1024
LONGEST_WAIT_DAYS = 3650
LONGEST_SUBJECT = 500
LONGEST_BODY = 2_000_000
LONGEST_FILENAME = 200

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
"""What requests may hold, for their description: what ``_printable`` lets pass."""

_WORD = r"[A-Za-z0-9!#$&^_.+-]{1,60}"
_CONTENT_TYPE = re.compile(rf'{_WORD}/{_WORD}( *; *charset="?{_WORD}"?)?')
_UNSENDABLE = re.compile(r"[\0\ud800-\udfff]")

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_NOT_IN_ADDRESSES = frozenset(' "(),:;<>[\\]')
_DOT_ATOM = re.compile(r"[A-Za-z0-9#$&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9#$&'*+/=?^_`{|}~-]+)*")
"""What may stand before the @ without quotes (RFC 5322, section 3.2.3), but for ``%`` and ``!``, by which some old
servers are told to pass mail on to another address (RFC 5321, appendix F.2)."""

_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


class RemoteImages(StrEnum):
    """Whether a message may load images from elsewhere, by which its sender learns that it is read."""

    BLOCKED = "blocked"
    SHOWN = "shown"


def _printable[Value](text: Value) -> Value:
    if isinstance(text, str) and any(unicodedata.category(character) in _UNPRINTABLE for character in text):
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


def _reachable(text: str) -> str:
    """An address that every server can send to, in ASCII: what is shown is then what is used."""
    local, _, domain = text.rpartition("@")
    if not _DOT_ATOM.fullmatch(local):
        raise ValueError(
            "must have nothing but ASCII letters, digits and usual signs before the @, such as anna@example.com"
        )
    try:
        address = f"{local}@{domain_name(domain)}"
    except HostRefused as error:
        raise ValueError("must have a valid domain after the @, such as example.com") from error
    if len(address) > LONGEST_EMAIL:
        raise ValueError(f"must have at most {LONGEST_EMAIL} characters")
    return address


def _body(text: str) -> str:
    if _UNSENDABLE.search(text):
        raise ValueError("must not hold NUL characters, nor halves of characters")
    return text


def _content_type(text: str) -> str:
    if not _CONTENT_TYPE.fullmatch(text):
        raise ValueError("must be a type such as image/png, with a charset at the most")
    return text


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


def _password(password: SecretStr) -> SecretStr:
    _printable(password.get_secret_value())
    return password


def left_out(description: str | None = None) -> Any:
    """The default of a field that a change may leave out: ``None``, which cannot be sent."""
    return Field(default_factory=lambda: None, description=description)


def _line(longest: int) -> tuple[StringConstraints, BeforeValidator]:
    # the check comes before the stripping, which would take line breaks away at the ends
    return _text(longest), BeforeValidator(_printable)


_AS_LINE = Field(json_schema_extra={"pattern": _PRINTABLE})

type Email = Annotated[str, *_line(LONGEST_EMAIL), AfterValidator(_email), Field(json_schema_extra={"format": "email"})]
type ReachableEmail = Annotated[Email, AfterValidator(_reachable)]
type Name = Annotated[str, *_line(LONGEST_NAME), _AS_LINE]
type Host = Annotated[str, *_line(253), AfterValidator(_host), Field(json_schema_extra={"format": "idn-hostname"})]
type Username = Annotated[str, *_line(LONGEST_USERNAME), _AS_LINE]
type Password = Annotated[
    SecretStr, AfterValidator(_password), Field(min_length=1, max_length=LONGEST_PASSWORD), _AS_LINE
]
type Subject = Annotated[
    str,
    BeforeValidator(_printable),
    StringConstraints(max_length=LONGEST_SUBJECT),
    _AS_LINE,
]
type Body = Annotated[
    str,
    AfterValidator(_body),
    StringConstraints(max_length=LONGEST_BODY),
    Field(json_schema_extra={"pattern": r"^[^\x00]*$"}),
]
type Filename = Annotated[str, *_line(LONGEST_FILENAME), _AS_LINE]
type ContentType = Annotated[
    str,
    *_line(150),
    AfterValidator(_content_type),
    Field(json_schema_extra={"pattern": f"^{_CONTENT_TYPE.pattern}$"}),
]
type ContentId = Annotated[str, Field(pattern=r"^[A-Za-z0-9._%+@=-]{1,120}$")]
type MessageId = Annotated[str, Field(pattern=f"^{MESSAGE_ID}$")]
type Port = Annotated[StrictInt, Field(ge=1, le=65535)]
type Interval = Annotated[
    StrictInt,
    AfterValidator(_interval),
    Field(
        description="Minutes between two fetches; never fewer than the provider tolerates.",
        json_schema_extra={"enum": list(INTERVAL_MENU), "x-recommended": [RECOMMENDED_INTERVAL]},
    ),
]
type MessagesPerCycle = Annotated[
    StrictInt,
    Field(
        ge=MESSAGES_PER_CYCLE.start,
        le=MESSAGES_PER_CYCLE.stop - 1,
        description="At most so many messages are taken at once.",
        json_schema_extra={"x-recommended": [100, 150]},
    ),
]
type Start = Annotated[
    str,
    AfterValidator(_start),
    Field(
        description='"all", "now", or an ISO date: which of the messages that are on the server are taken.',
        json_schema_extra={"pattern": r"^(all|now|[0-9]{4}-[0-9]{2}-[0-9]{2})$"},
    ),
]
type WaitDays = Annotated[StrictInt, Field(ge=1, le=LONGEST_WAIT_DAYS)]
type AccountId = Annotated[str, Field(pattern=f"^[{ACCOUNT_ID_ALPHABET}]{{{ACCOUNT_ID_LENGTH}}}$")]


class RequestModel(BaseModel):
    """What a request holds: nothing but the fields that are there, and no value of it in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
