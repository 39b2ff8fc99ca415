"""What can go wrong in popfetch's own rules, as one root with short leaves.

Each error says what happened, to which account, and what to do. ``code`` is the word that the API, the logs and
the account's state use; ``retryable`` says whether doing the same again later may succeed.
"""

from datetime import timedelta
from math import ceil
from typing import ClassVar, Self


class PopfetchError(Exception):
    """The root of every error that popfetch raises on purpose."""

    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    @property
    def message(self) -> str:
        """The sentence for a person; it never holds a secret."""
        return str(self.args[0]) if self.args else self.__class__.__name__

    @property
    def for_the_log(self) -> str:
        """What operators may read of it: nothing that a person has written, or that a server says of one."""
        return self.message


class InvalidAccount(PopfetchError):
    """An account whose settings cannot work; the message names the field and the remedy."""

    code = "invalid_account"


class NoOutgoingServer(InvalidAccount):
    """Something is asked of the account's outgoing server, and it has none."""

    code = "no_outgoing_server"


class OutgoingStopped(PopfetchError):
    """The outgoing server has refused the password so often that nothing is sent until it is given anew."""

    code = "outgoing_auth_failed"


class InvalidMail(PopfetchError):
    """A mail that cannot be sent as it is; the message names the field and the remedy."""

    code = "invalid_mail"


class UnderWay(PopfetchError):
    """Another invocation is at the very same work; how it ends is known a little later."""

    code = "under_way"
    retryable = True


class KeyReused(PopfetchError):
    """The key of an earlier request came with another one."""

    code = "idempotency_key_reused"


class InvalidOrder(PopfetchError):
    """An order that does not name each of the owner's accounts exactly once."""

    code = "invalid_order"


class InvalidCursor(PopfetchError):
    """A cursor that no page of this list has given."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("This cursor is not one of this list; leave it out to begin with the newest.")


class AccountNotFound(PopfetchError):
    """No such account for this owner."""

    code = "account_not_found"

    def __init__(self, account_id: str) -> None:
        super().__init__(f"There is no account {account_id}; list the accounts to see which there are.")


class MessageNotFound(PopfetchError):
    """No such message in this account, or its octets are not in the bucket any more."""

    code = "message_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such message in this account; list its messages to see which there are.")


class AttachmentNotFound(PopfetchError):
    """Nothing is attached to the message under this id."""

    code = "attachment_not_found"

    def __init__(self) -> None:
        super().__init__("This message has no such attachment; read the message to see which there are.")


class AttachmentBeyondReach(PopfetchError):
    """An attachment of a message that is too large to be read whole."""

    code = "attachment_beyond_reach"

    def __init__(self) -> None:
        super().__init__(
            "The message is too large for this attachment to be taken out of it; download the message, which has it."
        )


class HtmlUnreadable(PopfetchError):
    """A message's HTML takes more time or memory than there is for it; what else the message has can be read."""

    code = "html_unreadable"


class AccountAlreadyAdded(PopfetchError):
    """The owner has this mailbox already: same host, port and user name."""

    code = "account_already_added"


class TooManyAccounts(PopfetchError):
    """The owner has reached the number of accounts that one owner can keep."""

    code = "too_many_accounts"


class AccountChanged(PopfetchError):
    """Someone else changed the same item in between; read it again and repeat."""

    code = "account_changed"
    retryable = True


class AccountOutdated(PopfetchError):
    """The change was meant for an older version of the account; read it again, and change that."""

    code = "account_outdated"

    def __init__(self, account_id: str, version: int) -> None:
        super().__init__(
            f"Account {account_id} was changed meanwhile and is at version {version} now; read it again and repeat."
        )
        self.version = version


class CycleOvertaken(PopfetchError):
    """Another cycle of the same account has committed since this one began, or the account is gone."""

    code = "cycle_overtaken"


