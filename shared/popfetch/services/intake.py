"""One message on its way from the maildrop to the bucket: digested, held or uploaded in parts, then stored.

Nothing exists in the bucket before ``store`` is called, and that is called only once the message's end is certain.
"""

from datetime import datetime
from functools import cached_property
from urllib.parse import quote_from_bytes

from popfetch.domain.account import Account
from popfetch.domain.maildrop_survey import Row
from popfetch.domain.message import StoredMessage
from popfetch.domain.message_identity import MessageDigest
from popfetch.ports.mail_store import MailStore, PartialUpload

_UID_IN_METADATA = 512
_LEAST_OCTETS = 4


class Intake:
    """One message being taken in; what is larger than a part of the store's goes up while it arrives.

    The stored object names the cycle that has put it there last.
    """

    def __init__(self, account: Account, row: Row, store: MailStore, cycle_id: str) -> None:
        self.row = row
        self._account = account
        self._store = store
        self._cycle_id = cycle_id
        self._held: bytes | bytearray = b""
        self._upload: PartialUpload | None = None
        self.digest = MessageDigest()

    @property
    def held_octets(self) -> int:
        """Octets of the message that are in memory now."""
        return len(self._held)

    async def take(self, data: bytes) -> None:
        """Take the next octets; waits while a large message's parts are going up."""
        self.digest.feed(data)
        self._hold(data)
        part = self._store.part_octets
        while len(self._held) > part and self.digest.ready:
            if self._upload is None:
                self._upload = await self._store.begin_upload(self._key, self._metadata())
            with memoryview(self._held) as held:
                head, rest = bytes(held[:part]), bytes(held[part:])
            self._held = rest
            await self._upload.write(head)

    @property
    def came_empty(self) -> bool:
        """Whether nothing came of a message that the server lists with octets, not just with a line end."""
        return not self.digest.octets and self.row.octets > _LEAST_OCTETS

    def end(self) -> None:
        """The message's end was seen."""
        self.digest.finish()

    async def store(self, now: datetime) -> StoredMessage:
        """Store the message for good; returns once the bucket has acknowledged it."""
        content, self._held = bytes(self._held), b""
        if self._upload is None:
            await self._store.put(self._key, content, self.digest.sha256, self._metadata())
        else:
            if content:
                await self._upload.write(content)
            await self._upload.complete()
        fields = self.digest.fields
        return StoredMessage(
            owner_id=self._account.owner_id,
            account_id=self._account.account_id,
            message_id=self._message_id,
            key=self._key,
            uid=self.row.uid,
            octets=self.digest.octets,
            sha256=self.digest.sha256,
            dated=fields.dated,
            arrived=fields.arrived,
            stored_at=now,
            sender=fields.sender,
            subject=fields.subject,
            header_message_id=fields.message_id,
        )

    async def discard(self) -> None:
        """Leave nothing of the message behind."""
        self._held = b""
        if self._upload is not None:
            await self._upload.abort()
            self._upload = None

    def _hold(self, data: bytes) -> None:
        # Most messages come in one piece, which goes to the bucket as it is; only what follows one is copied.
        if not self._held:
            self._held = data
            return
        if isinstance(self._held, bytes):
            self._held = bytearray(self._held)
        self._held += data

    @cached_property
    def _message_id(self) -> str:
        return self.digest.message_id(self._account.account_id, self.row.uid)

    @cached_property
    def _key(self) -> str:
        return self._store.key(
            self._account.owner_id, self._account.account_id, self._message_id, self.digest.fields.dated
        )

    def _metadata(self) -> dict[str, str]:
        # Blanks are quoted too: signatures are of values in which one stands for several.
        uid = quote_from_bytes(self.row.uid, safe="!#$&'()*+,/:;<=>?@[]^`{|}~")
        return {"uid": uid[:_UID_IN_METADATA], "cycle": self._cycle_id}
