"""Mail of an account whose outgoing server is signed in to by OAuth 2."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from popfetch.domain.account import AuthMethod, Direction
from popfetch.domain.draft import Correspondent, Draft
from popfetch.domain.errors import ConsentNeeded, OutgoingStopped, PopfetchError, TokensUnavailable
from popfetch.domain.message import StoredMessage
from popfetch.domain.secret import Secret
from popfetch.services.sending import SendMail
from popfetch.services.sign_in_trial import SignInSwitchedOff, SignInTestFailed, SignInTestRefused, SignInTrial, told
from popfetch.smtp.errors import PasswordSignInOff, ScopeInsufficient, SignInRefused, TokenRefused
from tests.builders import oauth as builders
from tests.builders.accounts import OWNER, a_server, an_account, an_account_id
from tests.builders.aws import Aws, aws, empty
from tests.builders.journals import RecordingJournal
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.oauth import a_grant

ACCOUNT_ID = an_account_id(1)
BY_TOKEN = a_server(host="smtp.example.com", port=465, auth=AuthMethod.OAUTH2)


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


@pytest.fixture
def kept(stack: Aws) -> KeptAccounts:
    empty(stack)
    kept = KeptAccounts(stack)
    account = an_account(outgoing=BY_TOKEN, grant=a_grant())
    kept.table.add(account)
    asyncio.run(builders.given(kept.secrets, account, a_grant()))
    return kept


def send(kept: KeptAccounts) -> StoredMessage:
    draft = Draft(to=(Correspondent("bert@example.org", "Bert"),), subject="Hello", text="Hello, Bert.")

    def never(_: str) -> Any:
        raise AssertionError("no key was given")

    return kept.sending(RecordingJournal()).send(SendMail(OWNER, ACCOUNT_ID, draft), never)


def refused_once(kept: KeptAccounts) -> None:
    """Let the server refuse the first token that it is shown."""
    sign_in = kept.outgoing.open

    async def first_refused(server: Any, secret: Secret, deadline: float) -> Any:
        kept.outgoing.at_sign_in = None if kept.outgoing.calls else TokenRefused("stale", explicit=True)
        return await sign_in(server, secret, deadline)

    kept.outgoing.open = first_refused  # type: ignore[method-assign]


def test_it_goes_out_with_an_access_token(kept: KeptAccounts) -> None:
    send(kept)
    ((server, secret),) = kept.outgoing.calls
    assert (server, secret.reveal().partition("-")[0]) == (BY_TOKEN, "access")
    assert len(kept.outgoing.taken) == 1


def test_a_token_that_the_server_refuses_is_renewed_and_the_mail_goes_once(kept: KeptAccounts) -> None:
    refused_once(kept)
    send(kept)
    (_, first), (_, second) = kept.outgoing.calls
    assert first != second
    assert len(kept.outgoing.taken) == 1
    assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None


def test_a_refusal_of_the_new_one_too_is_remembered_and_no_other_is_asked_for(kept: KeptAccounts) -> None:
    kept.outgoing.at_sign_in = TokenRefused("no")
    for _ in range(3):
        with pytest.raises(SignInTestRefused, match="OAuth 2"):
            send(kept)
    failure = kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure
    assert failure
    assert (failure.code, failure.refusals) == ("authentication", 3)
    assert kept.servers.renewals == 1


def test_after_too_many_it_is_left_alone_and_says_to_sign_in_again(kept: KeptAccounts) -> None:
    kept.outgoing.at_sign_in = TokenRefused("no", explicit=True)
    for _ in range(3):
        with pytest.raises(SignInTestRefused):
            send(kept)
    kept.outgoing.calls.clear()
    with pytest.raises(OutgoingStopped, match="Sign in again at the provider"):
        send(kept)
    assert kept.outgoing.calls == []


def test_a_consent_that_is_gone_marks_the_outgoing_side(kept: KeptAccounts) -> None:
    kept.servers.revoke_all()
    kept.now += timedelta(hours=2)
    with pytest.raises(ConsentNeeded):
        send(kept)
    failure = kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure
    assert failure
    assert failure.code == "consent_needed"
    assert kept.outgoing.calls == []


def test_before_there_is_any_consent_nothing_was_refused(kept: KeptAccounts) -> None:
    kept.table.change(OWNER, ACCOUNT_ID, lambda account, state: (replace(account, grant=None), state))
    for _ in range(15):
        with pytest.raises(ConsentNeeded):
            send(kept)
    assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None


def test_a_consent_that_is_gone_is_told_however_often_it_is_tried(kept: KeptAccounts) -> None:
    kept.servers.revoke_all()
    kept.now += timedelta(hours=2)
    for _ in range(15):
        with pytest.raises(ConsentNeeded):
            send(kept)


def test_a_token_endpoint_that_is_down_marks_nothing(kept: KeptAccounts) -> None:
    kept.now += timedelta(hours=2)
    kept.servers.failure = TokensUnavailable("down")
    with pytest.raises(TokensUnavailable):
        send(kept)
    assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None


def test_signing_in_again_lets_mail_go_again(kept: KeptAccounts) -> None:
    kept.outgoing.at_sign_in = TokenRefused("no", explicit=True)
    for _ in range(3):
        with pytest.raises(SignInTestRefused):
            send(kept)
    kept.outgoing.at_sign_in = None
    kept.table.change(
        OWNER, ACCOUNT_ID, lambda account, state: (replace(account, incoming=a_server(username="anna")), state)
    )
    asked = kept.consent.ask_in_browser(OWNER, ACCOUNT_ID, builders.REDIRECT_URI)
    kept.consent.finish_as_owner(OWNER, ACCOUNT_ID, kept.servers.consented(asked.address))
    assert kept.table.get(OWNER, ACCOUNT_ID).account.outgoing_failure is None
    send(kept)
    assert len(kept.outgoing.taken) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TokenRefused("no"), SignInTestRefused),
        (SignInRefused("no"), SignInTestRefused),
        (ScopeInsufficient("no"), SignInTestRefused),
        (PasswordSignInOff("off"), SignInSwitchedOff),
    ],
)
def test_what_owners_are_told_of_tokens_speaks_of_no_password(error: Any, kind: type[SignInTestFailed]) -> None:
    failure: PopfetchError = told(error.code, SignInTrial(Direction.OUTGOING, BY_TOKEN, Secret("t0ken")), error)
    assert isinstance(failure, kind)
    assert "password" not in failure.message
