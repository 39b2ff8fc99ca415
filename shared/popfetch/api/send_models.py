"""A mail as a request brings it, and what became of it.

No address, name, subject or file name takes a line break, not even at its ends, so that none opens a header of its own.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, StrictInt, StringConstraints, model_validator

from popfetch.api.fields import (
    LONGEST_EMAIL,
    LONGEST_NAME,
    AccountId,
    Body,
    ContentId,
    ContentType,
    Email,
    Filename,
    MessageId,
    Name,
    RequestModel,
    Subject,
)
from popfetch.domain.draft import MESSAGE_ID, Attachment, Correspondent, Draft
from popfetch.domain.message import DeliveryState, Refusal, StoredMessage
from popfetch.domain.message_identity import STORED_ID
from popfetch.domain.mime_parts import PART_ID
from popfetch.ports.stored_mail import UploadOffer
from popfetch.services.forwarding import ForwardedFile
from popfetch.services.sending import LONGEST_ATTACHMENTS, SendMail, UploadedFile

MOST_RECIPIENTS = 100
"""As many as every server must take at once (RFC 5321, section 4.5.3.1.8)."""

MOST_ATTACHMENTS = 50
LONGEST_PART_ID = 150
LONGEST_CONTENT = 6_000_000
"""Characters of an attachment in base64; a request has 6 MB at the most, which is Lambda's limit."""

_WITH_NAME = re.compile(r"\s*(?P<name>[^<>]*?)\s*<(?P<address>[^<>\s]+)>\s*")


def _taken_apart(value: Any) -> Any:
    """An address that was written as text: alone, or behind a name (RFC 5322, section 3.4)."""
    if not isinstance(value, str):
        return value
    if any(character in value for character in "\r\n\0"):
        raise ValueError("must not hold control characters or line breaks")
    if found := _WITH_NAME.fullmatch(value):
        name = found["name"]
        if len(name) > 1 and name.startswith('"') and name.endswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        return {"address": found["address"], **({"name": name} if name.strip() else {})}
    return {"address": value.strip(" ")}


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class MailboxIn(RequestModel):
    """Someone who is to get the mail."""

    address: Email
    name: Name | None = None

    def to_correspondent(self) -> Correspondent:
        """Whoever it is, with a domain as the DNS has it."""
        return Correspondent.of(self.address, self.name or "")


type Recipient = Annotated[
    MailboxIn,
    BeforeValidator(
        _taken_apart,
        json_schema_input_type=MailboxIn | Annotated[str, Field(max_length=LONGEST_EMAIL + LONGEST_NAME + 5)],
    ),
    Field(description="anna@example.com, or Anna <anna@example.com>, or an object with address and name."),
]
type StoredMessageId = Annotated[str, Field(pattern=f"^{STORED_ID}$")]
type StoredAttachmentId = Annotated[str, Field(pattern=f"^{PART_ID}$", max_length=LONGEST_PART_ID)]
type Recipients = Annotated[
    list[Recipient],
    BeforeValidator(_listed),
    Field(max_length=MOST_RECIPIENTS),
]


