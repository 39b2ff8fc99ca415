"""Mail in popfetch's own name, by Amazon SES.

The message is built here and sent raw, so that it is the same everywhere and has the headers of an automatic mail.
What SES says of a failure names addresses, so that its exceptions are never chained to ours: logs would show them.
"""

from email.errors import MessageError
from email.headerregistry import Address
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from popfetch.adapters.dynamodb_items import error_code
from popfetch.domain.composition import compose_notice
from popfetch.domain.draft import Correspondent
from popfetch.domain.errors import HostRefused, MailRefused, MailUnavailable
from popfetch.domain.host_names import ascii_name
from popfetch.domain.notice import Mail

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

SENDER_NAME = "popfetch"

_REMEDIES = {
    "MessageRejected": (
        "Verify the address in SenderAddress, or its domain, in SES in this region. While SES is in the sandbox, it "
        "also refuses recipients that are not verified: request production access."
    ),
    "MailFromDomainNotVerifiedException": "Mend the MAIL FROM domain of the sender's identity in SES, or remove it.",
    "AccountSuspendedException": "SES does not send for this AWS account any more; see the SES console for the reason.",
    "AccessDeniedException": (
        "A policy forbids this function to send from SenderAddress: see the function's role, the identity's own "
        "policy in SES, and your organization's."
    ),
    "BadRequestException": "SES does not take this sender, this recipient or the sender's default configuration set.",
    "NotFoundException": "The default configuration set of the sender's identity in SES is missing; choose another.",
}
"""What does not heal by itself, and what the operator can do about it. All else may pass."""


class SesMailer:
    """``Mailer`` by SES; every mail comes from ``sender``, an address or a domain of which is verified there."""

    def __init__(self, client: "SESV2Client", sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, address: str, mail: Mail) -> str:
        """Send a mail to one address; returns SES' id of it. Raises MailRefused and MailUnavailable."""
        sender, recipient = _address(self._sender, SENDER_NAME), _address(address)
        message = compose_notice(mail, sender, recipient)
        try:
            answer = self._client.send_email(
                FromEmailAddress=sender.address,
                Destination={"ToAddresses": [recipient.address]},
                Content={"Raw": {"Data": message.content}},
            )
        except ClientError as error:
            reason = error_code(error)
        except BotoCoreError as error:
            reason = type(error).__name__
        else:
            return answer["MessageId"]
        if reason in _REMEDIES:
            raise MailRefused(_REMEDIES[reason], reason)
        raise MailUnavailable(f"SES did not take the mail ({reason}); it is tried again.")


def _address(text: str, name: str = "") -> Correspondent:
    """An address as SES takes it: ASCII, a domain of any alphabet in its encoded form. Raises MailRefused."""
    local, _, domain = text.rpartition("@")
    try:
        if local and local.isascii():
            someone = Correspondent(local, ascii_name(domain), name)
            Address(username=local, domain=someone.domain)
            return someone
    except (ValueError, MessageError, HostRefused):
        pass
    raise MailRefused("An address cannot be sent to or from as it is; SES takes ASCII before the @.", "address")
