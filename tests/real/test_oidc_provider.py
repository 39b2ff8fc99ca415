"""What the other tests rely on of the provider: it is as strict as the large ones are, and tells what happened."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.real.oidc_provider import (
    ANSWER_LOST,
    CLIENT_REFUSED,
    HANGS,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    ClientAuth,
    Endpoint,
    OidcProvider,
    Trouble,
)
from tests.real.token_client import (
    SCOPE,
    AuthorizationRequest,
    TokensRefused,
    device_codes,
    device_tokens,
    refreshed,
    revoke_token,
    tokens_of,
)

pytestmark = pytest.mark.real


def test_consent_brings_a_code_and_the_code_tokens_once(oidc: OidcProvider) -> None:
    # given
    request = AuthorizationRequest(oidc)
    callback = oidc.consent(request.url, "anna")

    # when
    tokens = request.redeem(callback)

    # then
    assert (tokens.scope, tokens.expires_in) == (SCOPE, 3600)
    with pytest.raises(TokensRefused, match="400 invalid_grant"):
        request.redeem(callback)
    issued = oidc.issued()
    assert issued.access_tokens == (tokens.access_token,)
    assert issued.refresh_tokens == (tokens.refresh_token,)
    assert issued.codes == (request.answer(callback)["code"],)
    assert len(set(issued.verifiers)) == 1
    assert oidc.counters().code_exchanges == 1


def test_a_no_comes_back_as_an_error(oidc: OidcProvider) -> None:
    request = AuthorizationRequest(oidc)
    assert request.answer(oidc.deny(request.url, "anna"))["error"] == "access_denied"


def test_a_person_can_leave_a_scope_out(oidc: OidcProvider) -> None:
    assert tokens_of(oidc, "anna", without=["mail.smtp"]).scope == "mail.pop offline_access"


@pytest.mark.parametrize(
    ("taken_out", "error"), [("&code_challenge_method=S256", "invalid_request"), ("&prompt=consent", "")]
)
def test_pkce_is_required_and_offline_access_needs_consent(oidc: OidcProvider, taken_out: str, error: str) -> None:
    request = AuthorizationRequest(oidc)
    url = request.url.replace(taken_out, "")
    assert url != request.url
    if error:
        url = url.split("&code_challenge=")[0]
        assert request.answer(_redirect(oidc, url))["error"] == error
    else:
        assert request.redeem(oidc.consent(url, "anna")).refresh_token == ""


def test_a_used_refresh_token_that_comes_again_ends_the_grant(oidc: OidcProvider) -> None:
    # given
    first = tokens_of(oidc, "anna")
    other = tokens_of(oidc, "bert")
    second = refreshed(oidc, first.refresh_token)
    assert second.refresh_token != first.refresh_token

    # when
    with pytest.raises(TokensRefused, match="400 invalid_grant"):
        refreshed(oidc, first.refresh_token)

    # then
    with pytest.raises(TokensRefused, match="400 invalid_grant"):
        refreshed(oidc, second.refresh_token)
    assert refreshed(oidc, other.refresh_token).refresh_token
    counters = oidc.counters()
    assert (counters.refreshes, counters.refused_refreshes, counters.reuses) == (2, 2, 1)


def test_without_rotation_a_refresh_token_stays(oidc_installed: None) -> None:
    with OidcProvider(rotates=False) as oidc:
        tokens = tokens_of(oidc, "anna")
        for _ in range(2):
            assert refreshed(oidc, tokens.refresh_token).refresh_token == tokens.refresh_token
        assert oidc.counters().reuses == 0


def test_refreshes_at_once_are_counted_and_only_one_of_them_is_good(oidc: OidcProvider) -> None:
    # given
    tokens = tokens_of(oidc, "anna")
    oidc.trouble(Trouble(delay_seconds=0.5))

    # when
    with ThreadPoolExecutor(2) as pool:
        outcomes = [pool.submit(refreshed, oidc, tokens.refresh_token) for _ in range(2)]

    # then
    assert sum(outcome.exception() is None for outcome in outcomes) == 1
    assert (oidc.counters().concurrent, oidc.counters().reuses) == (2, 1)


def test_a_person_takes_back_what_was_granted(oidc: OidcProvider) -> None:
    # given
    tokens = tokens_of(oidc, "anna")
    other = tokens_of(oidc, "bert")

    # when
    assert oidc.revoke("anna") == 1

    # then
    with pytest.raises(TokensRefused, match="400 invalid_grant"):
        refreshed(oidc, tokens.refresh_token)
    assert refreshed(oidc, other.refresh_token).access_token


def test_a_refresh_token_that_is_given_back_is_over(oidc: OidcProvider) -> None:
    tokens = tokens_of(oidc, "anna")
    revoke_token(oidc, tokens.refresh_token)
    with pytest.raises(TokensRefused, match="400 invalid_grant"):
        refreshed(oidc, tokens.refresh_token)
    assert oidc.counters().revocations == 1


@pytest.mark.parametrize(
    ("trouble", "answer"),
    [(UNAVAILABLE, "503 "), (TOO_MANY_REQUESTS, "429 "), (CLIENT_REFUSED, "401 invalid_client")],
)
def test_the_token_endpoint_is_in_trouble_until_it_recovers(oidc: OidcProvider, trouble: Trouble, answer: str) -> None:
    # given
    tokens = tokens_of(oidc, "anna")

    # when
    oidc.trouble(trouble)

    # then
    with pytest.raises(TokensRefused, match=answer):
        refreshed(oidc, tokens.refresh_token)
    oidc.recover()
    assert refreshed(oidc, tokens.refresh_token).access_token
    assert oidc.counters().reuses == 0


def test_what_hangs_ends_when_it_recovers(oidc: OidcProvider) -> None:
    tokens = tokens_of(oidc, "anna")
    oidc.trouble(HANGS)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(refreshed, oidc, tokens.refresh_token)
        with pytest.raises(TimeoutError):
            outcome.result(0.5)
        oidc.recover()
        assert isinstance(outcome.exception(), requests.ConnectionError)
    assert refreshed(oidc, tokens.refresh_token).access_token


def test_a_lost_answer_has_used_the_token(oidc: OidcProvider) -> None:
    # given
    tokens = tokens_of(oidc, "anna")
    oidc.trouble(ANSWER_LOST)

    # when
    with pytest.raises(requests.ConnectionError):
        refreshed(oidc, tokens.refresh_token)

    # then
    oidc.recover()
    assert oidc.counters().refreshes == 1
    with pytest.raises(TokensRefused, match="400 invalid_grant"):
        refreshed(oidc, tokens.refresh_token)
    assert oidc.counters().reuses == 1


def test_trouble_stays_where_it_is_put(oidc: OidcProvider) -> None:
    oidc.trouble(UNAVAILABLE, Endpoint.REVOCATION)
    assert refreshed(oidc, tokens_of(oidc, "anna").refresh_token).access_token


@pytest.mark.parametrize("method", ClientAuth)
def test_the_client_shows_its_secret_in_one_way_alone(oidc: OidcProvider, method: ClientAuth) -> None:
    # given
    oidc.set_client_auth(method)
    tokens = tokens_of(oidc, "anna")
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}

    # when it comes in the other
    with requests.Session() as session:
        session.trust_env = False
        if method is ClientAuth.POST:
            session.auth = (oidc.client_id, oidc.client_secret)
        else:
            form |= {"client_id": oidc.client_id, "client_secret": oidc.client_secret}
        answer = session.post(oidc.token_url, data=form, verify=oidc.ca_file, timeout=20)

    # then
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_redirects_lead_to_what_is_set_and_nowhere_else(oidc: OidcProvider) -> None:
    # given
    callback = "https://api.example/v1/oauth/callback"
    request = AuthorizationRequest(oidc, redirect_uri=callback)
    with pytest.raises(AssertionError, match="redirect_uri"):
        oidc.consent(request.url, "anna")

    # when
    oidc.set_redirect_uris(callback)

    # then
    assert request.redeem(oidc.consent(request.url, "anna")).access_token


def test_a_device_asks_until_a_person_has_allowed_it(oidc: OidcProvider) -> None:
    # given
    codes = device_codes(oidc)
    with pytest.raises(TokensRefused, match="400 authorization_pending"):
        device_tokens(oidc, codes)

    # when
    oidc.approve_device(codes.verification_uri, codes.user_code, "anna")

    # then
    tokens = device_tokens(oidc, codes)
    assert tokens.scope == SCOPE
    assert refreshed(oidc, tokens.refresh_token).access_token
    assert oidc.counters().device_polls == 2
    issued = oidc.issued()
    assert issued.device_codes == (codes.device_code,)
    assert issued.user_codes == (codes.user_code,)
    assert {codes.device_code, tokens.refresh_token} <= issued.all()


def test_a_device_hears_of_a_no(oidc: OidcProvider) -> None:
    codes = device_codes(oidc)
    oidc.deny_device(codes.verification_uri, codes.user_code, "anna")
    with pytest.raises(TokensRefused, match="400 access_denied"):
        device_tokens(oidc, codes)


def _redirect(oidc: OidcProvider, url: str) -> str:
    """Where an address leads at once, without a person."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, verify=oidc.ca_file, allow_redirects=False, timeout=20)
    return answer.headers["location"]
