"""What a stack holds, read from moto's own memory: the bucket and the index of an account, whoever asks or fails."""

from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.s3.models import FakeDeleteMarker

from popfetch.adapters import keys
from popfetch.domain.account import Account
from tests.builders.aws import REGION, Aws


@dataclass(frozen=True, slots=True)
class Indexed:
    """An entry of the index: the object it names, and what it says of it."""

    key: str
    octets: int
    sha256: bytes


@dataclass
class Holdings:
    """What is kept for one account."""

    aws: Aws
    account: Account
    _read: dict[tuple[str, str], bytes] = field(default_factory=dict)
    _entries: dict[str, tuple[Any, Indexed]] = field(default_factory=dict)

    def objects(self) -> dict[str, bytes]:
        """The account's objects in the bucket by key, the latest version of each."""
        prefix = keys.mail_prefix(self.account.owner_id, self.account.account_id)
        backend: Any = get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"]
        return {
            key: self._content(found)
            for key, found in list(backend.buckets[self.aws.bucket].keys.items())
            if key.startswith(prefix) and not isinstance(found, FakeDeleteMarker)
        }

    def index(self) -> list[Indexed]:
        """The account's entries of the index."""
        backend: Any = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION]
        partition = backend.tables[self.aws.table].items.get(
            DynamoType({"S": keys.account_partition(self.account.account_id)}), {}
        )
        return [
            self._entry(sort.value, item)
            for sort, item in list(partition.items())
            if sort.value.startswith(keys.MESSAGES)
        ]

    def _entry(self, sort: str, item: Any) -> Indexed:
        """An entry; an item that was read once is not read again."""
        known = self._entries.get(sort)
        if known is None or known[0] is not item:
            attributes = item.to_json()["Attributes"]
            octets, digest = int(attributes["octets"]["N"]), _octets(attributes["sha256"]["B"])
            known = self._entries[sort] = item, Indexed(attributes["key"]["S"], octets, digest)
        return known[1]

    def _content(self, found: Any) -> bytes:
        """An object's octets; a version that was read once is not read again."""
        version = (found.name, str(found.version_id))
        if version not in self._read:
            self._read[version] = found.value
        return self._read[version]


def digest(content: bytes) -> bytes:
    """The SHA-256 of a message."""
    return sha256(content).digest()


def _octets(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b64decode(value)
