"""Why a mail was not sent, in words for its owner. Whatever is raised here, nobody has got the mail."""

from collections.abc import Mapping, Sequence

from popfetch.domain.errors import PopfetchError
from popfetch.domain.message import Refusal
from popfetch.ports.submission import RefusedRecipient
from popfetch.smtp.errors import SmtpError


class MailNotSent(PopfetchError):
    """The outgoing server did not take the mail; ``retryable`` says whether the same mail may go later.

    ``refused`` are the recipients that it refused, where it was for them.
    """

    code = "not_sent"

    def __init__(self, message: str, server_said: str = "", refused: Sequence[Refusal] = ()) -> None:
        super().__init__(message)
        self.server_said = server_said
        self.refused = tuple(refused)

    @property
    def for_the_log(self) -> str:
        """No more than the kind: servers name the people that mail is for."""
        return self.__class__.__name__


class SenderNotAllowed(MailNotSent):
    """The server does not let this account send as this address."""

    code = "sender_refused"


class RecipientsRefused(MailNotSent):
    """The server delivers to none of the recipients."""

    code = "recipients_refused"


class MailTurnedDown(MailNotSent):
    """The server does not want this mail, for what it holds."""

    code = "message_refused"


class MailTooLarge(MailNotSent):
    """The mail is larger than the server takes, or than popfetch sends."""

    code = "message_too_large"


def attachments_too_large(longest: int) -> MailTooLarge:
    """The error for more octets of attachments than ``longest``, together."""
    return MailTooLarge(
        f"The attachments have more than {longest >> 20} MB together, which is more than popfetch sends; send fewer of"
        " them."
    )


class AddressNotSupported(MailNotSent):
    """An address can only be used with servers that speak SMTPUTF8, and this one does not."""

    code = "utf8_not_offered"


class SendingTooOften(MailNotSent):
    """The server takes no more mail of this account for now."""

    code = "sending_too_frequent"
    retryable = True


class ServerTrouble(MailNotSent):
    """The server has a problem of its own that should pass."""

    code = "temporary"
    retryable = True


class ConnectionLost(MailNotSent):
    """The server went away, or fell silent, before it had the mail."""

    code = "connection_lost"
    retryable = True


_KINDS: Mapping[str, type[MailNotSent]] = {
    "sender_refused": SenderNotAllowed,
    "recipient_refused": RecipientsRefused,
    "message_refused": MailTurnedDown,
    "message_too_large": MailTooLarge,
    "utf8_not_offered": AddressNotSupported,
    "sending_too_frequent": SendingTooOften,
    "login_too_frequent": SendingTooOften,
    "temporary": ServerTrouble,
    "network": ConnectionLost,
    "deadline": ConnectionLost,
}


def refusal_of(one: RefusedRecipient) -> Refusal:
    """A refused recipient as the copy of the mail keeps it."""
    return Refusal(one.address, one.reason.code, one.reason.message, one.reason.server_text)


def not_sent(error: SmtpError) -> MailNotSent:
    """Why a mail was not sent that the server was told of."""
    kind = _KINDS.get(error.code, MailNotSent)
    words = error.message if kind is not ConnectionLost else f"{error.message} Nothing was sent; try again."
    return kind(words, error.server_text)


def nobody_taken(refused: Sequence[Refusal]) -> MailNotSent:
    """Why a mail was not sent that the server would deliver to nobody."""
    said = "; ".join(f"{one.address}: {one.server_said or one.message}" for one in refused[:3])
    more = f" (and {len(refused) - 3} more)" if len(refused) > 3 else ""
    return RecipientsRefused(
        f"The server took none of the recipients, so that nothing was sent. {said}{more}", "", refused
    )
