"""What can go wrong with an SMTP submission server, classified once."""

from popfetch.dialogue.errors import MailServerError


class SmtpError(MailServerError):
    """The root of everything a conversation with an SMTP server can raise."""

    code = "smtp"


class SignInRefused(SmtpError):
    """The server does not accept user name and password; ``explicit`` when it said 5.7.8 (RFC 4954, section 6)."""

    code = "authentication"
    retryable = False

    def __init__(self, message: str, *, server_text: str = "", explicit: bool = False) -> None:
        super().__init__(message, server_text=server_text)
        self.explicit = explicit


class UnusableCredentials(SignInRefused, ValueError):
    """A user name or password that cannot be sent at all: empty, too long, or with CR, LF or NUL; nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, explicit=True)


class AppPasswordNeeded(SignInRefused):
    """The server wants a password made for programs in place of the account's own.

    A refused sign-in, for that is what it is to whoever counts them, and another password does heal it.
    """


class PasswordSignInOff(SmtpError):
    """No password signs in here: sign-in is switched off for this mailbox, or this port does not offer it."""

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
