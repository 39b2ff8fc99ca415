"""Owners' sign-in at the Cognito user pool, by the operations that ask for no AWS credentials.

The library signs none of them. What Cognito refuses is told apart by its error's name, and no exception of the library
is shown behind ours: its text may quote what was sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from popfetch.adapters.dynamodb_items import error_code
from popfetch.dialogue.texts import clean
from popfetch.domain.errors import (
    CodeRefused,
    OwnerSignInRefused,
    PasswordResetRequired,
    PasswordTooWeak,
    PopfetchError,
    SignedOut,
    StorageUnavailable,
    TooManyTries,
)
from popfetch.domain.secret import Secret
from popfetch.domain.session import Challenge, Challenged, Session, session_of

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

_CHALLENGES: Mapping[str, Challenge] = {
    "NEW_PASSWORD_REQUIRED": Challenge.NEW_PASSWORD,
    "SOFTWARE_TOKEN_MFA": Challenge.CODE,
}
_NAMES = {challenge: name for name, challenge in _CHALLENGES.items()}
_ANSWERS: Mapping[Challenge, str] = {
    Challenge.NEW_PASSWORD: "NEW_PASSWORD",
    Challenge.CODE: "SOFTWARE_TOKEN_MFA_CODE",
}

_TOO_MANY = {"LimitExceededException", "TooManyRequestsException", "TooManyFailedAttemptsException"}
_LOCKED_OUT = "attempts exceeded"
"""In the words of NotAuthorizedException after several wrong passwords; it has no name of its own."""

_REFUSED = {
    "NotAuthorizedException",
    "UserNotFoundException",
    "UserNotConfirmedException",
    "InvalidParameterException",
    "CodeDeliveryFailureException",
}
_WRONG_CODE = {"CodeMismatchException", "ExpiredCodeException"}
_WEAK = {"InvalidPasswordException", "PasswordHistoryPolicyViolationException"}
_NO_PASSWORD = "A password begins and ends with something else than a space, and has at most 256 characters."  # noqa: S105

type Refusals = Mapping[str, type[PopfetchError]]

_SIGN_IN: Refusals = dict.fromkeys(_REFUSED, OwnerSignInRefused) | {
    "PasswordResetRequiredException": PasswordResetRequired
}
_ANSWER: Refusals = {**_SIGN_IN, **dict.fromkeys(_WRONG_CODE, CodeRefused)}
_RENEWAL: Refusals = dict.fromkeys((*_REFUSED, "PasswordResetRequiredException"), SignedOut)
_REVOCATION: Refusals = dict.fromkeys((*_REFUSED, "UnauthorizedException", "UnsupportedTokenTypeException"), SignedOut)
_RESET: Refusals = dict.fromkeys((*_REFUSED, *_WRONG_CODE), CodeRefused)


class UserPoolSessions:
    """``OwnerSessions`` on one client of a user pool."""

    def __init__(self, client: "CognitoIdentityProviderClient", user_pool_client_id: str) -> None:
        self._client = client
        self._client_id = user_pool_client_id

    def sign_in(self, email: str, password: Secret) -> Session | Challenged:
        """Sign in with a password.

        Raises OwnerSignInRefused, PasswordResetRequired, TooManyTries and StorageUnavailable.
        """
        with _told_apart("Signing in", _SIGN_IN):
            answer = self._client.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password.reveal()},
            )
            return _session(answer)

    def answer(self, email: str, challenge: Challenge, session: Secret, answer: Secret) -> Session | Challenged:
        """Answer what a sign-in was asked for.

        Raises OwnerSignInRefused, CodeRefused, PasswordTooWeak, TooManyTries and StorageUnavailable.
        """
        chooses = challenge is Challenge.NEW_PASSWORD
        with _told_apart("Answering a challenge", _ANSWER, chosen_with=(answer, session) if chooses else ()):
            answered = self._client.respond_to_auth_challenge(
                ClientId=self._client_id,
                ChallengeName=_NAMES[challenge],  # type: ignore[arg-type]
                Session=session.reveal(),
                ChallengeResponses={"USERNAME": email, _ANSWERS[challenge]: answer.reveal()},
            )
            return _session(answered)

    def renew(self, refresh_token: Secret) -> Session:
        """A new id token. Raises SignedOut, TooManyTries and StorageUnavailable."""
        with _told_apart("Renewing a session", _RENEWAL):
            answer = self._client.initiate_auth(
                ClientId=self._client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh_token.reveal()},
            )
            renewed = _session(answer)
        if isinstance(renewed, Challenged):
            raise SignedOut
        return renewed

    def revoke(self, refresh_token: Secret) -> None:
        """End a session for good; one that is not known is none. Raises TooManyTries and StorageUnavailable."""
        with suppress(SignedOut), _told_apart("Revoking a session", _REVOCATION):
            self._client.revoke_token(Token=refresh_token.reveal(), ClientId=self._client_id)

    def send_code(self, email: str) -> None:
        """Send a user a code. Raises OwnerSignInRefused, TooManyTries and StorageUnavailable."""
        with _told_apart("Sending a code", _SIGN_IN):
            self._client.forgot_password(ClientId=self._client_id, Username=email)

    def reset_password(self, email: str, code: Secret, password: Secret) -> None:
        """Choose a new password. Raises CodeRefused, PasswordTooWeak, TooManyTries and StorageUnavailable."""
        with _told_apart("Resetting a password", _RESET, chosen_with=(password, code)):
            self._client.confirm_forgot_password(
                ClientId=self._client_id, Username=email, ConfirmationCode=code.reveal(), Password=password.reveal()
            )


def _session(answer: Mapping[str, Any]) -> Session | Challenged:
    """What Cognito has answered. Raises OwnerSignInRefused where it asks for something that popfetch has not set up."""
    name = answer.get("ChallengeName")
    if name:
        if name not in _CHALLENGES:
            raise OwnerSignInRefused
        return Challenged(_CHALLENGES[name], Secret(answer["Session"]))
    tokens = answer["AuthenticationResult"]
    return session_of(tokens["IdToken"], tokens.get("RefreshToken"))


@contextmanager
def _told_apart(operation: str, refusals: Refusals, chosen_with: Sequence[Secret] = ()) -> Iterator[None]:
    """Turn what the library raises inside into popfetch's own errors, with nothing of it behind them.

    ``chosen_with`` are the secrets of a request that chooses a password: what the pool has against it is quoted.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise _error(operation, refusals, error, chosen_with) from None


def _error(
    operation: str, refusals: Refusals, error: ClientError | BotoCoreError, chosen_with: Sequence[Secret]
) -> PopfetchError:
    name = error_code(error) if isinstance(error, ClientError) else type(error).__name__
    words = str(error.response.get("Error", {}).get("Message", "")) if isinstance(error, ClientError) else ""
    if name in _TOO_MANY or (name == "NotAuthorizedException" and _LOCKED_OUT in words.lower()):
        return TooManyTries()
    if name in _WEAK:
        return PasswordTooWeak(clean(words.encode(), [secret.reveal() for secret in chosen_with]) or _NO_PASSWORD)
    if name == "InvalidParameterException" and chosen_with:
        return PasswordTooWeak(_NO_PASSWORD)
    if name in refusals:
        return refusals[name]()
    return StorageUnavailable(f"{operation} failed ({name}); it may well succeed in a moment.")
