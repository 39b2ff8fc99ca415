"""Getting in at an account's outgoing server, and remembering at the account when it does not let popfetch in.

A refused password marks the outgoing side and nothing else: collecting goes on, and what works again clears the mark.
After as many refusals as stop collecting the server is left alone, before the provider locks the mailbox.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from popfetch.domain.account import Account, AuthMethod, Direction, Server
from popfetch.domain.draft import Envelope
from popfetch.domain.errors import (
    AccountChanged,
    AccountNotFound,
    ConsentNeeded,
    NoOutgoingServer,
    OutgoingStopped,
    SecretUnreadable,
    StorageUnavailable,
)
from popfetch.domain.failures import OUTGOING_NEEDS_A_PERSON, after_outgoing_refusal, is_outgoing_stopped
from popfetch.domain.fetch_state import FetchState
from popfetch.domain.secret import Secret
from popfetch.ports.accounts import AccountStore
from popfetch.ports.invocation import Clock, Journal
from popfetch.ports.metrics import Metric
from popfetch.ports.submission import RefusedRecipient, Submission, SubmissionDialer
from popfetch.services.sending_failures import not_sent
from popfetch.services.sign_in_secrets import SignInSecrets
from popfetch.services.sign_in_trial import SignInTrial, told
from popfetch.smtp.errors import SignInRefused, SmtpError

SENDING_SECONDS = 23.0
"""How long a conversation may take, from the request's first moment; the API answers within 29 seconds."""

LONGEST_NOTE = 300
"""As much of a sentence, in characters, as the account keeps of a refused sign-in."""


@dataclass(frozen=True, slots=True)
class OutgoingSessions:
    """Opens signed-in conversations with accounts' outgoing servers."""

    accounts: AccountStore
    secrets: SignInSecrets
    dialer: SubmissionDialer
    journal: Journal
    clock: Clock

    def check(self, account: Account) -> Server:
        """The outgoing server of an account that may send. Raises NoOutgoingServer and OutgoingStopped."""
        if not account.can_send:
            raise NoOutgoingServer("This account has no outgoing server yet; add one to the account first.")
        assert account.outgoing is not None
        if is_outgoing_stopped(account.outgoing_failure):
            by_token = account.outgoing.auth is AuthMethod.OAUTH2
            what, remedy = (
                ("access token", "Sign in again at the provider, by this account in popfetch.")
                if by_token
                else ("outgoing password", "Set the outgoing password again; it may be the same as before.")
            )
            raise OutgoingStopped(
                f"{account.outgoing.host} has refused the {what} of {account.email} too often, so that popfetch leaves"
                f" it alone before the provider locks the mailbox. {remedy}"
            )
        return account.outgoing

    async def open(self, account: Account, deadline: float) -> Submission:
        """Sign in; ``deadline`` (``asyncio`` loop time) bounds the whole conversation.

        Raises what ``check`` raises, HostRefused, the leaves of SignInTestFailed, and where there is no access token
        what ``AccessTokens.token_of`` raises.
        """
        server = self.check(account)

        tried: Secret | None = None

        async def sign_in(secret: Secret) -> Submission:
            nonlocal tried
            tried = secret
            return await self.dialer.open(server, secret, deadline)

        try:
            session = await self.secrets.signed_in(
                account, Direction.OUTGOING, sign_in, again=account.outgoing_failure is None, deadline=deadline
            )
        except SmtpError as error:
            if error.code in OUTGOING_NEEDS_A_PERSON:
                explicit = isinstance(error, SignInRefused) and error.explicit
                self._mark(account, error.code, error.message, explicit=explicit)
            assert tried is not None
            raise told(error.code, SignInTrial(Direction.OUTGOING, server, tried), error) from error
        except (SecretUnreadable, ConsentNeeded) as error:
            # without any consent nobody was asked, and nothing was refused
            if account.grant is not None or isinstance(error, SecretUnreadable):
                self._mark(account, error.code, error.message, explicit=False)
            if isinstance(error, ConsentNeeded):
                raise
            raise OutgoingStopped(
                f"The outgoing password that popfetch keeps for {account.email} cannot be opened; set it again."
            ) from error
        if account.outgoing_failure is not None:
            self._note(account, lambda stored: replace(stored, outgoing_failure=None))
        return session

    def _mark(self, account: Account, code: str, message: str, *, explicit: bool) -> None:
        """Remember at the account that its outgoing server does not let popfetch in; collecting goes on."""
        now = self.clock()
        self.journal.count(Metric.OUTGOING_SIGN_INS_REFUSED)
        self._note(
            account,
            lambda stored: replace(
                stored,
                outgoing_failure=after_outgoing_refusal(
                    stored.outgoing_failure, code, message[:LONGEST_NOTE], explicit=explicit, now=now
                ),
            ),
        )

    def _note(self, account: Account, change: Callable[[Account], Account]) -> None:
        """Note something at the account, unless its way out is another one by now."""

        def noted(stored: Account, state: FetchState) -> tuple[Account, FetchState]:
            return change(stored) if stored.way_out == account.way_out else stored, state

        try:
            self.accounts.change(account.owner_id, account.account_id, noted)
        except (AccountChanged, AccountNotFound, StorageUnavailable) as error:
            self.journal.warning(
                "the state of an outgoing server was not noted",
                owner_id=account.owner_id,
                account_id=account.account_id,
                error=error.code,
            )


async def begun(session: Submission, envelope: Envelope) -> list[RefusedRecipient]:
    """Tell the server of a message; returns whom it refuses. Raises the leaves of MailNotSent."""
    try:
        return await session.begin(envelope)
    except SmtpError as error:
        raise not_sent(error) from error