class NotAFetchRequest(PopfetchError):
    """A queue message that popfetch did not write; the message says what is wrong with it."""

    code = "not_a_fetch_request"


class NotAScheduledEvent(PopfetchError):
    """Dispatch was invoked with something that names no minute."""

    code = "not_a_scheduled_event"


class NotAQueueBatch(PopfetchError):
    """Fetch was invoked with something that is no batch of queue messages."""

    code = "not_a_queue_batch"


class NotAStop(PopfetchError):
    """Notify was invoked with something that tells of no stopped account."""

    code = "not_a_stop"


class MailRefused(PopfetchError):
    """A mail that will not be sent however often it is tried; the message says what the operator has to do.

    ``reason`` is the mail service's own word for it; no address is in either.
    """

    code = "mail_refused"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class MailUnavailable(PopfetchError):
    """The mail service did not take a mail that it may well take later."""

    code = "mail_unavailable"
    retryable = True


class VerificationMailRefused(PopfetchError):
    """A mail that asks an address for its consent was refused for good; the message is for the account's owner.

    ``server_said`` is what the account's own outgoing server said, empty where it was not asked or said nothing.
    """

    code = "mail_refused"

    def __init__(self, message: str, server_said: str = "") -> None:
        super().__init__(message)
        self.server_said = server_said


class TooOften(PopfetchError):
    """Something that reaches others was done too often; the same may be done after ``retry_after_seconds``."""

    code = "too_many_requests"
    retryable = True

    def __init__(self, what: str, wait: timedelta) -> None:
        seconds = ceil(wait.total_seconds())
        minutes = ceil(seconds / 60)
        hours = ceil(minutes / 60)
        words = f"{seconds} seconds" if seconds <= 90 else f"{minutes} minutes" if minutes <= 90 else f"{hours} hours"
        super().__init__(f"{what}; try again in {words}.")
        self.retry_after_seconds = seconds


class TooManyVerificationMails(TooOften):
    """An account asks too often, or an address was asked too often."""

    code = "too_many_verification_mails"


class TooManySignIns(TooOften):
    """An owner has had sign-ins tried too often, all in all or at one mailbox."""

    code = "too_many_sign_ins"


class ReplyToLinkInvalid(PopfetchError):
    """A link that answers no question: it is unknown, expired, used, or there is a newer one; nobody learns which.

    ``language`` is that of the mail that it came with, empty where that is not known.
    """

    code = "reply_to_link_invalid"

    def __init__(self, language: str = "") -> None:
        super().__init__("This link is not valid, or not any more; ask for a new one.")
        self.language = language


class SecretUnreadable(PopfetchError):
    """A sealed password does not open: it was altered, or sealed for another owner, account or direction."""

    code = "secret_unreadable"


class ConsentNeeded(PopfetchError):
    """There is no consent to an account's mailbox, or not any more: its owner has to sign in at the provider."""

    code = "consent_needed"

    def __init__(self, email: str, provider: str = "the provider") -> None:
        super().__init__(
            f"popfetch has no consent to the mailbox {email}, or not any more; open the account in popfetch and sign "
            f"in again at {provider}."
        )


class ConsentRefused(PopfetchError):
    """A person did not consent, or not to all that a mailbox needs; the message is for them."""

    code = "consent_refused"


class ConsentInterrupted(ConsentRefused):
    """A consent was given, or was about to be, and an authorization server gave no tokens for it; it has to be anew."""

    code = "token_endpoint_unavailable"


class GrantInvalid(PopfetchError):
    """An authorization server does not honour a code or a refresh token (any more): RFC 6749, section 5.2."""

    code = "invalid_grant"


class AuthorizationPending(PopfetchError):
    """A person has not entered their code yet (RFC 8628, section 3.5); ask again after ``seconds``."""

    code = "authorization_pending"
    retryable = True

    def __init__(self, seconds: int) -> None:
        super().__init__(f"The code was not entered at the provider yet; ask again in {seconds} seconds.")
        self.seconds = seconds


