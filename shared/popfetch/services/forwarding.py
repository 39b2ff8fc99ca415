"""What a mail takes along of messages that are stored: a message whole, or one of its attachments."""

import asyncio
from dataclasses import dataclass

from popfetch.domain.composition import MESSAGE
from popfetch.domain.draft import Attachment
from popfetch.domain.errors import AccountNotFound, InvalidMail
from popfetch.domain.file_names import message_file_name
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import is_message_id
from popfetch.domain.message_reading import LONGEST_READ, attachment_of
from popfetch.ports.accounts import AccountStore
from popfetch.ports.stored_mail import SentMail


@dataclass(frozen=True, slots=True)
class ForwardedFile:
    """An attachment that a stored message has, or the message itself where ``attachment_id`` is empty.

    Without ``account_id`` the message is one of the account that sends; without ``filename`` it goes by its own.
    """

    message_id: str
    attachment_id: str = ""
    account_id: str = ""
    filename: str = ""
    content_id: str = ""


class Forwarding:
    """What one mail takes along; a message of which several files go along is read once.

    Only messages of the owner's accounts are reached: those of others are not found.
    """

    def __init__(self, accounts: AccountStore, sent: SentMail, owner_id: str, account_id: str) -> None:
        self._accounts = accounts
        self._sent = sent
        self._owner_id = owner_id
        self._account_id = account_id
        self._read: tuple[StoredMessage, bytes] | None = None

    async def file(self, wanted: ForwardedFile, longest: int) -> Attachment | None:
        """The file; ``None`` where it has more octets than ``longest``. Raises InvalidMail where there is none."""
        message = await self._message(wanted)
        if wanted.attachment_id:
            return await self._attachment(message, wanted, longest)
        if message.octets > longest:
            return None
        content = await self._content(message)
        filename = wanted.filename or message_file_name(message.subject)
        return Attachment(filename, MESSAGE, content, wanted.content_id)

    async def _attachment(self, message: StoredMessage, wanted: ForwardedFile, longest: int) -> Attachment | None:
        if message.octets > LONGEST_READ:
            raise InvalidMail(
                f"attachments: the message has more than {LONGEST_READ >> 20} MB, which is too large to take an"
                " attachment out of it; download the attachment, and upload it."
            )
        found = attachment_of(await self._content(message), wanted.attachment_id)
        if found is None:
            raise InvalidMail("attachments: the message has no such attachment; read it to see which it has.")
        if len(found.content) > longest:
            return None
        return Attachment(wanted.filename or found.filename, found.content_type, found.content, wanted.content_id)

    async def _message(self, wanted: ForwardedFile) -> StoredMessage:
        account_id = wanted.account_id or self._account_id
        message = None
        if is_message_id(wanted.message_id) and await self._is_the_owners(account_id):
            message = await self._sent.stored(account_id, wanted.message_id)
        if message is None:
            raise _no_such_message()
        return message

    async def _is_the_owners(self, account_id: str) -> bool:
        if account_id == self._account_id:
            return True
        try:
            await asyncio.to_thread(self._accounts.get, self._owner_id, account_id)
        except AccountNotFound:
            return False
        return True

    async def _content(self, message: StoredMessage) -> bytes:
        if self._read is not None and self._read[0] == message:
            return self._read[1]
        content = await self._sent.content(message)
        if content is None:
            raise _no_such_message()
        self._read = message, content
        return content


def _no_such_message() -> InvalidMail:
    return InvalidMail("attachments: there is no such message among those of your accounts; list them to see which.")
