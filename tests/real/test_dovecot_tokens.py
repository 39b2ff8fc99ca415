"""Signing in to dovecot with a real provider's access tokens, and being kept out of it; nobody else gets to see one."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.adapters.pop3_maildrop import Pop3Maildrop
from popfetch.domain.account import AuthMethod, Security
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import ServerTemporary, SignInRefused, UnusableCredentials
from popfetch.ports.maildrop import DialAdvice
from tests.real.dovecot import PASSWORD, TOKEN_MECHANISMS, Dovecot
from tests.real.mixed_mail import a_header
from tests.real.oidc_provider import UNAVAILABLE, Endpoint, OidcProvider
from tests.real.refused_tokens import REFUSED, tells_the_token
from tests.real.relay import Relay
from tests.real.token_client import refreshed, tokens_of, wait_until_over

pytestmark = pytest.mark.real

SCOPE = "mail.pop"
PROTECTED = (Security.TLS, Security.STARTTLS)


async def sign_in(dovecot: Dovecot, secret: str, security: Security = Security.TLS, *, port: int = 0) -> Pop3Maildrop:
    dialer = Pop3Dialer(HostGuard(allow_private=True), ca_file=dovecot.ca_file)
    server = replace(dovecot.mailbox("anna", security, port=port).server, auth=AuthMethod.OAUTH2)
    deadline = asyncio.get_running_loop().time() + 20
    return await dialer.open(server, Secret(secret), DialAdvice(), deadline)


@pytest.mark.parametrize(
    ("mechanisms", "method"),
    [
        (["xoauth2"], "XOAUTH2"),
        (["oauthbearer"], "OAUTHBEARER"),
        (["plain", "oauthbearer"], "OAUTHBEARER"),
        (None, "XOAUTH2"),
    ],
)
async def test_signs_in_by_the_mechanism_that_the_server_offers(
    dovecot_installed: None, oidc: OidcProvider, mechanisms: Sequence[str] | None, method: str
) -> None:
    # given
    token = tokens_of(oidc, "anna", scope=SCOPE).access_token
    with Dovecot(oauth2=oidc, mechanisms=mechanisms) as server:
        server.maildir("anna").deliver(a_header(1) + b"Hello.\r\n")
        for count, security in enumerate(PROTECTED, start=1):
            async with Relay(server.tls_port if security is Security.TLS else server.port) as relay:
                # when
                maildrop = await sign_in(server, token, security, port=relay.port)

                # then
                assert (await maildrop.stat()).count == 1
                assert await maildrop.quit()
                assert server.log.count(f"user=<anna>, method={method},") == count
                assert not tells_the_token(relay.last.sent.decode("latin-1"), token)


async def test_a_token_as_long_as_microsofts_signs_in(dovecot_installed: None, oidc_installed: None) -> None:
    with OidcProvider(access_token_length=2_400) as oidc:
        token = tokens_of(oidc, "anna", scope=SCOPE).access_token
        for mechanism in TOKEN_MECHANISMS:
            with Dovecot(oauth2=oidc, mechanisms=[mechanism]) as server:
                server.maildir("anna")
                assert await (await sign_in(server, token)).quit()


async def test_a_token_is_not_sent_without_tls(oidc: OidcProvider, dovecot_with_tokens: Dovecot) -> None:
    # given
    token = tokens_of(oidc, "anna", scope=SCOPE).access_token
    async with Relay(dovecot_with_tokens.port) as relay:
        # when
        with pytest.raises(UnusableCredentials, match="only sent over TLS"):
            await sign_in(dovecot_with_tokens, token, Security.NONE, port=relay.port)

    # then
    for conversation in relay.conversations:
        assert not tells_the_token(conversation.sent.decode("latin-1"), token)
    assert oidc.counters().introspections == 0


@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_any_other_token_is_refused(dovecot_installed: None, oidc: OidcProvider, mechanism: str) -> None:
    with Dovecot(oauth2=oidc, mechanisms=[mechanism]) as server:
        server.maildir("anna")
        for count, (which, a_token) in enumerate(REFUSED.items(), start=1):
            # given
            token = a_token(oidc, SCOPE)

            # when
            with pytest.raises(SignInRefused) as refusal:
                await sign_in(server, token)

            # then
            assert refusal.value.explicit, which
            assert not tells_the_token(f"{refusal.value} {refusal.value.server_text}", token), which
            assert server.log.count("oauth2 failed") == count, which
            assert oidc.counters().introspections == count, which


@pytest.mark.parametrize("security", PROTECTED)
async def test_a_refused_token_is_tried_once_however_many_ways_there_are(
    oidc: OidcProvider, dovecot_with_tokens: Dovecot, security: Security
) -> None:
    # given
    dovecot_with_tokens.maildir("anna")
    token = REFUSED["expired"](oidc, SCOPE)

    # when
    with pytest.raises(SignInRefused):
        await sign_in(dovecot_with_tokens, token, security)

    # then
    assert oidc.counters().introspections == 1
    assert dovecot_with_tokens.log.count("oauth2 failed") == 1


async def test_a_password_is_no_token(dovecot_with_tokens: Dovecot) -> None:
    with pytest.raises(SignInRefused):
        await sign_in(dovecot_with_tokens, PASSWORD)


async def test_a_token_is_good_for_its_time_and_the_next_one_after_it(
    dovecot_installed: None, oidc_installed: None
) -> None:
    with OidcProvider(access_token_seconds=2) as oidc, Dovecot(oauth2=oidc) as server:
        # given
        server.maildir("anna")
        tokens = tokens_of(oidc, "anna")
        assert await (await sign_in(server, tokens.access_token)).quit()

        # when
        wait_until_over(tokens)

        # then
        with pytest.raises(SignInRefused):
            await sign_in(server, tokens.access_token)
        oidc.set_access_token_seconds(3600)
        assert await (await sign_in(server, refreshed(oidc, tokens.refresh_token).access_token)).quit()


@pytest.mark.parametrize("mechanism", TOKEN_MECHANISMS)
async def test_a_server_that_cannot_ask_the_provider_says_nothing_of_the_token(
    dovecot_installed: None, oidc: OidcProvider, mechanism: str
) -> None:
    with Dovecot(oauth2=oidc, mechanisms=[mechanism]) as server:
        # given
        server.maildir("anna")
        token = tokens_of(oidc, "anna", scope=SCOPE).access_token
        oidc.trouble(UNAVAILABLE, Endpoint.INTROSPECTION)

        # when
        with pytest.raises(ServerTemporary):
            await sign_in(server, token)

        # then
        oidc.recover()
        assert await (await sign_in(server, token)).quit()


async def test_passwords_are_good_beside_tokens(dovecot_with_tokens: Dovecot) -> None:
    dovecot_with_tokens.maildir("anna")
    with dovecot_with_tokens.reader("anna") as reader:
        assert reader.uids() == {}
        reader.quit()
