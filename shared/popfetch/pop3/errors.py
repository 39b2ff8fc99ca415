"""What can go wrong with a POP3 server, classified once."""

from popfetch.dialogue.errors import MailServerError


class Pop3Error(MailServerError):
    """The root of everything a POP3 session can raise."""

    code = "pop3"


class SignInRefused(Pop3Error):
    """The server does not accept user name and secret; ``explicit`` when it said ``[AUTH]`` (RFC 3206)."""

    code = "authentication"
    retryable = False

    def __init__(self, message: str, *, server_text: str = "", explicit: bool = False) -> None:
        super().__init__(message, server_text=server_text)
        self.explicit = explicit


class UnusableCredentials(SignInRefused, ValueError):
    """A user name or secret that cannot be sent at all: it is empty or holds CR, LF or NUL; nothing was sent."""

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


class MaildropBusy(Pop3Error):
    """Another session holds the maildrop; ``explicit`` when it said ``[IN-USE]`` (RFC 2449, section 8.1.1).

    That code says that user name and secret were right.
    """

    code = "in_use"

    def __init__(self, message: str, *, server_text: str = "", explicit: bool = False) -> None:
        super().__init__(message, server_text=server_text)
        self.explicit = explicit


class LoginTooFrequent(Pop3Error):
    """The server wants longer pauses between sign-ins: ``[LOGIN-DELAY]`` (RFC 2449, section 8.1.2)."""

    code = "login_too_frequent"


class ServerTemporary(Pop3Error):
    """The server has a problem of its own that will pass: ``[SYS/TEMP]`` (RFC 3206)."""

    code = "temporary"


class ServerPermanent(Pop3Error):
    """The server has a problem that needs a person: ``[SYS/PERM]`` (RFC 3206)."""

    code = "permanent"
    retryable = False


class PopNotEnabled(ServerPermanent):
    """The provider has POP switched off for this mailbox; its owner can switch it on there."""

    code = "pop_not_enabled"


class CommandRefused(Pop3Error):
    """A plain ``-ERR`` to one command; the session goes on."""

    code = "refused"


class ProtocolViolation(Pop3Error):
    """The server sent something that POP3 does not allow here; the session is over."""

    code = "protocol"


class ReplySwallowed(ProtocolViolation):
    """A message seems to go on with the reply to the next command, so that where it ends is in doubt.

    Some servers end a message without its last line end, and the terminator looks like text then. One command at a time
    there is no next reply, and no doubt.
    """

    code = "protocol"


class LimitExceeded(ProtocolViolation):
    """The server sent more than a stated limit allows: a line, a listing, a message."""

    code = "protocol"


class TlsFailed(Pop3Error):
    """No trustworthy TLS: certificate, host name, handshake, or STLS not offered where it is required."""

    code = "tls"


class HandshakeFailed(TlsFailed):
    """The TLS handshake came to nothing: what answers may not speak TLS at all."""


class ConnectionFailed(Pop3Error):
    """The server cannot be reached, closed the connection, or fell silent."""

    code = "network"


class NotReached(ConnectionFailed):
    """No POP3 server was reached: nothing there, silence, or something else that answers.

    One sentence for all of these, so that nobody learns from it which ports of a host are open. What was seen is its
    ``__cause__``, for the log.
    """


class DeadlineReached(ConnectionFailed):
    """The caller's own deadline came before the session was done; this says nothing about the server's health."""

    code = "deadline"
