"""Access tokens: kept until shortly before their end, renewed by one, and no refresh token used twice."""

import asyncio
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from popfetch.adapters.credential_vault import CredentialVault
from popfetch.domain.account import Account, AuthMethod
from popfetch.domain.errors import (
    ConsentNeeded,
    OAuthClientRefused,
    OAuthNotConfigured,
    PopfetchError,
    StorageUnavailable,
    TokensUnavailable,
)
from popfetch.domain.oauth import OAuthClient, StoredTokens
from popfetch.domain.secret import Secret, TokenUse
from popfetch.services.access_tokens import (
    LATEST_USE,
    LEASE,
    RENEWAL_SECONDS,
    TRIES_TO_KEEP,
    WARM_TOKENS,
    AccessTokens,
    WarmTokens,
)
from popfetch.services.sign_in_secrets import SignInSecrets
from tests.builders import oauth as builders
from tests.builders.accounts import NOON, OTHER_OWNER, a_server, an_account
from tests.builders.aws import Aws, aws, empty
from tests.builders.journals import RecordingJournal
from tests.builders.oauth import RegisteredClients, ServerInMemory, a_grant, sign_in_secrets

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built


class Scene:
    """An account with consent, its authorization server, and processes that share the table."""

    def __init__(self, stack: Aws) -> None:
        empty(stack)
        self.stack = stack
        self.now = NOON
        self.journal = RecordingJournal()
        self.server = ServerInMemory(lambda: self.now)
        self.clients = RegisteredClients()
        self.vault = CredentialVault(stack.kms, stack.dynamodb, stack.table, stack.key_id, clock=lambda: NOON)
        self.account = an_account(incoming=a_server(auth=AuthMethod.OAUTH2), incoming_secret=None, grant=a_grant())

    def clock(self) -> datetime:
        return self.now

    def process(self) -> SignInSecrets:
        """A process of its own, which remembers no token yet."""
        return sign_in_secrets(
            self.vault,
            self.stack,
            clients=self.clients,
            servers=self.server,
            journal=self.journal,
            clock=self.clock,
        )

    async def consent(self) -> str:
        """Give consent; returns the access token that came with it."""
        return (await builders.given(self.process(), self.account, a_grant())).access_token.reveal()

    def stored(self) -> StoredTokens:
        tokens = self.process().tokens.grants.load(self.account.account_id, "grant-1")
        assert tokens
        return tokens

    def opened(self, use: TokenUse) -> str:
        stored = self.stored()
        sealed = stored.refresh_token if use is TokenUse.REFRESH_TOKEN else stored.access_token
        return self.vault.open(sealed, self.account.owner_id, self.account.account_id, use).reveal()


@pytest.fixture
def scene(stack: Aws) -> Scene:
    return Scene(stack)


async def token_of(process: SignInSecrets, account: Account, refused: Secret | None = None) -> str:
    return (await process.tokens.token_of(account, refused=refused)).reveal()


