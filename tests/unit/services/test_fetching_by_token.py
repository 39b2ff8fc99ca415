"""Cycles of an account that is signed in to by OAuth 2, against a scripted POP3 server that takes one token."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from popfetch.adapters.accounts_table import AccountsTable
from popfetch.domain.account import AuthMethod, Security, Standing
from popfetch.domain.errors import OAuthClientRefused, TokensUnavailable
from popfetch.domain.fetch_state import Outcome
from tests.builders import oauth as builders
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.oauth import a_grant
from tests.builders.scripted_pop3_server import ScriptedServer, authority_file


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return authority_file(tmp_path_factory.mktemp("ca"))


class Mailbox:
    """A server that takes one token, and the account that is opened by it."""

    def __init__(self, aws: Aws, server: ScriptedServer, ca_file: str) -> None:
        self.server = server
        self.collection = Collection(aws, server, ca_file=ca_file)
        table = AccountsTable(aws.dynamodb, aws.table)
        account = self.collection.account
        by_token = replace(account.incoming, auth=AuthMethod.OAUTH2)
        self.collection.account = table.change(
            account.owner_id,
            account.account_id,
            lambda stored, state: (replace(stored, incoming=by_token, incoming_secret=None, grant=a_grant()), state),
        ).account

    @property
    def authorization(self) -> builders.ServerInMemory:
        return self.collection.authorization_server

    async def consent(self) -> None:
        """Give consent, and let the server take what comes of it."""
        given = await builders.given(self.collection.secrets, self.collection.account, a_grant())
        self.server.password = given.access_token.reveal()

    def take_the_newest(self) -> None:
        """From now on, the server takes the access token that was given out last, and no other."""
        self.server.password = [token for token in self.authorization.issued if token.startswith("access")][-1]

    @property
    def sign_ins(self) -> int:
        """How often anybody tried to sign in."""
        return sum(command.startswith("AUTH") for session in self.server.sessions for command in session.commands)


def a_tls_server(**changes: Any) -> ScriptedServer:
    defaults: dict[str, Any] = {
        "mailbox": [a_message(1), a_message(2)],
        "security": Security.TLS,
        "capabilities": ("SASL XOAUTH2 OAUTHBEARER", "UIDL", "TOP", "PIPELINING"),
    }
    return ScriptedServer(**{**defaults, **changes})


async def test_mail_is_fetched_by_token(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        fetch = await mailbox.collection.cycle()
        assert (fetch.outcome, fetch.stored) == (Outcome.STORED, 2)
        assert mailbox.authorization.renewals == 0


async def test_a_token_that_has_expired_is_renewed_on_the_way(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        mailbox.authorization.after_renewing = mailbox.take_the_newest
        mailbox.collection.now += timedelta(hours=2)
        assert (await mailbox.collection.cycle()).stored == 2
        assert mailbox.authorization.renewals == 1


async def test_a_token_that_the_server_refuses_early_is_renewed_within_the_cycle(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        server.password = "none of those that were given out"
        mailbox.authorization.after_renewing = mailbox.take_the_newest
        fetch = await mailbox.collection.cycle()
        assert (fetch.outcome, fetch.stored) == (Outcome.STORED, 2)
        assert not (await mailbox.collection.state()).failures.any


async def test_a_new_token_that_is_refused_too_is_not_asked_for_at_every_poll(aws: Aws, ca_file: str) -> None:
    """A mailbox that the consent is not for: one new token is enough to know."""
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        server.password = "none of those that were given out"
        for _ in range(4):
            fetch = await mailbox.collection.cycle()
            assert fetch.error_code == "authentication"
        assert mailbox.authorization.renewals == 1
        assert "password" not in (fetch.error_message or "")


async def test_three_that_say_auth_stop_it_as_they_stop_a_password(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        server.password = "none of those that were given out"
        for _ in range(3):
            assert (await mailbox.collection.stored_account()).standing is Standing.ACTIVE
            await mailbox.collection.cycle(later=timedelta(hours=1))
        assert (await mailbox.collection.stored_account()).standing is Standing.AUTH_FAILED


async def test_a_consent_that_is_gone_stops_the_account_at_once(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        mailbox.authorization.revoke_all()
        mailbox.collection.now += timedelta(hours=2)
        fetch = await mailbox.collection.cycle()
        assert fetch.error_code == "consent_needed"
        assert "sign in again at Example Ltd" in (fetch.error_message or "")
        assert (await mailbox.collection.stored_account()).standing is Standing.AUTH_FAILED
        (stopped,) = mailbox.collection.bus.named("AccountAuthFailed")
        assert stopped["code"] == "consent_needed"
        assert mailbox.sign_ins == 0


async def test_a_token_endpoint_that_is_down_only_backs_off(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        mailbox.collection.now += timedelta(hours=2)
        mailbox.authorization.failure = TokensUnavailable("down")
        for _ in range(60):
            fetch = await mailbox.collection.cycle(later=timedelta(minutes=1))
            assert fetch.error_code == "token_endpoint_unavailable"
        state = await mailbox.collection.state()
        assert state.failures.not_before
        assert (await mailbox.collection.stored_account()).standing is Standing.ACTIVE
        assert mailbox.collection.bus.named("AccountAuthFailed") == []
        mailbox.authorization.failure = None
        mailbox.authorization.after_renewing = mailbox.take_the_newest
        assert (await mailbox.collection.cycle()).stored == 2


async def test_a_client_that_the_operator_let_expire_stops_nobody(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        mailbox.collection.now += timedelta(hours=2)
        mailbox.authorization.failure = OAuthClientRefused("invalid_client")
        for _ in range(12):
            assert (await mailbox.collection.cycle()).error_code == "oauth_client_refused"
        assert (await mailbox.collection.stored_account()).standing is Standing.ACTIVE
        assert mailbox.collection.journal.counts["OAuthClientsRefused"] == 12


async def test_signing_in_again_lets_mail_flow_again(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        mailbox.authorization.revoke_all()
        mailbox.collection.now += timedelta(hours=2)
        await mailbox.collection.cycle()
        await mailbox.consent()
        mailbox.collection.account = await mailbox.collection.stored_account()
        fetch = await mailbox.collection.cycle()
        assert (fetch.outcome, fetch.stored) == (Outcome.STORED, 2)
        assert (await mailbox.collection.stored_account()).standing is Standing.ACTIVE
        assert len(mailbox.collection.bus.named("AccountRecovered")) == 1


async def test_a_token_goes_to_no_host_that_its_server_does_not_name(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        clients = mailbox.collection.secrets.clients
        assert isinstance(clients, builders.RegisteredClients)
        clients.clients = [builders.a_client(hosts=frozenset({"pop.example.com"}))]
        assert (await mailbox.collection.cycle()).error_code == "invalid_account"
        assert server.sessions == []


async def test_no_token_is_in_the_journal_the_state_or_an_event(aws: Aws, ca_file: str) -> None:
    async with a_tls_server() as server:
        mailbox = Mailbox(aws, server, ca_file)
        await mailbox.consent()
        await mailbox.collection.cycle()
        server.password = "none of those that were given out"
        for _ in range(3):
            await mailbox.collection.cycle()
        told = f"{mailbox.collection.journal.lines} {await mailbox.collection.state()} {mailbox.collection.bus.events}"
        for secret in mailbox.authorization.issued:
            assert secret not in told
