"""What consent brings: an account that is opened by it, once that was seen to work, and one that waits when it is gone.

What a consent opens is tried before it is kept, as a password is: whoever consents as somebody else learns of it at
once. What has nothing to do with the consent, such as a mail server in trouble, is told and keeps nobody from it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from secrets import token_urlsafe
from typing import Any

from popfetch.domain.account import Account, Grant, Standing
from popfetch.domain.account_change import followed_up
from popfetch.domain.admission import may_sign_in_soon
from popfetch.domain.errors import AccountChanged, ConsentRefused, PopfetchError, StorageUnavailable
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.oauth import (
    OAuthClient,
    TokenAnswer,
    consented,
    withdrawn,
)
from popfetch.domain.secret import TOKEN_OCTETS, Secret
from popfetch.ports.accounts import AccountRecord, AccountStore
from popfetch.ports.invocation import Clock, Journal
from popfetch.ports.schedule import FetchQueue
from popfetch.services.access_tokens import AccessTokens, whose
from popfetch.services.accounts import ask_for_check, sign_in_after
from popfetch.services.sign_in_trial import (
    SIGN_IN_SECONDS_BY_TOKEN,
    SignInTester,
    SignInTestFailed,
    SignInTestRefused,
    SignInTrial,
)


@dataclass(frozen=True, slots=True)
class Connected:
    """A mailbox that popfetch may open now; ``trouble`` is what went wrong beside that, where anything did."""

    record: AccountRecord
    trouble: SignInTestFailed | None = None


@dataclass(frozen=True, slots=True)
class Grants:
    """Keeps what consents bring, and gives them back."""

    store: AccountStore
    tokens: AccessTokens
    tester: SignInTester
    queue: FetchQueue
    journal: Journal
    clock: Clock
    run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run
    new_grant_id: Callable[[], str] = lambda: token_urlsafe(TOKEN_OCTETS)

    def keep(self, account: Account, client: OAuthClient, answer: TokenAnswer) -> Connected:
        """Try what a consent opens, keep its tokens, and turn the account's servers over to them.

        What is not kept is not given back at the server: some end all that a person has granted to popfetch with it,
        other accounts of theirs too. Raises ConsentRefused, SignInTestRefused, HostRefused, InvalidAccount,
        AccountNotFound, AccountChanged and StorageUnavailable.
        """
        server = client.server
        if server.scopes_missing(answer.scope) or answer.refresh_token is None:
            raise ConsentRefused(
                f"{server.name} gave popfetch less than a mailbox needs; start again, and allow all that it asks for."
            )
        grant = Grant(self.new_grant_id(), server.id, self.clock())
        trouble, login_delay = self._tried(consented(account, server, grant), answer.access_token)
        now = self.clock()
        self.run(self.tokens.keep_first(account, grant, client, answer))
        former: Grant | None = None

        def connected(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            nonlocal former
            if (stored.incoming, stored.outgoing) != (account.incoming, account.outgoing):
                raise AccountChanged("The account was changed while the sign-in was tried; start it again.")
            former = stored.grant
            after = consented(stored, server, grant)
            return followed_up(stored, after, state, sign_in_after(now, login_delay, stored.incoming.host))

        try:
            record = self.store.change(account.owner_id, account.account_id, connected)
        except PopfetchError:
            self.tokens.forget(account, grant)
            raise
        self.journal.info(
            "a mailbox was opened by consent",
            **whose(account),
            provider=server.id,
            **({"trouble": trouble.code} if trouble else {}),
        )
        if former is not None:
            self.tokens.forget(account, former)
        self._check_for_mail(record)
        return Connected(record, trouble)

    def give_back(self, owner_id: str, account_id: str) -> AccountRecord:
        """Give consent back: its tokens are forgotten, and the account is not collected until there is another.

        Again does no harm, and finishes what was cut short. Raises AccountNotFound and StorageUnavailable.
        """
        given: Account | None = None

        def disconnected(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            nonlocal given
            given = stored
            without = withdrawn(stored)
            stops = without.lacks_consent and without.standing is not Standing.PAUSED
            return (replace(without, standing=Standing.AUTH_FAILED) if stops else without), state

        record = self.store.change(owner_id, account_id, disconnected)
        assert given is not None
        self.run(self.tokens.give_back(given, self.store.of_owner(owner_id)))
        return record

    def _tried(self, account: Account, token: Secret) -> tuple[SignInTestFailed | None, int]:
        """Sign in at the servers that tokens go to.

        Returns what went wrong there that has nothing to do with the token, and the pause that the incoming server
        wants, in seconds. Raises SignInTestRefused where the mailbox is not the one that was consented for.
        """
        trials = [SignInTrial(direction, server, token) for server, direction in account.by_token]
        try:
            pause: int = self.run(self.tester.try_all(trials, SIGN_IN_SECONDS_BY_TOKEN))
        except SignInTestRefused as error:
            if error.direction is trials[0].direction:
                raise
            return error, 0
        except SignInTestFailed as error:
            return error, 0
        return None, pause

    def _check_for_mail(self, record: AccountRecord) -> None:
        """Check for mail at once, unless the server wants a pause."""
        if not may_sign_in_soon(record.state, self.clock()) or record.account.standing is not Standing.ACTIVE:
            return
        try:
            ask_for_check(self.queue, record.account, self.clock())
        except StorageUnavailable as error:
            # consent is kept all the same, and the schedule checks for mail by itself
            self.journal.warning("no check was asked for", **whose(record.account), reason=error.message)
