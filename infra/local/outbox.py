"""Mail that the stack has sent: the engine keeps it and delivers none."""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import requests

from infra.local.clients import Clients
from infra.local.errors import LocalRunError


@dataclass(frozen=True)
class SentMail:
    """A mail as the engine took it."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str

    @property
    def link(self) -> str:
        """The one address that its text has."""
        (link,) = re.findall(r"https?://\S+", self.text)
        return str(link)


def allow_sender(clients: Clients, address: str) -> None:
    """Make an address one that mail may be sent from, as the operator does in SES; again does no harm."""
    ses = clients.sesv2()
    with suppress(ses.exceptions.AlreadyExistsException):
        ses.create_email_identity(EmailIdentity=address)


def sent_mail(endpoint_url: str) -> list[SentMail]:
    """All mail that was sent since the engine's state began, oldest first. Raises LocalRunError."""
    try:
        answer = requests.get(f"{endpoint_url}/_ministack/ses/messages", timeout=10)
        answer.raise_for_status()
        by_aws_account: dict[str, list[dict[str, Any]]] = answer.json()["messages"]
        messages = [message for sent in by_aws_account.values() for message in sent]
        return [_sent(message) for message in sorted(messages, key=lambda message: message["Timestamp"])]
    except (requests.RequestException, KeyError, TypeError) as error:
        raise LocalRunError(f"The engine at {endpoint_url} does not show what was sent: {error}") from error


def _sent(message: dict[str, Any]) -> SentMail:
    return SentMail(
        message_id=message["MessageId"],
        sender=message["Source"],
        recipients=tuple(message["To"]),
        subject=message["Subject"],
        text=message["BodyText"] or "",
        html=message["BodyHtml"] or "",
    )
