"""Signing in to postfix with a real provider's access tokens, and being kept out of it; nobody else gets to see one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import AuthMethod, Security
from popfetch.domain.secret import Secret
from popfetch.smtp.errors import SignInRefused, UnusableCredentials
from tests.real.dovecot import PASSWORD, TOKEN_MECHANISMS, Dovecot
from tests.real.oidc_provider import UNAVAILABLE, Endpoint, OidcProvider
from tests.real.refused_tokens import REFUSED, tells_the_token
from tests.real.relay import Relay
from tests.real.smtp_server import SmtpServer
from tests.real.token_client import tokens_of

pytestmark = pytest.mark.real

SCOPE = "mail.smtp"
PROTECTED = (Security.TLS, Security.STARTTLS)


async def sign_in(smtp: SmtpServer, secret: str, security: Security = Security.TLS, *, port: int = 0) -> None:
    dialer = SmtpDialer(HostGuard(allow_private=True), ca_file=smtp.ca_file)
    server = replace(smtp.submission("anna", security, port=port), auth=AuthMethod.OAUTH2)
    await dialer.sign_in(server, Secret(secret), asyncio.get_running_loop().time() + 20)


@pytest.mark.parametrize("mechanisms", [["xoauth2"], ["oauthbearer"], ["plain", "oauthbearer"], None])
async def test_signs_in_by_the_mechanism_that_the_server_offers(
    smtp_server_installed: None, oidc: OidcProvider, dovecot_with_tokens: Dovecot, mechanisms: Sequence[str] | None
) -> None:
    # given
    token = tokens_of(oidc, "anna", scope=SCOPE).access_token
    with SmtpServer(dovecot_with_tokens, mechanisms=mechanisms) as server:
        for count, security in enumerate(PROTECTED, start=1):
            async with Relay(server.tls_port if security is Security.TLS else server.port) as relay:
                # when
                await sign_in(server, token, security, port=relay.port)

            # then
            server.await_log("auth=1 quit=1", count)
            assert not tells_the_token(relay.last.sent.decode("latin-1"), token)
            assert oidc.counters().introspections == count


async def test_a_token_as_long_as_microsofts_signs_in(smtp_server_installed: None, oidc_installed: None) -> None:
    with OidcProvider(access_token_length=2_400) as oidc, Dovecot(oauth2=oidc) as dovecot:
        token = tokens_of(oidc, "anna", scope=SCOPE).access_token
        for mechanism in TOKEN_MECHANISMS:
            with SmtpServer(dovecot, mechanisms=[mechanism]) as server:
                await sign_in(server, token)
                server.await_log("auth=1 quit=1")


async def test_a_token_is_not_sent_without_tls(oidc: OidcProvider, smtp_with_tokens: SmtpServer) -> None:
    token = tokens_of(oidc, "anna", scope=SCOPE).access_token
    async with Relay(smtp_with_tokens.port) as relay:
        with pytest.raises(UnusableCredentials, match="only sent over TLS"):
            await sign_in(smtp_with_tokens, token, Security.NONE, port=relay.port)
    assert relay.conversations == []


@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_any_other_token_is_refused(
    smtp_server_installed: None, oidc: OidcProvider, dovecot_with_tokens: Dovecot, mechanism: str
) -> None:
    with SmtpServer(dovecot_with_tokens, mechanisms=[mechanism]) as server:
        for count, (which, a_token) in enumerate(REFUSED.items(), start=1):
            # given
            token = a_token(oidc, SCOPE)

            # when
            with pytest.raises(SignInRefused) as refusal:
                await sign_in(server, token)

            # then
            assert refusal.value.explicit, which
            assert not tells_the_token(f"{refusal.value} {refusal.value.server_text}", token), which
            server.await_log("disconnect from .* auth=0/1", count)
            assert server.log.count("authentication failed") == count, which
            assert oidc.counters().introspections == count, which


@pytest.mark.parametrize("security", PROTECTED)
async def test_a_refused_token_is_tried_once_however_many_ways_there_are(
    oidc: OidcProvider, smtp_with_tokens: SmtpServer, security: Security
) -> None:
    # given
    token = REFUSED["expired"](oidc, SCOPE)

    # when
    with pytest.raises(SignInRefused):
        await sign_in(smtp_with_tokens, token, security)

    # then
    smtp_with_tokens.await_log("disconnect from .* auth=0/1")
    assert smtp_with_tokens.log.count("authentication failed") == 1
    assert oidc.counters().introspections == 1


async def test_a_password_is_no_token(smtp_with_tokens: SmtpServer) -> None:
    with pytest.raises(SignInRefused):
        await sign_in(smtp_with_tokens, PASSWORD)


@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_postfix_refuses_what_it_cannot_ask_the_provider_about(
    smtp_server_installed: None, oidc: OidcProvider, dovecot_with_tokens: Dovecot, mechanism: str
) -> None:
    with SmtpServer(dovecot_with_tokens, mechanisms=[mechanism]) as server:
        # given
        token = tokens_of(oidc, "anna", scope=SCOPE).access_token
        oidc.trouble(UNAVAILABLE, Endpoint.INTROSPECTION)

        # when dovecot says that this will pass, and postfix says 5.7.8, as to a token that is no good
        with pytest.raises(SignInRefused):
            await sign_in(server, token)

        # then
        oidc.recover()
        await sign_in(server, token)
