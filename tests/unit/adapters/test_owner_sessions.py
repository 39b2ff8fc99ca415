"""Sessions at the user pool: opened, renewed and revoked, and refused without saying why or quoting what was sent."""

import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from popfetch.adapters.owner_sessions import UserPoolSessions
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
from popfetch.domain.session import Challenge, Challenged, Session
from tests.builders.aws import Aws
from tests.builders.user_pool import EMAIL, NEW_PASSWORD, PASSWORD, UserPool, a_user_pool

WRONG, SESSION, TOKEN, CODE = (
    "Canary-Wrong-9",
    "canary-session-0123456789",
    "canary-refresh-token",
    "canary-code-123456",
)


@pytest.fixture
def pool(aws: Aws) -> UserPool:
    return a_user_pool()


@pytest.fixture
def sessions(pool: UserPool) -> UserPoolSessions:
    return UserPoolSessions(pool.cognito, pool.client_id)


def opened(found: Session | Challenged) -> Session:
    assert isinstance(found, Session)
    return found


def challenged(found: Session | Challenged) -> Challenged:
    assert isinstance(found, Challenged)
    return found


def test_the_right_password_opens_a_session(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner()
    session = opened(sessions.sign_in(EMAIL, Secret(PASSWORD)))
    assert session.email == EMAIL
    assert session.expires_at > datetime.now(UTC)
    assert session.refresh_token


@pytest.mark.parametrize(("email", "password"), [(EMAIL, WRONG), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_user_are_refused_alike(
    pool: UserPool, sessions: UserPoolSessions, email: str, password: str
) -> None:
    pool.add_owner()
    with pytest.raises(OwnerSignInRefused) as refused:
        sessions.sign_in(email, Secret(password))
    assert refused.value.message == OwnerSignInRefused().message


def test_a_disabled_user_is_refused(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner()
    pool.cognito.admin_disable_user(UserPoolId=pool.pool_id, Username=EMAIL)
    with pytest.raises(OwnerSignInRefused):
        sessions.sign_in(EMAIL, Secret(PASSWORD))


def test_the_operators_password_is_replaced_before_a_session_opens(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner(permanent=False)
    asked = challenged(sessions.sign_in(EMAIL, Secret(PASSWORD)))
    assert asked.challenge is Challenge.NEW_PASSWORD
    opened(sessions.answer(EMAIL, asked.challenge, asked.session, Secret(NEW_PASSWORD)))
    opened(sessions.sign_in(EMAIL, Secret(NEW_PASSWORD)))


def test_a_weak_new_password_is_refused_in_the_pools_words(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner(permanent=False)
    asked = challenged(sessions.sign_in(EMAIL, Secret(PASSWORD)))
    with pytest.raises(PasswordTooWeak, match=r"[Pp]assword") as weak:
        sessions.answer(EMAIL, asked.challenge, asked.session, Secret("weakling"))
    assert "weakling" not in weak.value.message


def test_an_owner_with_an_authenticator_app_is_asked_for_its_code(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner()
    pool.ask_for_codes()
    asked = challenged(sessions.sign_in(EMAIL, Secret(PASSWORD)))
    assert asked.challenge is Challenge.CODE
    opened(sessions.answer(EMAIL, asked.challenge, asked.session, Secret("123456")))


def test_a_session_goes_on_by_its_refresh_token(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner()
    session = opened(sessions.sign_in(EMAIL, Secret(PASSWORD)))
    assert session.refresh_token
    renewed = sessions.renew(session.refresh_token)
    assert renewed.email == EMAIL
    assert renewed.refresh_token is None


def test_a_refresh_token_that_is_none_opens_nothing(sessions: UserPoolSessions) -> None:
    with pytest.raises(SignedOut):
        sessions.renew(Secret(TOKEN))


def test_a_new_password_is_chosen_with_a_code(pool: UserPool, sessions: UserPoolSessions) -> None:
    pool.add_owner()
    sessions.send_code(EMAIL)
    sessions.reset_password(EMAIL, Secret(CODE), Secret(NEW_PASSWORD))
    opened(sessions.sign_in(EMAIL, Secret(NEW_PASSWORD)))


def test_a_session_is_revoked_and_one_that_is_none_is_no_trouble(pool: UserPool, sessions: UserPoolSessions) -> None:
    expected = {"Token": TOKEN, "ClientId": pool.client_id}
    with Stubber(pool.cognito) as stubber:
        stubber.add_response("revoke_token", {}, expected)
        stubber.add_client_error("revoke_token", "UnsupportedTokenTypeException", expected_params=expected)
        sessions.revoke(Secret(TOKEN))
        sessions.revoke(Secret(TOKEN))


def test_a_challenge_that_popfetch_has_not_set_up_is_refused(pool: UserPool, sessions: UserPoolSessions) -> None:
    with Stubber(pool.cognito) as stubber:
        stubber.add_response("initiate_auth", {"ChallengeName": "SMS_MFA", "Session": SESSION})
        with pytest.raises(OwnerSignInRefused):
            sessions.sign_in(EMAIL, Secret(PASSWORD))


CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "sign_in": ("initiate_auth", (EMAIL, Secret(PASSWORD))),
    "answer": ("respond_to_auth_challenge", (EMAIL, Challenge.CODE, Secret(SESSION), Secret(CODE))),
    "renew": ("initiate_auth", (Secret(TOKEN),)),
    "revoke": ("revoke_token", (Secret(TOKEN),)),
    "send_code": ("forgot_password", (EMAIL,)),
    "reset_password": ("confirm_forgot_password", (EMAIL, Secret(CODE), Secret(PASSWORD))),
}
LIMITS = ("TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException")


def refusal(
    pool: UserPool, sessions: UserPoolSessions, verb: str, code: str, words: str = "", status: int = 400
) -> PopfetchError:
    """What a verb raises where Cognito answers with an error, whose text quotes all that was sent."""
    operation, arguments = CALLS[verb]
    sent = [argument.reveal() for argument in arguments if isinstance(argument, Secret)]
    quoted = " ".join((words, EMAIL, *sent))
    with Stubber(pool.cognito) as stubber:
        stubber.add_client_error(operation, code, quoted, http_status_code=status)
        with pytest.raises(PopfetchError) as raised:
            getattr(sessions, verb)(*arguments)
    shown = "".join(traceback.format_exception(raised.value)) + raised.value.for_the_log
    assert not [secret for secret in sent if secret in shown]
    return raised.value


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("code", LIMITS)
def test_too_many_tries_are_told(pool: UserPool, sessions: UserPoolSessions, verb: str, code: str) -> None:
    assert isinstance(refusal(pool, sessions, verb, code), TooManyTries)


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("code", ["InternalErrorException", "ResourceNotFoundException"])
def test_a_pool_that_does_not_answer_is_to_be_asked_again(
    pool: UserPool, sessions: UserPoolSessions, verb: str, code: str
) -> None:
    assert isinstance(refusal(pool, sessions, verb, code, status=500), StorageUnavailable)


@pytest.mark.parametrize(
    ("verb", "code", "expected"),
    [
        ("sign_in", "UserNotConfirmedException", OwnerSignInRefused),
        ("sign_in", "UserNotFoundException", OwnerSignInRefused),
        ("sign_in", "InvalidParameterException", OwnerSignInRefused),
        ("sign_in", "PasswordResetRequiredException", PasswordResetRequired),
        ("answer", "NotAuthorizedException", OwnerSignInRefused),
        ("answer", "CodeMismatchException", CodeRefused),
        ("answer", "ExpiredCodeException", CodeRefused),
        ("renew", "UserNotFoundException", SignedOut),
        ("send_code", "InvalidParameterException", OwnerSignInRefused),
        ("reset_password", "CodeMismatchException", CodeRefused),
        ("reset_password", "ExpiredCodeException", CodeRefused),
        ("reset_password", "UserNotFoundException", CodeRefused),
        ("reset_password", "InvalidPasswordException", PasswordTooWeak),
        ("reset_password", "PasswordHistoryPolicyViolationException", PasswordTooWeak),
        ("reset_password", "InvalidParameterException", PasswordTooWeak),
    ],
)
def test_what_the_pool_refuses_is_told_apart(
    pool: UserPool, sessions: UserPoolSessions, verb: str, code: str, expected: type[PopfetchError]
) -> None:
    assert type(refusal(pool, sessions, verb, code)) is expected


def test_a_user_who_is_locked_out_for_a_while_has_tried_too_often(pool: UserPool, sessions: UserPoolSessions) -> None:
    locked_out = refusal(pool, sessions, "sign_in", "NotAuthorizedException", "Password attempts exceeded")
    assert isinstance(locked_out, TooManyTries)
