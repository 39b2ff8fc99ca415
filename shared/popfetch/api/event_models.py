"""The details of the bus's events that functions read."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from popfetch.domain.account import Standing
from popfetch.domain.errors import NotAStop
from popfetch.domain.mailbox import ACCOUNT_ID_ALPHABET, ACCOUNT_ID_LENGTH
from popfetch.domain.notice import StoppedAccount

LONGEST_CODE = 50
LONGEST_MESSAGE = 1000


class _AboutAccount(BaseModel):
    """Whose account it is about."""

    owner_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")
    account_id: str = Field(pattern=f"^[{ACCOUNT_ID_ALPHABET}]{{{ACCOUNT_ID_LENGTH}}}$")


class AccountDeleted(_AboutAccount):
    """An account was removed, and no cycle of it is under way any more."""

    erase_mail: bool


class _AccountStopped(_AboutAccount):
    """An account is not collected any more until a person acts; an error shows nothing of what a server said."""

    model_config = ConfigDict(hide_input_in_errors=True)
    standing: ClassVar[Standing]

    code: str = Field(min_length=1, max_length=LONGEST_CODE)
    message: str = Field(max_length=LONGEST_MESSAGE)
    server_said: str = Field(default="", max_length=LONGEST_MESSAGE)
    stopped_at: AwareDatetime

    def to_stop(self) -> StoppedAccount:
        """What happened, as services know it."""
        return StoppedAccount(
            owner_id=self.owner_id,
            account_id=self.account_id,
            standing=self.standing,
            code=self.code,
            message=self.message,
            server_said=self.server_said,
            stopped_at=self.stopped_at.astimezone(UTC),
        )


class AccountAuthFailed(_AccountStopped):
    """The server refused the sign-in so often, or so clearly, that the account was stopped."""

    standing = Standing.AUTH_FAILED


class AccountConnectionFailed(_AccountStopped):
    """The server could not be reached so often that the account was stopped."""

    standing = Standing.CONNECTION_FAILED


_STOPS: Mapping[str, type[_AccountStopped]] = {
    model.__name__: model for model in (AccountAuthFailed, AccountConnectionFailed)
}


def read_stop(event: Any) -> StoppedAccount:
    """The stop that an event of the bus tells of.

    Raises NotAStop for any other event, and pydantic's ValidationError for one whose detail is not as it should be.
    """
    name = event.get("detail-type") if isinstance(event, dict) else None
    model = _STOPS.get(name) if isinstance(name, str) else None
    if model is None:
        raise NotAStop(
            "Notify is invoked by the event bus; by hand, give it an event such as infra/events/notify.json."
        )
    return model.model_validate(event.get("detail")).to_stop()
