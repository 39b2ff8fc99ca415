"""Messages as answers show them, and what a request may ask of their list."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from popfetch.domain.header_text import Mailbox
from popfetch.domain.message import Delivery, DeliveryState
from popfetch.domain.message_list import MessageRow
from popfetch.domain.message_reading import Enclosed
from popfetch.ports.stored_mail import FileLink, MessagePage
from popfetch.services.reading import ReadMessage

LONGEST_QUERY = 200


def _moment(value: Any) -> Any:
    """A date as its first instant, an instant as it is."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError("must be a date such as 2026-01-31, or an instant such as 2026-01-31T12:00:00Z") from error


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be of a year between 1 and 9999") from error


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    Field(json_schema_extra={"examples": ["2026-01-31", "2026-01-31T12:00:00Z"]}),
]
"""A date, or an instant; of UTC where it does not say otherwise."""


class MailboxOut(BaseModel):
    """Someone whom a message names; either may be empty, and neither needs to be true."""

    name: str
    address: str

    @classmethod
    def of(cls, mailbox: Mailbox) -> Self:
        """The mailbox as the owner sees it."""
        return cls(name=mailbox.name, address=mailbox.address)


class MessageRowOut(BaseModel):
    """A message in the list."""

    id: str
    account_id: str
    sender: MailboxOut
    recipients: list[str] = Field(description="Those who got one that was sent from here; empty for all others.")
    subject: str
    dated: datetime | None = Field(description="What the message says itself.")
    arrived: datetime | None = Field(description="When its last server took it; the list is in this order.")
    stored_at: datetime
    octets: int
    delivery: DeliveryState | None = Field(description="How the sending went; null for what was not sent from here.")

    @classmethod
    def of(cls, row: MessageRow) -> Self:
        """The row as the owner sees it."""
        return cls(
            id=row.message_id,
            account_id=row.account_id,
            sender=MailboxOut.of(row.sender),
            recipients=list(row.recipients),
            subject=row.subject,
            dated=row.dated,
            arrived=row.arrived,
            stored_at=row.stored_at,
            octets=row.octets,
            delivery=row.delivery,
        )


class MessagesOut(BaseModel):
    """Messages, the newest first. A search looks at a part of them at a time, and may find none in it."""

    messages: list[MessageRowOut]
    cursor: str | None = Field(description="Asks for the messages before these; null where there are none.")
    searched_to: datetime | None = Field(description="The arrival down to which was looked; null once all was.")

    @classmethod
    def of(cls, page: MessagePage) -> Self:
        """The page as the owner sees it."""
        return cls(
            messages=[MessageRowOut.of(row) for row in page.messages], cursor=page.cursor, searched_to=page.searched_to
        )


class HeaderOut(BaseModel):
    """A field of a message's header, decoded."""

    name: str
    value: str


class AttachmentOut(BaseModel):
    """Something attached to a message."""

    id: str
    filename: str
    content_type: str
    octets: int | None = Field(description="Null where the message is too large for the attachment to be taken out.")
    inline: bool = Field(description="Whether the HTML shows it already.")

    @classmethod
    def of(cls, enclosed: Enclosed) -> Self:
        """The attachment as the owner sees it."""
        return cls(
            id=enclosed.id,
            filename=enclosed.filename,
            content_type=enclosed.content_type,
            octets=enclosed.octets,
            inline=enclosed.inline,
        )


class TurnedDownOut(BaseModel):
    """A recipient who did not get a message that was sent from here."""

    address: str
    code: str
    message: str
    server_said: str


class DeliveryOut(BaseModel):
    """How the sending of a message went."""

    state: DeliveryState
    recipients: list[str]
    refused: list[TurnedDownOut]

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """The delivery as the owner sees it."""
        return cls(
            state=delivery.state,
            recipients=list(delivery.recipients),
            refused=[
                TurnedDownOut(address=r.address, code=r.code, message=r.message, server_said=r.server_said)
                for r in delivery.refused
            ],
        )


class MessageOut(BaseModel):
    """A message as it is read. Everything in it is its sender's word."""

    id: str
    account_id: str
    octets: int
    dated: datetime | None
    arrived: datetime | None
    stored_at: datetime
    sha256: str = Field(description="Of the message's octets, in hexadecimal.")
    subject: str
    header_message_id: str
    from_: list[MailboxOut] = Field(alias="from")
    to: list[MailboxOut]
    cc: list[MailboxOut]
    bcc: list[MailboxOut]
    reply_to: list[MailboxOut]
    headers: list[HeaderOut]
    text: str | None
    html: str | None = Field(description="Without whatever runs, asks or loads; to be shown in a frame all the same.")
    remote_images: int = Field(description="Images that are elsewhere, held back or not.")
    attachments: list[AttachmentOut]
    delivery: DeliveryOut | None = Field(description="Null for what was not sent from here.")
    problems: list[str] = Field(description="What could not be read, such as truncated or text_undecodable.")

    @classmethod
    def of(cls, message: ReadMessage) -> Self:
        """The message as the owner sees it."""
        stored, opened = message.stored, message.opened
        return cls.model_validate(
            {
                "id": stored.message_id,
                "account_id": stored.account_id,
                "octets": stored.octets,
                "dated": stored.dated,
                "arrived": stored.arrived,
                "stored_at": stored.stored_at,
                "sha256": stored.sha256.hex(),
                "subject": opened.subject,
                "header_message_id": opened.message_id,
                "from": [MailboxOut.of(mailbox) for mailbox in opened.senders],
                "to": [MailboxOut.of(mailbox) for mailbox in opened.to],
                "cc": [MailboxOut.of(mailbox) for mailbox in opened.cc],
                "bcc": [MailboxOut.of(mailbox) for mailbox in opened.bcc],
                "reply_to": [MailboxOut.of(mailbox) for mailbox in opened.reply_to],
                "headers": [HeaderOut(name=name, value=value) for name, value in opened.headers],
                "text": opened.text,
                "html": message.html,
                "remote_images": message.remote_images,
                "attachments": [AttachmentOut.of(enclosed) for enclosed in opened.attachments],
                "delivery": DeliveryOut.of(stored.delivery) if stored.delivery else None,
                "problems": list(opened.problems),
            }
        )


class FileLinkOut(BaseModel):
    """Where a file can be had for a few minutes, by whoever has this address."""

    url: str
    expires_at: datetime

    @classmethod
    def of(cls, link: FileLink) -> Self:
        """The link as the owner gets it."""
        return cls(url=link.url, expires_at=link.expires_at)