class TestUntilShortlyBeforeItsEnd:
    async def test_the_first_is_used_without_asking_anybody(self, scene: Scene) -> None:
        first = await scene.consent()
        scene.now += HOUR - timedelta(minutes=3)
        assert await token_of(scene.process(), scene.account) == first
        assert scene.server.renewals == 0

    async def test_a_process_that_has_used_it_does_not_even_read_the_table(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = await scene.consent()
        process = scene.process()
        await token_of(process, scene.account)

        def fail(*_: Any) -> None:
            raise AssertionError("The table was read.")

        monkeypatch.setattr(type(process.tokens.grants), "load", fail)
        assert await token_of(process, scene.account) == first

    async def test_then_it_is_renewed_and_the_new_refresh_token_kept(self, scene: Scene) -> None:
        first = await scene.consent()
        before = scene.opened(TokenUse.REFRESH_TOKEN)
        scene.now += HOUR
        renewed = await token_of(scene.process(), scene.account)
        assert renewed != first
        assert scene.opened(TokenUse.ACCESS_TOKEN) == renewed
        assert scene.opened(TokenUse.REFRESH_TOKEN) not in {before, renewed}
        assert scene.stored().access_expires_at == scene.now + HOUR
        assert scene.stored().renewing_until is None

    async def test_a_server_that_gives_no_new_refresh_token_keeps_the_old_one_good(self, scene: Scene) -> None:
        scene.server.rotates = False
        await scene.consent()
        before = scene.opened(TokenUse.REFRESH_TOKEN)
        for _ in range(3):
            scene.now += HOUR
            await token_of(scene.process(), scene.account)
        assert scene.opened(TokenUse.REFRESH_TOKEN) == before

    async def test_it_goes_on_for_years(self, scene: Scene) -> None:
        await scene.consent()
        tokens = set()
        for _ in range(20):
            scene.now += timedelta(days=60)
            tokens.add(await token_of(scene.process(), scene.account))
        assert len(tokens) == 20
        assert scene.server.reused == 0

    async def test_one_that_a_mail_server_refused_is_renewed_before_its_end(self, scene: Scene) -> None:
        first = await scene.consent()
        process = scene.process()
        assert await token_of(process, scene.account) == first
        renewed = await token_of(process, scene.account, Secret(first))
        assert renewed != first
        assert await token_of(process, scene.account) == renewed

    async def test_what_another_process_has_renewed_meanwhile_is_used(self, scene: Scene) -> None:
        first = await scene.consent()
        slow, quick = scene.process(), scene.process()
        await token_of(slow, scene.account)
        renewed = await token_of(quick, scene.account, Secret(first))
        assert await token_of(slow, scene.account, Secret(first)) == renewed
        assert scene.server.renewals == 1


class TestOneAtATime:
    async def test_many_at_once_renew_once(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        processes = [scene.process() for _ in range(8)]
        found = await asyncio.gather(*(token_of(process, scene.account) for process in processes))
        assert len(set(found)) == 1
        assert (scene.server.renewals, scene.server.reused) == (1, 0)

    async def test_who_waits_gives_up_in_time(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        process = scene.process()
        process.tokens.grants.take(scene.stored(), scene.now + LEASE)
        with pytest.raises(TokensUnavailable):
            await token_of(process, scene.account)
        assert scene.server.renewals == 0

    async def test_a_process_that_died_renewing_holds_it_up_for_a_minute(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.process().tokens.grants.take(scene.stored(), scene.now + LEASE)
        scene.now += LEASE
        assert await token_of(scene.process(), scene.account) in scene.server.issued

    async def test_a_lease_that_was_long_in_coming_is_not_used(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody else may think it ended by the time the refresh token would be used."""
        await scene.consent()
        scene.now += HOUR
        process = scene.process()
        take = type(process.tokens.grants).take

        def slowly(self: Any, *asked: Any) -> StoredTokens | None:
            taken = take(self, *asked)
            scene.now += LATEST_USE + timedelta(seconds=1)
            return taken

        monkeypatch.setattr(type(process.tokens.grants), "take", slowly)
        with pytest.raises(TokensUnavailable):
            await token_of(process, scene.account)
        assert scene.server.renewals == 0
        assert scene.stored().renewing_until is None

    async def test_none_begins_that_the_caller_could_not_wait_for(self, scene: Scene) -> None:
        first = await scene.consent()
        process, now = scene.process(), asyncio.get_running_loop().time()
        assert await process.tokens.token_of(scene.account, deadline=now) == Secret(first)
        scene.now += HOUR
        with pytest.raises(TokensUnavailable):
            await process.tokens.token_of(scene.account, deadline=now + RENEWAL_SECONDS / 2)
        assert scene.server.renewals == 0
        await process.tokens.token_of(scene.account, deadline=now + RENEWAL_SECONDS * 100)
        assert scene.server.renewals == 1

    async def test_who_lost_the_lease_uses_nothing_of_what_it_got(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR

        def somebody_else() -> None:
            stored = scene.stored()
            grants = scene.process().tokens.grants
            grants.take(stored, scene.now + LEASE)

        scene.server.before_renewing = somebody_else
        with pytest.raises(TokensUnavailable):
            await token_of(scene.process(), scene.account)

    async def test_a_grant_that_was_given_back_meanwhile_does_not_come_back(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        grants = scene.process().tokens.grants
        scene.server.before_renewing = lambda: grants.remove(scene.account.account_id, "grant-1")
        with pytest.raises(TokensUnavailable):
            await token_of(scene.process(), scene.account)
        assert grants.load(scene.account.account_id, "grant-1") is None

    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        steps=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["ask", "refused", "hour", "die"])), max_size=14)
    )
    def test_no_order_of_events_uses_a_refresh_token_twice(self, stack: Aws, steps: list[tuple[int, str]]) -> None:
        async def run() -> None:
            scene = Scene(stack)
            await scene.consent()
            processes = [scene.process() for _ in range(3)]
            used: list[str | None] = [None, None, None]
            for number, step in steps:
                if step == "hour":
                    scene.now += HOUR
                elif step == "die":
                    # before it asks: what a process that dies afterwards has got is gone, whoever keeps it
                    scene.process().tokens.grants.take(scene.stored(), scene.now + LEASE)
                    scene.now += LEASE
                else:
                    last = used[number]
                    refused = Secret(last) if step == "refused" and last else None
                    used[number] = await token_of(processes[number], scene.account, refused)
                    assert used[number] != (last if refused else "")
            assert scene.server.reused == 0

        asyncio.run(run())


class TestWhatGoesWrong:
    async def failure(self, asking: Awaitable[Any]) -> PopfetchError:
        with pytest.raises(PopfetchError) as failed:
            await asking
        return failed.value

    async def test_a_grant_that_was_revoked_needs_its_owner(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.server.revoke_all()
        failure = await self.failure(token_of(scene.process(), scene.account))
        assert isinstance(failure, ConsentNeeded)
        assert "anna1@example.com" in failure.message
        assert "Example Ltd" in failure.message
        assert scene.stored().renewing_until is None

    async def test_a_token_endpoint_that_is_down_changes_nothing(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.server.failure = TokensUnavailable("down")
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), TokensUnavailable)
        scene.server.failure = None
        assert await token_of(scene.process(), scene.account) in scene.server.issued

    async def test_a_refused_client_is_the_operators_affair(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.server.failure = OAuthClientRefused("invalid_client")
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), OAuthClientRefused)
        assert scene.journal.counts == {"OAuthClientsRefused": 1}

    async def test_a_registration_that_was_taken_away(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.clients.clients = []
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), OAuthNotConfigured)
        assert scene.stored().renewing_until is None

    async def test_an_account_without_consent(self, scene: Scene) -> None:
        waiting = replace(scene.account, grant=None)
        failure = await self.failure(token_of(scene.process(), waiting))
        assert isinstance(failure, ConsentNeeded)
        assert "Example Ltd" in failure.message

    async def test_an_account_whose_tokens_are_gone(self, scene: Scene) -> None:
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), ConsentNeeded)

    async def test_tokens_of_another_owner_do_not_open(self, scene: Scene) -> None:
        await scene.consent()
        stolen = replace(scene.account, owner_id=OTHER_OWNER)
        assert isinstance(await self.failure(token_of(scene.process(), stolen)), ConsentNeeded)
        assert "a token does not open" in scene.journal.messages
        assert scene.server.renewals == 0

    async def test_a_refresh_token_does_not_open_as_an_access_token(self, scene: Scene) -> None:
        await scene.consent()
        stored = scene.stored()
        scene.process().tokens.grants.add(replace(stored, access_token=stored.refresh_token))
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), ConsentNeeded)

    async def test_new_tokens_are_kept_even_if_the_table_is_busy(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await scene.consent()
        scene.now += HOUR
        process = scene.process()
        grants = type(process.tokens.grants)
        keep, tries = grants.keep, 0

        def busy(self: Any, *tokens: StoredTokens) -> bool:
            nonlocal tries
            tries += 1
            if tries < TRIES_TO_KEEP:
                raise StorageUnavailable("busy")
            return keep(self, *tokens)

        monkeypatch.setattr(grants, "keep", busy)
        renewed = await token_of(process, scene.account)
        assert tries == TRIES_TO_KEEP
        assert scene.opened(TokenUse.ACCESS_TOKEN) == renewed

    async def test_new_tokens_are_kept_even_if_sealing_them_fails_at_first(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await scene.consent()
        scene.now += HOUR
        seal, failures = CredentialVault.seal, 0

        def failing(self: CredentialVault, *what: Any) -> bytes:
            nonlocal failures
            if scene.server.renewals and failures < 2:
                failures += 1
                raise StorageUnavailable("KMS is busy")
            return seal(self, *what)

        monkeypatch.setattr(CredentialVault, "seal", failing)
        renewed = await token_of(scene.process(), scene.account)
        assert failures == 2
        assert scene.opened(TokenUse.ACCESS_TOKEN) == renewed

    async def test_a_refresh_token_is_not_used_where_the_new_one_could_not_be_sealed(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await scene.consent()
        scene.now += HOUR

        def fail(*_: Any) -> bytes:
            raise StorageUnavailable("KMS is down")

        monkeypatch.setattr(CredentialVault, "seal", fail)
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), StorageUnavailable)
        assert scene.server.renewals == 0

    @pytest.mark.parametrize(
        "other",
        [
            replace(builders.a_client(), client_id="another"),
            builders.a_client(token_url="https://other.example.com/token"),
        ],
        ids=["another client id", "another host"],
    )
    async def test_no_token_goes_to_another_registration_than_it_came_from(
        self, scene: Scene, other: OAuthClient
    ) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.clients.clients = [other]
        assert isinstance(await self.failure(token_of(scene.process(), scene.account)), ConsentNeeded)
        assert scene.server.renewals == 0

    async def test_a_new_secret_of_the_same_registration_is_used(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        scene.clients.clients = [replace(builders.a_client(), client_secret=Secret("n3wer"))]
        await token_of(scene.process(), scene.account)
        assert scene.server.shown == [Secret("n3wer")]

    async def test_tokens_that_were_given_without_the_secret_are_renewed_without_it(self, scene: Scene) -> None:
        public = builders.a_client().without_secret()
        await builders.given(scene.process(), scene.account, a_grant(), public)
        scene.now += HOUR
        await token_of(scene.process(), scene.account)
        assert scene.server.shown == [None]

    async def test_no_token_stands_in_the_journal(self, scene: Scene) -> None:
        await scene.consent()
        scene.now += HOUR
        await token_of(scene.process(), scene.account)
        scene.server.revoke_all()
        scene.now += HOUR
        await self.failure(token_of(scene.process(), scene.account))
        assert scene.journal.messages == ["an access token was renewed", "a consent is gone"]
        for secret in scene.server.issued:
            assert secret not in str(scene.journal.lines)


class TestWarmTokens:
    def test_only_so_many_are_kept(self) -> None:
        warm = WarmTokens()
        for number in range(WARM_TOKENS + 1):
            warm.put(f"grant-{number}", Secret(str(number)), NOON + HOUR)
        assert warm.get("grant-0", NOON) is None
        assert warm.get(f"grant-{WARM_TOKENS}", NOON) == Secret(str(WARM_TOKENS))

    def test_none_shows_itself(self) -> None:
        warm = WarmTokens()
        warm.put("grant", Secret("t0ken"), NOON + HOUR)
        assert "t0ken" not in repr(vars(warm))


def test_the_tokens_service_is_the_one_that_is_wired() -> None:
    assert AccessTokens.__dataclass_fields__.keys() >= {"grants", "vault", "clients", "servers", "warm"}
