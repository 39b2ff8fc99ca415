"""Messages as a fetch has stored them, in the bucket and in the index."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

from popfetch.adapters import cycle_items, keys
from popfetch.adapters.dynamodb_items import to_wire
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import MessageDigest
from tests.builders.accounts import NOON, OWNER, an_account_id
from tests.builders.aws import Aws

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(32))


def a_message(**changes: Any) -> bytes:
    """A usual message with text, HTML that shows an image of its own, and a file."""
    given = {
        "sender": "Bert Böhm <bert@example.org>",
        "to": "Anna <anna@example.com>",
        "subject": "Cuộc họp thứ Hai",
        "arrived": NOON,
        "text": "Xin chào Anna!",
        "html": '<p>Xin chào <b>Anna</b>! <img src="cid:logo@example.org"><img src="https://example.org/pixel.png"></p>',
        "filename": "Hoá đơn.pdf",
        **changes,
    }
    message = EmailMessage()
    if given["arrived"]:
        message["Received"] = f"from a by b; {given['arrived']:%a, %d %b %Y %H:%M:%S} +0000"
        message["Date"] = given["arrived"] - timedelta(minutes=1)
    message["From"], message["To"], message["Subject"] = given["sender"], given["to"], given["subject"]
    message["Message-ID"] = "<1@example.org>"
    message.set_content(given["text"])
    if given["html"]:
        message.add_alternative(given["html"], subtype="html")
        html = message.get_body(("html",))
        assert isinstance(html, EmailMessage)
        html.add_related(PNG, "image", "png", cid="<logo@example.org>", filename="logo.png")
    if given["filename"]:
        message.add_attachment(b"%PDF-1.7", "application", "pdf", filename=given["filename"])
    return message.as_bytes()


def indexed(content: bytes, *, account_id: str = "", owner_id: str = OWNER, number: int = 0) -> StoredMessage:
    """What the index says of a message."""
    account_id = account_id or an_account_id()
    digest = MessageDigest()
    digest.feed(content)
    digest.finish()
    uid = str(number).encode()
    message_id = digest.message_id(account_id, uid)
    return StoredMessage(
        owner_id=owner_id,
        account_id=account_id,
        message_id=message_id,
        key=keys.mail_object(owner_id, account_id, message_id, digest.fields.dated),
        uid=uid,
        octets=digest.octets,
        sha256=digest.sha256,
        dated=digest.fields.dated,
        arrived=digest.fields.arrived,
        stored_at=NOON,
        sender=digest.fields.sender,
        subject=digest.fields.subject,
        header_message_id=digest.fields.message_id,
    )


def store(
    stack: Aws, content: bytes, *, account_id: str = "", owner_id: str = OWNER, number: int = 0, **changes: Any
) -> StoredMessage:
    """Store a message."""
    message = replace(indexed(content, account_id=account_id, owner_id=owner_id, number=number), **changes)
    stack.s3.put_object(Bucket=stack.bucket, Key=message.key, Body=content)
    enter(stack, [message])
    return message


def enter(stack: Aws, messages: Iterable[StoredMessage]) -> None:
    """Enter messages into the index."""
    for message in messages:
        stack.dynamodb.put_item(TableName=stack.table, Item=to_wire(cycle_items.message_to_item(message)))


def a_row(number: int, *, arrived: datetime | None = NOON, **changes: Any) -> StoredMessage:
    """A message of which only the index is of interest; later numbers arrived earlier."""
    arrived = arrived - timedelta(minutes=number) if arrived else None
    content = a_message(arrived=arrived, subject=f"Message {number}", html="", filename="")
    account_id, owner_id = changes.pop("account_id", ""), changes.pop("owner_id", OWNER)
    return replace(indexed(content, account_id=account_id, owner_id=owner_id, number=number), **changes)
