"""What can go wrong with an SMTP submission server, classified once."""

from popfetch.dialogue.errors import MailServerError


class SmtpError(MailServerError):
    """The root of everything a conversation with an SMTP server can raise."""

    code = "smtp"


class SignInRefused(SmtpError):
    """The server does not accept user name and secret; ``explicit`` when it said 5.7.8 (RFC 4954, section 6)."""

    code = "authentication"
    retryable = False

    def __init__(self, message: str, *, server_text: str = "", explicit: bool = False) -> None:
        super().__init__(message, server_text=server_text)
        self.explicit = explicit


class UnusableCredentials(SignInRefused, ValueError):
    """A user name or secret that cannot be sent at all: empty, too long, or with CR, LF or NUL; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, explicit=True)


class TokenRefused(SignInRefused):
    """The server does not accept this access token for this user name; a new token may do.

    It is over, revoked, for another mailbox, or none at all.
    """


class ScopeInsufficient(SignInRefused):
    """What was consented to at the provider does not cover this server; no new token does, only a new consent."""

    code = "consent_needed"

    def __init__(self, message: str, *, server_text: str = "", explicit: bool = True) -> None:
        super().__init__(message, server_text=server_text, explicit=explicit)


class AppPasswordNeeded(SignInRefused):
    """The server wants a password made for programs in place of the account's own.

    A refused sign-in, for that is what it is to whoever counts them, and another password does heal it.
    """


class PasswordSignInOff(SmtpError):
    """Nobody signs in here by what popfetch has: it is switched off for this mailbox, or this port does not offer it.

    With a password as with an access token, in spite of the name.
    """

    code = "sign_in_off"
    retryable = False


class SignInTooFrequent(SmtpError):
    """The server wants longer pauses, or fewer connections at once."""

    code = "login_too_frequent"


class ServerTemporary(SmtpError):
    """The server has a problem of its own that will pass: any other 4xx."""

    code = "temporary"


class ServerPermanent(SmtpError):
    """The server has a problem that needs a person: the account is locked, this client's address is blocked."""

    code = "permanent"
    retryable = False


class ProtocolViolation(SmtpError):
    """The server sent something that SMTP does not allow here, or more than a limit allows."""

    code = "protocol"


class TlsFailed(SmtpError):
    """No trustworthy TLS: certificate, host name, version, or STARTTLS not offered where it is required."""

    code = "tls"


class ConnectionFailed(SmtpError):
    """No submission server was reached, or it closed the connection, or fell silent."""

    code = "network"


class DeadlineReached(ConnectionFailed):
    """The caller's own deadline came before the server was done; this says nothing about the server's health."""

    code = "deadline"


class SenderRefused(SmtpError):
    """The server does not let this account send as this address, or not at all any more."""

    code = "sender_refused"
    retryable = False


class RecipientRefused(SmtpError):
    """The server does not deliver to this recipient."""

    code = "recipient_refused"
    retryable = False


class MessageRefused(SmtpError):
    """The server does not take this message: for what it holds, or for what it is taken for."""

    code = "message_refused"
    retryable = False


class MessageTooLarge(SmtpError):
    """The message is larger than the server takes; ``limit`` (octets) is what it announced, 0 where it did not."""

    code = "message_too_large"
    retryable = False

    def __init__(self, message: str, *, server_text: str = "", limit: int = 0) -> None:
        super().__init__(message, server_text=server_text)
        self.limit = limit


class Utf8NotOffered(SmtpError):
    """An address has letters before the @ that are not ASCII, and the server does not speak SMTPUTF8 (RFC 6531)."""

    code = "utf8_not_offered"
    retryable = False


class SendingTooFrequent(SmtpError):
    """The server takes no more messages for now: too many, or too fast."""

    code = "sending_too_frequent"


class Unconfirmed(SmtpError):
    """The message was handed over to its end, and no answer came: it was sent, or it was not.

    Never tried again by itself: that would be a second copy where it was sent.
    """

    code = "unconfirmed"
    retryable = False
