"""Sessions as requests bring them and answers tell them; a refresh token is in neither."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, RootModel, SecretStr

from popfetch.api.fields import Email, Password, RequestModel
from popfetch.domain.secret import Secret
from popfetch.domain.session import Challenge, Challenged, Session

LONGEST_PASSWORD = 256
"""Cognito's own limit."""

type OwnerPassword = Annotated[Password, Field(max_length=LONGEST_PASSWORD)]
type SessionText = Annotated[SecretStr, Field(min_length=20, max_length=2_048)]
type Code = Annotated[SecretStr, Field(min_length=6, max_length=64)]


class SignInIn(RequestModel):
    """Who signs in."""

    email: Email
    password: OwnerPassword = Field(description="Goes in and never comes out.")


class AnswerIn(RequestModel):
    """The answer to what a sign-in was asked for."""

    email: Email
    challenge: Challenge
    session: SessionText = Field(description="What came with the challenge.")
    answer: OwnerPassword = Field(description="The new password, or the code of the authenticator app.")


class RenewIn(RequestModel):
    """Nothing: the cookie says it all, and no form of another site can send an empty object of JSON."""


class ForgottenIn(RequestModel):
    """Who has forgotten their password."""

    email: Email


class ResetIn(RequestModel):
    """A new password, with the code that was sent."""

    email: Email
    code: Code
    password: OwnerPassword = Field(description="Goes in and never comes out.")


class SessionOut(BaseModel):
    """A session that is open: what the API's other routes want in Authorization."""

    id_token: str
    expires_at: datetime = Field(description="When the id token ends; renew the session before.")
    email: str

    @classmethod
    def of(cls, session: Session) -> Self:
        """The session as its owner's browser keeps it; the refresh token is the cookie's."""
        return cls(id_token=session.id_token.reveal(), expires_at=session.expires_at, email=session.email)


class ChallengeOut(BaseModel):
    """A session that opens with the answer to a challenge."""

    challenge: Literal["new_password", "code"]
    session: str = Field(description="Goes back with the answer; it is good for a few minutes.")

    @classmethod
    def of(cls, challenged: Challenged) -> Self:
        """The challenge as it is told."""
        return cls(challenge=challenged.challenge.value, session=challenged.session.reveal())


class SignInOut(RootModel[SessionOut | ChallengeOut]):
    """The session, or what is asked for before that."""


def secret(text: SecretStr) -> Secret:
    """What a request brings, in the type that does not show itself."""
    return Secret(text.get_secret_value())
