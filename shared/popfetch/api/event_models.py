"""The details of the bus's events that functions read."""

from pydantic import BaseModel, Field

from popfetch.domain.mailbox import ACCOUNT_ID_ALPHABET, ACCOUNT_ID_LENGTH


class AccountDeleted(BaseModel):
    """An account was removed, and no cycle of it is under way any more."""

    owner_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")
    account_id: str = Field(pattern=f"^[{ACCOUNT_ID_ALPHABET}]{{{ACCOUNT_ID_LENGTH}}}$")
    erase_mail: bool
