"""Consent to a mailbox: asking for it, taking it in, giving it back.

What comes back counts only where it was asked for: by its state, once, in time, in the browser in which its owner
began or from the owner who has signed in here, from the server that was asked (RFC 9700, section 4). The code is worth
nothing without the verifier that is kept here (RFC 7636). What the consent opens is tried before it is kept, as a
password is: whoever consents as somebody else learns of it at once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from popfetch.domain.account import Account, AuthMethod, Direction, Grant, Standing
from popfetch.domain.account_change import followed_up
from popfetch.domain.admission import LONGEST_WAIT
from popfetch.domain.errors import (
    AuthorizationPending,
    ConsentRefused,
    GrantInvalid,
    NoOAuthProvider,
    OAuthClientRefused,
    OAuthFlowInvalid,
    OtherBrowser,
    PopfetchError,
    StorageUnavailable,
)
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.oauth import (
    FLOW_LIFETIME,
    STATE_OCTETS,
    AuthorizationServer,
    CallbackAnswer,
    DeviceOffer,
    Flow,
    OAuthClient,
    PendingConsent,
    TokenAnswer,
    check_browser,
    check_token_may_go,
    consented,
    hash_of,
    login_hint,
    withdrawn,
)
from popfetch.domain.secret import Secret, TokenUse
from popfetch.ports import (
    AccountRecord,
    AccountStore,
    AuthorizationServers,
    Clock,
    FetchQueue,
    Journal,
    PendingConsents,
)
from popfetch.services.accounts import ask_for_check, sign_in_after
from popfetch.services.sign_in_secrets import SignInSecrets
from popfetch.services.sign_in_trial import SignInTester, SignInTestFailed, SignInTestRefused, SignInTrial

TRIAL_SECONDS = 15.0
"""How long trying what a consent opens may take; the exchange before it has six seconds, and the API 29."""


@dataclass(frozen=True, slots=True)
class AskedInBrowser:
    """Where the owner consents; ``browser_secret`` stays with the browser, and ``state`` comes back from the server."""

    address: str
    state: str
    browser_secret: Secret
    expires_in: timedelta = FLOW_LIFETIME


@dataclass(frozen=True, slots=True)
class AskedByDevice:
    """What the owner enters elsewhere; ``state`` names this flow when one asks how it stands."""

    offer: DeviceOffer
    state: str


@dataclass(frozen=True, slots=True)
class Connected:
    """A mailbox that popfetch may open now; ``trouble`` is what went wrong beside that, where anything did."""

    record: AccountRecord
    trouble: SignInTestFailed | None = None


class NotConnected(Exception):
    """A consent that was waited for came to nothing; the account it was for is known by then, and why it failed."""

    def __init__(self, account_id: str, why: PopfetchError) -> None:
        super().__init__(why)
        self.account_id = account_id
        self.why = why


@dataclass(frozen=True, slots=True)
class Consent:
    """The verbs over consent. No call reaches another owner's account: it is not found."""

    store: AccountStore
    pending: PendingConsents
    secrets: SignInSecrets
    servers: AuthorizationServers
    tester: SignInTester
    queue: FetchQueue
    journal: Journal
    clock: Clock
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run
    new_text: Callable[[], str] = lambda: token_urlsafe(STATE_OCTETS)

    def providers(self) -> list[tuple[AuthorizationServer, bool]]:
        """The authorization servers that are known, each with whether popfetch is registered there."""
        clients = self.secrets.clients
        return [(server, clients.is_registered(server.id)) for server in clients.servers()]

    # --- Asking -----------------------------------------------------------------------------------------------

    def ask_in_browser(self, owner_id: str, account_id: str, redirect_uri: str) -> AskedInBrowser:
        """Ask for consent in the owner's browser, which comes back to ``redirect_uri``.

        Raises AccountNotFound, NoOAuthProvider, InvalidAccount, OAuthNotConfigured and StorageUnavailable.
        """
        account, client = self._client_for(owner_id, account_id)
        state, browser_secret, verifier = self.new_text(), Secret(self.new_text()), Secret(self.new_text())
        asked = AskedInBrowser(
            self.servers.consent_address(
                client,
                redirect_uri=redirect_uri,
                state=state,
                code_verifier=verifier,
                login_hint=login_hint(account),
            ),
            state,
            browser_secret,
        )
        self.pending.keep(
            hash_of(state),
            PendingConsent(
                owner_id,
                account_id,
                client.server.id,
                Flow.CODE,
                proof=self._seal(verifier, account),
                expires_at=self.clock() + FLOW_LIFETIME,
                redirect_uri=redirect_uri,
                browser_hash=hash_of(browser_secret.reveal()),
            ),
        )
        return asked

    def ask_by_device(self, owner_id: str, account_id: str) -> AskedByDevice:
        """Ask for consent by a code that the owner enters in any browser.

        Raises AccountNotFound, NoOAuthProvider, InvalidAccount, OAuthNotConfigured, OAuthClientRefused,
        TokensUnavailable and StorageUnavailable.
        """
        account, client = self._client_for(owner_id, account_id)
        if Flow.DEVICE not in client.server.flows:
            raise NoOAuthProvider(f"flow: {client.server.name} has no sign-in by a code; use the browser.")
        offer: DeviceOffer = self.run(self._noting_refusal(client, self.servers.offer_device(client)))
        state = self.new_text()
        self.pending.keep(
            hash_of(state),
            PendingConsent(
                owner_id,
                account_id,
                client.server.id,
                Flow.DEVICE,
                proof=self._seal(offer.device_code, account),
                expires_at=offer.expires_at,
                poll_seconds=offer.poll_seconds,
                poll_after=self.clock() + timedelta(seconds=offer.poll_seconds),
            ),
        )
        return AskedByDevice(offer, state)

    # --- Taking in --------------------------------------------------------------------------------------------

    def finish_in_browser(self, answer: CallbackAnswer, browser_secret: str) -> Connected:
        """Take in what a browser brings back.

        Raises OAuthFlowInvalid and OtherBrowser, and NotConnected once it is known which account it was for.
        """
        state_hash, pending = self._waited_for(answer.state, Flow.CODE)
        if not check_browser(pending, browser_secret):
            raise OtherBrowser
        return self._finish(state_hash, pending, answer)

    def finish_as_owner(self, owner_id: str, account_id: str, answer: CallbackAnswer) -> Connected:
        """Take in what came back in another browser, from the owner who began, and who has signed in here.

        Raises AccountNotFound, OAuthFlowInvalid and NotConnected.
        """
        self.store.get(owner_id, account_id)
        state_hash, pending = self._waited_for(answer.state, Flow.CODE)
        if (pending.owner_id, pending.account_id) != (owner_id, account_id):
            raise OAuthFlowInvalid
        return self._finish(state_hash, pending, answer)

    def finish_by_device(self, owner_id: str, account_id: str, state: str) -> Connected:
        """See whether the owner has entered the code, no more often than the server wants to be asked.

        Raises AccountNotFound, AuthorizationPending, OAuthFlowInvalid and NotConnected.
        """
        self.store.get(owner_id, account_id)
        state_hash, pending = self._waited_for(state, Flow.DEVICE)
        if (pending.owner_id, pending.account_id) != (owner_id, account_id):
            raise OAuthFlowInvalid
        pending = self._next_poll(state_hash, pending)
        try:
            account, client = self._again(pending)
            code = self._open(pending)
            tokens: TokenAnswer = self.run(self._noting_refusal(client, self.servers.poll_device(client, code)))
        except AuthorizationPending as error:
            seconds = pending.poll_seconds + error.seconds
            if error.seconds:
                later = replace(pending, poll_seconds=seconds, poll_after=self.clock() + timedelta(seconds=seconds))
                self.pending.postpone(state_hash, pending, later)
            raise AuthorizationPending(seconds) from error
        except (ConsentRefused, OAuthFlowInvalid, GrantInvalid) as error:
            self.pending.take(state_hash)
            raise NotConnected(account_id, _as_refusal(error)) from error
        except PopfetchError as error:
            raise NotConnected(account_id, error) from error
        if not self.pending.take(state_hash):
            raise OAuthFlowInvalid
        return self._connect(pending, account, client, tokens)

    def disconnect(self, owner_id: str, account_id: str) -> AccountRecord:
        """Give consent back: its tokens are forgotten, and the account is not collected until there is another.

        Raises AccountNotFound and StorageUnavailable.
        """
        account = self.store.get(owner_id, account_id).account
        if account.grant is None:
            return self.store.get(owner_id, account_id)

        def disconnected(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            without = withdrawn(stored)
            stops = without.lacks_consent and without.standing is not Standing.PAUSED
            return (replace(without, standing=Standing.AUTH_FAILED) if stops else without), state

        record = self.store.change(owner_id, account_id, disconnected)
        self.run(self.secrets.tokens.give_back(account))
        return record

    # --- In between -------------------------------------------------------------------------------------------

    def _client_for(self, owner_id: str, account_id: str) -> tuple[Account, OAuthClient]:
        """popfetch at the server that gives the tokens for an account's mailbox, or else for sending from it."""
        account = self.store.get(owner_id, account_id).account
        ways = [(account.incoming, Direction.INCOMING)]
        ways += [(account.outgoing, Direction.OUTGOING)] if account.outgoing else []
        known = self.secrets.clients.servers()
        for server, direction in ways:
            found = next((candidate for candidate in known if candidate.serves(server)), None)
            if found is not None:
                check_token_may_go(server, direction, found)
                return account, self.secrets.clients.client(found.id)
        raise NoOAuthProvider(
            f"incoming.host: popfetch knows no sign-in by OAuth 2 for {account.incoming.host}; use a password, or an "
            "app password where the provider asks for one."
        )

    def _waited_for(self, state: str, flow: Flow) -> tuple[bytes, PendingConsent]:
        state_hash = hash_of(state)
        pending = self.pending.find(state_hash)
        if pending is None or pending.flow is not flow or self.clock() >= pending.expires_at:
            raise OAuthFlowInvalid
        return state_hash, pending

    def _next_poll(self, state_hash: bytes, pending: PendingConsent) -> PendingConsent:
        """Take the next turn to ask for a device code. Raises AuthorizationPending where it is too early."""
        now = self.clock()
        if pending.poll_after is not None and now < pending.poll_after:
            raise AuthorizationPending(max(1, round((pending.poll_after - now).total_seconds())))
        mine = replace(pending, poll_after=now + timedelta(seconds=pending.poll_seconds))
        if not self.pending.postpone(state_hash, pending, mine):
            raise AuthorizationPending(pending.poll_seconds)
        return mine

    def _finish(self, state_hash: bytes, pending: PendingConsent, answer: CallbackAnswer) -> Connected:
        # before anything is asked of the server: whatever comes of it, this state is used
        if not self.pending.take(state_hash):
            raise OAuthFlowInvalid
        try:
            account, client = self._again(pending)
            if not client.server.is_issuer(answer.issuer):
                self.journal.error(
                    "a consent came back from another server than was asked",
                    owner_id=pending.owner_id,
                    account_id=pending.account_id,
                    provider=pending.server_id,
                )
                raise ConsentRefused("The answer came from another server than was asked; start the sign-in again.")
            if answer.error or answer.code is None:
                raise ConsentRefused(f"{client.server.name} says that there is no consent; start the sign-in again.")
            exchange = self.servers.exchange(
                client, answer.code, redirect_uri=pending.redirect_uri, code_verifier=self._open(pending)
            )
            tokens: TokenAnswer = self.run(self._noting_refusal(client, exchange))
        except PopfetchError as error:
            raise NotConnected(pending.account_id, _as_refusal(error)) from error
        return self._connect(pending, account, client, tokens)

    def _again(self, pending: PendingConsent) -> tuple[Account, OAuthClient]:
        """The account that a consent is for, and popfetch at the server that was asked."""
        account = self.store.get(pending.owner_id, pending.account_id).account
        return account, self.secrets.clients.client(pending.server_id)

    def _connect(
        self, pending: PendingConsent, account: Account, client: OAuthClient, tokens: TokenAnswer
    ) -> Connected:
        try:
            return self._keep(account, client, tokens)
        except PopfetchError as error:
            self.journal.warning(
                "a consent was not kept",
                owner_id=pending.owner_id,
                account_id=pending.account_id,
                provider=pending.server_id,
                error=error.code,
            )
            raise NotConnected(pending.account_id, error) from error

    def _keep(self, account: Account, client: OAuthClient, tokens: TokenAnswer) -> Connected:
        """Try what the consent opens, keep its tokens, and turn the account's servers over to them."""
        server = client.server
        if server.scopes_missing(tokens.scope) or tokens.refresh_token is None:
            raise ConsentRefused(
                f"{server.name} gave popfetch less than a mailbox needs; start again, and allow all that it asks for."
            )
        grant = Grant(self.new_text(), server.id, self.clock())
        trouble, login_delay = self._tried(consented(account, server, grant), tokens.access_token)
        now = self.clock()
        self.run(self.secrets.tokens.keep_first(account, grant, tokens))
        former: Grant | None = None

        def connected(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            nonlocal former
            former = stored.grant
            after = consented(stored, server, grant)
            return followed_up(stored, after, state, sign_in_after(now, login_delay, stored.incoming.host))

        try:
            record = self.store.change(account.owner_id, account.account_id, connected)
        except PopfetchError:
            self.secrets.tokens.grants.remove(account.account_id, grant.grant_id)
            raise
        self.journal.info(
            "a mailbox was opened by consent",
            owner_id=account.owner_id,
            account_id=account.account_id,
            provider=server.id,
            **({"trouble": trouble.code} if trouble else {}),
        )
        self._afterwards(record, former)
        return Connected(record, trouble)

    def _afterwards(self, record: AccountRecord, former: Grant | None) -> None:
        """Forget the tokens of the grant before, and check for mail at once, unless the server wants a pause."""
        account = record.account
        wanted = record.state.sign_in_after
        soon = wanted is None or wanted - self.clock() <= LONGEST_WAIT
        try:
            if former is not None:
                self.secrets.tokens.grants.remove(account.account_id, former.grant_id)
            if soon and account.standing is Standing.ACTIVE:
                ask_for_check(self.queue, account, self.clock())
        except StorageUnavailable as error:
            # consent is kept all the same, and the schedule checks for mail by itself
            self.journal.warning(
                "what follows a consent was not done",
                owner_id=account.owner_id,
                account_id=account.account_id,
                reason=error.message,
            )

    def _tried(self, account: Account, token: Secret) -> tuple[SignInTestFailed | None, int]:
        """Sign in at the servers that tokens go to.

        Returns what went wrong there that has nothing to do with the token, and the pause that the incoming server
        wants, in seconds. Raises SignInTestRefused where the mailbox is not the one that was consented for.
        """
        ways = [(account.incoming, Direction.INCOMING)]
        ways += [(account.outgoing, Direction.OUTGOING)] if account.outgoing else []
        trials = [
            SignInTrial(direction, server, token) for server, direction in ways if server.auth is AuthMethod.OAUTH2
        ]
        try:
            pause: int = self.run(self.tester.try_all(trials, TRIAL_SECONDS))
        except SignInTestRefused as error:
            if error.direction is trials[0].direction:
                raise
            return error, 0
        except SignInTestFailed as error:
            return error, 0
        return None, pause

    async def _noting_refusal[Answer](self, client: OAuthClient, answer: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            return await answer
        except OAuthClientRefused as error:
            self.journal.error(
                "an authorization server does not accept popfetch", provider=client.server.id, reason=error.message
            )
            self.journal.count("OAuthClientsRefused")
            raise

    def _seal(self, proof: Secret, account: Account) -> bytes:
        return self.secrets.vault.seal(proof, account.owner_id, account.account_id, TokenUse.PENDING_CONSENT)

    def _open(self, pending: PendingConsent) -> Secret:
        vault = self.secrets.vault
        return vault.open(pending.proof, pending.owner_id, pending.account_id, TokenUse.PENDING_CONSENT)


def _as_refusal(error: PopfetchError) -> PopfetchError:
    """What a person is told of a code or device code that the server does not honour (any more)."""
    if isinstance(error, GrantInvalid | OAuthFlowInvalid):
        return ConsentRefused("The provider does not honour this sign-in any more; start it again.")
    return error
