"""Consent to a mailbox: asking for it, and taking in what comes back.

What comes back counts only where it was asked for: by its state, once, in time, in the browser in which its owner
began or from the owner who has signed in here, from the server that was asked (RFC 9700, section 4). The code is worth
nothing without the verifier that is kept here (RFC 7636). What consent brings is the affair of ``grants``.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from secrets import token_urlsafe
from typing import Any

from popfetch.domain.account import Account, AuthMethod, Server
from popfetch.domain.errors import (
    AuthorizationPending,
    ConsentInterrupted,
    ConsentRefused,
    GrantInvalid,
    NoOAuthProvider,
    OAuthClientRefused,
    OAuthFlowInvalid,
    OAuthNotConfigured,
    OtherBrowser,
    PopfetchError,
    TokensUnavailable,
)
from popfetch.domain.oauth import (
    FLOW_LIFETIME,
    AuthorizationServer,
    CallbackAnswer,
    DeviceOffer,
    Flow,
    OAuthClient,
    PendingConsent,
    TokenAnswer,
    check_browser,
    hash_of,
    login_hint,
)
from popfetch.domain.secret import TOKEN_OCTETS, Secret, TokenUse
from popfetch.ports.accounts import AccountStore
from popfetch.ports.credentials import AuthorizationServers, PendingConsents
from popfetch.ports.invocation import Clock, Journal
from popfetch.services.access_tokens import whose
from popfetch.services.grants import Connected, Grants
from popfetch.services.sign_in_secrets import SignInSecrets

POLL_SECONDS = 8
"""How long nobody else asks for a device code while one does: longer than an answer may take."""

_PASSES = frozenset({"server_error", "temporarily_unavailable"})
_OPERATORS_AFFAIR = frozenset(
    {"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"}
)
"""What a consent page says of popfetch, not of the person (RFC 6749, section 4.1.2.1)."""


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
    grants: Grants
    journal: Journal
    clock: Clock
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run
    new_text: Callable[[], str] = lambda: token_urlsafe(TOKEN_OCTETS)

    def providers(self) -> list[tuple[AuthorizationServer, bool]]:
        """The authorization servers that are known, each with whether popfetch is registered there."""
        clients = self.secrets.clients
        return [(server, clients.is_registered(server.id)) for server in clients.servers()]

    # --- Asking -----------------------------------------------------------------------------------------------

    def ask_in_browser(self, owner_id: str, account_id: str, redirect_uri: str) -> AskedInBrowser:
        """Ask for consent in the owner's browser, which comes back to ``redirect_uri``.

        Raises AccountNotFound, NoOAuthProvider, InvalidAccount, OAuthNotConfigured and StorageUnavailable.
        """
        account = self.store.get(owner_id, account_id).account
        server, client = self._client_for(account)
        state, browser_secret, verifier = self.new_text(), Secret(self.new_text()), Secret(self.new_text())
        address = self.servers.consent_address(
            client,
            redirect_uri=redirect_uri,
            state=state,
            code_verifier=verifier,
            login_hint=login_hint(account, server),
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
        return AskedInBrowser(address, state, browser_secret)

    def ask_by_device(self, owner_id: str, account_id: str) -> AskedByDevice:
        """Ask for consent by a code that the owner enters in any browser.

        Raises AccountNotFound, NoOAuthProvider, InvalidAccount, OAuthNotConfigured, OAuthClientRefused,
        TokensUnavailable and StorageUnavailable.
        """
        account = self.store.get(owner_id, account_id).account
        _, client = self._client_for(account)
        if Flow.DEVICE not in client.server.flows:
            raise NoOAuthProvider(f"flow: {client.server.name} has no sign-in by a code; use the browser.")
        client = _for_devices(client)
        offer: DeviceOffer = self.run(self._telling_operator(client, self.servers.offer_device(client)))
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
        account = self.store.get(owner_id, account_id).account
        state_hash, pending = self._begun_for(account, answer.state, Flow.CODE)
        return self._finish(state_hash, pending, answer)

    def finish_by_device(self, owner_id: str, account_id: str, state: str) -> Connected:
        """See whether the owner has entered the code, no more often than the server wants to be asked.

        Raises AccountNotFound, AuthorizationPending, OAuthFlowInvalid and NotConnected.
        """
        account = self.store.get(owner_id, account_id).account
        state_hash, pending = self._begun_for(account, state, Flow.DEVICE)
        pending = self._take_turn(state_hash, pending)
        try:
            client = _for_devices(self.secrets.clients.client(pending.server_id))
            code = self._open(pending)
            tokens: TokenAnswer = self.run(self._telling_operator(client, self.servers.poll_device(client, code)))
        except AuthorizationPending as error:
            seconds = pending.poll_seconds + error.seconds
            self._end_turn(state_hash, pending, seconds)
            raise AuthorizationPending(seconds) from error
        except (ConsentRefused, OAuthFlowInvalid, GrantInvalid) as error:
            self.pending.take(state_hash)
            raise NotConnected(account_id, _as_refusal(error)) from error
        except PopfetchError as error:
            self._end_turn(state_hash, pending, pending.poll_seconds)
            raise NotConnected(account_id, error) from error
        if not self.pending.take(state_hash):
            raise OAuthFlowInvalid
        return self._keep(account, client, tokens)

    # --- In between -------------------------------------------------------------------------------------------

    def _client_for(self, account: Account) -> tuple[Server, OAuthClient]:
        """popfetch at the server that gives the tokens for one of an account's mail servers, and which that is.

        One that is to be signed in to by OAuth 2 goes first, then the incoming one.
        """
        for server, direction in sorted(account.servers, key=lambda way: way[0].auth is not AuthMethod.OAUTH2):
            client = self.secrets.client_for(server, direction)
            if client is not None:
                return server, client
        for mistake in self.secrets.clients.mistakes():
            raise OAuthNotConfigured(mistake)
        raise NoOAuthProvider(
            f"incoming.host: popfetch knows no sign-in by OAuth 2 for {account.incoming.host}; use a password, or an "
            "app password where the provider asks for one."
        )

    def _waited_for(self, state: str, flow: Flow) -> tuple[bytes, PendingConsent]:
        """The hash of a state, and what is waited for by it. Raises OAuthFlowInvalid."""
        state_hash = hash_of(state)
        pending = self.pending.find(state_hash)
        if pending is None or pending.flow is not flow or self.clock() >= pending.expires_at:
            raise OAuthFlowInvalid
        return state_hash, pending

    def _begun_for(self, account: Account, state: str, flow: Flow) -> tuple[bytes, PendingConsent]:
        """The same, of one that was asked for an account."""
        state_hash, pending = self._waited_for(state, flow)
        if (pending.owner_id, pending.account_id) != (account.owner_id, account.account_id):
            raise OAuthFlowInvalid
        return state_hash, pending

    def _take_turn(self, state_hash: bytes, pending: PendingConsent) -> PendingConsent:
        """Take the turn to ask for a device code. Raises AuthorizationPending where it is too early."""
        now = self.clock()
        if pending.poll_after is not None and now < pending.poll_after:
            raise AuthorizationPending(max(1, round((pending.poll_after - now).total_seconds())))
        mine = replace(pending, poll_after=now + timedelta(seconds=max(POLL_SECONDS, pending.poll_seconds)))
        if not self.pending.postpone(state_hash, pending, mine):
            raise AuthorizationPending(pending.poll_seconds)
        return mine

    def _end_turn(self, state_hash: bytes, mine: PendingConsent, seconds: int) -> None:
        """Let the next turn come in so many seconds, and no sooner from now on."""
        later = replace(mine, poll_seconds=seconds, poll_after=self.clock() + timedelta(seconds=seconds))
        self.pending.postpone(state_hash, mine, later)

    def _finish(self, state_hash: bytes, pending: PendingConsent, answer: CallbackAnswer) -> Connected:
        # before anything is asked of the server: whatever comes of it, this state is used
        if not self.pending.take(state_hash):
            raise OAuthFlowInvalid
        try:
            account = self.store.get(pending.owner_id, pending.account_id).account
            client = self.secrets.clients.client(pending.server_id)
            code = self._code_of(answer, client.server, pending)
            exchange = self.servers.exchange(
                client, code, redirect_uri=pending.redirect_uri, code_verifier=self._open(pending)
            )
            tokens: TokenAnswer = self.run(self._telling_operator(client, exchange))
        except TokensUnavailable as error:
            raise NotConnected(
                pending.account_id, ConsentInterrupted(f"{error.message} Start the sign-in again.")
            ) from error
        except PopfetchError as error:
            raise NotConnected(pending.account_id, _as_refusal(error)) from error
        return self._keep(account, client, tokens)

    def _code_of(self, answer: CallbackAnswer, server: AuthorizationServer, pending: PendingConsent) -> Secret:
        """The code of an answer that comes from the server that was asked, and that is no refusal."""
        whose = {"owner_id": pending.owner_id, "account_id": pending.account_id, "provider": server.id}
        others = (other for other in self.secrets.clients.servers() if other.id != server.id)
        said = answer.issuer
        if not server.is_issuer(said) or (said is not None and any(other.is_called(said) for other in others)):
            self.journal.error("a consent came back from another server than was asked", **whose)
            raise ConsentRefused("The answer came from another server than was asked; start the sign-in again.")
        if answer.code is not None and not answer.error:
            return answer.code
        if answer.error in _OPERATORS_AFFAIR:
            self.journal.error("a consent page does not accept popfetch", **whose, error=answer.error)
            raise OAuthClientRefused.by(server.name, answer.error)
        self.journal.info("no consent was given", **whose, passes=answer.error in _PASSES)
        if answer.error in _PASSES:
            raise ConsentInterrupted(f"{server.name} has a problem of its own; start the sign-in again in a moment.")
        raise ConsentRefused(f"{server.name} says that there is no consent; start the sign-in again.")

    def _keep(self, account: Account, client: OAuthClient, tokens: TokenAnswer) -> Connected:
        try:
            return self.grants.keep(account, client, tokens)
        except PopfetchError as error:
            self.journal.warning(
                "a consent was not kept", **whose(account), provider=client.server.id, error=error.code
            )
            raise NotConnected(account.account_id, error) from error

    async def _telling_operator[Answer](self, client: OAuthClient, answer: Coroutine[Any, Any, Answer]) -> Answer:
        try:
            return await answer
        except OAuthClientRefused as error:
            self.secrets.tokens.tell_operator(client.server.id, error)
            raise

    def _seal(self, proof: Secret, account: Account) -> bytes:
        return self.secrets.vault.seal(proof, account.owner_id, account.account_id, TokenUse.PENDING_CONSENT)

    def _open(self, pending: PendingConsent) -> Secret:
        vault = self.secrets.vault
        return vault.open(pending.proof, pending.owner_id, pending.account_id, TokenUse.PENDING_CONSENT)


def _for_devices(client: OAuthClient) -> OAuthClient:
    """popfetch as a device's codes are given to it."""
    return client.without_secret() if client.server.devices_are_public else client


def _as_refusal(error: PopfetchError) -> PopfetchError:
    """What a person is told of a code or device code that the server does not honour (any more)."""
    if isinstance(error, GrantInvalid | OAuthFlowInvalid):
        return ConsentRefused("The provider does not honour this sign-in any more; start it again.")
    return error