class TokensUnavailable(PopfetchError):
    """An authorization server gave no answer, or none that makes sense, so that there is no access token for now.

    Nobody's hand is needed: the same may well succeed later.
    """

    code = "token_endpoint_unavailable"
    retryable = True


class OAuthClientRefused(PopfetchError):
    """An authorization server does not accept popfetch itself; only the operator can mend that."""

    code = "oauth_client_refused"

    @classmethod
    def by(cls, server_name: str, said: str) -> Self:
        """The error that a server's word for it is."""
        return cls(
            f"{server_name} does not accept popfetch itself ({said}); whoever runs popfetch has to see to its "
            "registration there."
        )


class OAuthNotConfigured(PopfetchError):
    """The operator has not registered popfetch at the authorization server, or not in a way that can be read."""

    code = "oauth_not_configured"


class NoOAuthProvider(InvalidAccount):
    """No authorization server that popfetch knows gives tokens for the account's servers."""

    code = "no_oauth_provider"


class OAuthFlowInvalid(PopfetchError):
    """What comes back belongs to no consent that is waited for: unknown, used, too late; nobody learns which."""

    code = "oauth_flow_invalid"

    def __init__(self) -> None:
        super().__init__("This sign-in is not waited for, or not any more; start it again.")


class OtherBrowser(PopfetchError):
    """A consent comes back in another browser than the one in which it was asked for."""

    code = "other_browser"

    def __init__(self) -> None:
        super().__init__(
            "This is not the browser in which the sign-in was started. Start it again here, or hand the address of "
            "this page to the program that started it."
        )


class HostRefused(PopfetchError):
    """A host or port that popfetch does not connect to; the message says which rule and what to do."""

    code = "host_refused"


class StorageUnavailable(PopfetchError):
    """An AWS service that cycles depend on did not answer as it should; the same may well succeed later."""

    code = "storage_unavailable"
    retryable = True


class LookupFailed(PopfetchError):
    """One way to find the settings of an address led nowhere; the message says why, for the log."""

    code = "lookup_failed"
    retryable = True


class OwnerSignInRefused(PopfetchError):
    """Nobody is signed in by what was sent; why that is so, and whether there is such a user, nobody learns."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("That did not sign you in: see whether address and password are right, and begin again.")


class PasswordResetRequired(PopfetchError):
    """The operator wants a user to choose a new password before they sign in again."""

    code = "password_reset_required"

    def __init__(self) -> None:
        super().__init__("A new password is needed: have a code sent to your address, and choose one.")


class CodeRefused(PopfetchError):
    """A code that is not the one that is waited for, or not any more."""

    code = "code_refused"

    def __init__(self) -> None:
        super().__init__("This code is not right, or not any more; enter the current one.")


class PasswordTooWeak(PopfetchError):
    """A new password that the user pool's policy does not let pass; the message has the pool's own words for it."""

    code = "password_too_weak"


class TooManyTries(PopfetchError):
    """Sign-ins, codes or mails were asked for too often; the same may succeed later."""

    code = "too_many_requests"

    def __init__(self) -> None:
        super().__init__("Too many tries; wait a while, then try again.")


class SignedOut(PopfetchError):
    """There is no session that could go on."""

    code = "signed_out"

    def __init__(self) -> None:
        super().__init__("Nobody is signed in here, or not any more; sign in again.")


class ConsoleNotBuilt(PopfetchError):
    """The web app's files were not deployed with the function that serves them."""

    code = "console_not_built"

    def __init__(self) -> None:
        super().__init__("The console is not part of this deployment; whoever runs popfetch has to build it.")


class AssetNotFound(PopfetchError):
    """No such file of the web app; a newer deployment has others."""

    code = "asset_not_found"

    def __init__(self) -> None:
        super().__init__("The console has no such file; load its page anew.")