class AttachmentIn(RequestModel):
    """A file that goes along: its content in base64, the upload that has it, or the stored message.

    Of a stored message the attachment that is named goes along, else the message itself, as an .eml. What is itself a
    message or of several parts goes as application/octet-stream where an octet of it would change otherwise.
    """

    filename: Filename | None = Field(
        default=None, description="Required, but with message_id, where it takes the place of the file's own."
    )
    content_type: ContentType = Field(
        default="application/octet-stream", description="With message_id it is the file's own, and cannot be given."
    )
    content: Annotated[str, StringConstraints(max_length=LONGEST_CONTENT)] | None = Field(
        default=None, description="In base64 (RFC 4648, section 4).", json_schema_extra={"contentEncoding": "base64"}
    )
    upload_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{22}$")] | None = Field(
        default=None, description="What POST /accounts/{id}/uploads gave."
    )
    message_id: StoredMessageId | None = Field(default=None, description="The id of a stored message.")
    attachment_id: StoredAttachmentId | None = Field(
        default=None, description="Which of the message's attachments; the message itself where it is left out."
    )
    account_id: AccountId | None = Field(
        default=None, description="Whose message it is, where it is of another of the owner's accounts."
    )
    content_id: ContentId | None = Field(
        default=None, description="Shows an image within the HTML, as cid: and this; without HTML it has no effect."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(source is not None for source in (self.content, self.upload_id, self.message_id)) != 1:
            raise ValueError("needs exactly one of content, upload_id and message_id")
        if self.message_id is None:
            if self.attachment_id is not None or self.account_id is not None:
                raise ValueError("attachment_id and account_id go with message_id only")
            if self.filename is None:
                raise ValueError("filename is required")
        elif "content_type" in self.model_fields_set:
            raise ValueError("content_type goes with content or upload_id only")
        if self.content is not None:
            try:
                base64.b64decode(self.content, validate=True)
            except (binascii.Error, ValueError) as error:
                raise ValueError("content must be base64") from error
        return self

    def to_file(self) -> Attachment | UploadedFile | ForwardedFile:
        """The file, or where it is."""
        filename, content_id = self.filename or "", self.content_id or ""
        if self.message_id is not None:
            return ForwardedFile(self.message_id, self.attachment_id or "", self.account_id or "", filename, content_id)
        if self.upload_id is not None:
            return UploadedFile(self.upload_id, filename, self.content_type, content_id)
        return Attachment(filename, self.content_type, base64.b64decode(self.content or ""), content_id)


class MailIn(RequestModel):
    """A mail to be sent as the account. From and Reply-To are the account's own."""

    to: Recipients = Field(default_factory=list)
    cc: Recipients = Field(default_factory=list)
    bcc: Recipients = Field(default_factory=list, description="They get the mail and are named nowhere in it.")
    subject: Subject = ""
    text: Body = ""
    html: Body = ""
    attachments: Annotated[list[AttachmentIn], Field(max_length=MOST_ATTACHMENTS)] = Field(default_factory=list)
    in_reply_to: Annotated[str, Field(pattern=f"^({MESSAGE_ID}|{STORED_ID})$")] | None = Field(
        default=None,
        description="What is answered: the id of a stored message of this account, or a Message-ID with its brackets.",
    )
    references: Annotated[list[MessageId], Field(max_length=50)] = Field(
        default_factory=list, description="The thread so far, where in_reply_to is a Message-ID."
    )

    @model_validator(mode="after")
    def _has_recipients(self) -> Self:
        count = len(self.to) + len(self.cc) + len(self.bcc)
        if not count:
            raise ValueError("needs at least one recipient in to, cc or bcc")
        if count > MOST_RECIPIENTS:
            raise ValueError(f"can have {MOST_RECIPIENTS} recipients at the most, all together")
        return self

    def to_command(self, owner_id: str, account_id: str, key: str) -> SendMail:
        """The command to send it; whoever is named twice gets it once, where they are named first."""
        seen: set[str] = set()
        return SendMail(
            owner_id=owner_id,
            account_id=account_id,
            draft=Draft(
                to=tuple(_new(self.to, seen)),
                cc=tuple(_new(self.cc, seen)),
                bcc=tuple(_new(self.bcc, seen)),
                subject=self.subject,
                text=self.text,
                html=self.html,
            ),
            files=tuple(attachment.to_file() for attachment in self.attachments),
            answers=self.in_reply_to or "",
            references=tuple(self.references),
            key=key,
            fingerprint=sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest(),
        )


def _new(recipients: list[Recipient], seen: set[str]) -> Iterator[Correspondent]:
    for recipient in recipients:
        someone = recipient.to_correspondent()
        if someone.address.lower() not in seen:
            seen.add(someone.address.lower())
            yield someone


class RefusalOut(BaseModel):
    """A recipient who does not get the mail."""

    address: str
    code: str
    message: str
    server_said: str

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """The refusal as the owner sees it."""
        return cls(address=refusal.address, code=refusal.code, message=refusal.message, server_said=refusal.server_said)


class SentOut(BaseModel):
    """What became of a mail."""

    id: str = Field(description="The copy among the account's messages.")
    message_id: str = Field(description="Its Message-ID.")
    status: Literal["sent", "unconfirmed"] = Field(
        description="unconfirmed: handed over, but the server never said whether it took it; it is not sent again."
    )
    accepted: list[str] = Field(description="Those whom the server took, blind copies among them.")
    refused: list[RefusalOut] = Field(description="Those whom it did not take, and why.")
    sent_at: datetime
    octets: int

    @classmethod
    def of(cls, message: StoredMessage) -> Self:
        """What the copy of a sent mail says of its sending."""
        delivery = message.delivery
        assert delivery is not None
        return cls(
            id=message.message_id,
            message_id=message.header_message_id,
            status="sent" if delivery.state is DeliveryState.SENT else "unconfirmed",
            accepted=list(delivery.recipients),
            refused=[RefusalOut.of(refusal) for refusal in delivery.refused],
            sent_at=message.stored_at,
            octets=message.octets,
        )


class UploadIn(RequestModel):
    """A file that is going to be uploaded."""

    octets: Annotated[StrictInt, Field(ge=1, le=LONGEST_ATTACHMENTS, description="Its exact size.")]


class UploadOut(BaseModel):
    """Where a file goes, and what its attachment names it by then, for a day."""

    upload_id: str
    method: Literal["PUT"] = "PUT"
    url: str
    headers: dict[str, str] = Field(description="To be sent along exactly.")
    expires_at: datetime

    @classmethod
    def of(cls, offer: UploadOffer) -> Self:
        """The offer as the owner sees it."""
        return cls(upload_id=offer.upload_id, url=offer.url, headers=offer.headers, expires_at=offer.expires_at)
