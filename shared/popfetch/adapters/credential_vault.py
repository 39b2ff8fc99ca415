"""Secrets at rest: envelope encryption under the stack's KMS key, at the price of a few KMS calls a day.

A sealed secret carries what opens it, so that opening reads no table::

    version (1) | length of the encrypted data key (2) | encrypted data key | nonce (12) | ciphertext and tag

The secret is sealed with AES-256-GCM. What stands before the nonce is authenticated with it, and so are owner,
account and use (a password's direction, or which token it is), each with its length, so that no secret can be moved
to another account or to another of its servers. The data key that seals new secrets is an item of the table and is
replaced when it is 30 days old; older ones stay readable through KMS for as long as the stack's key lives.
"""

import os
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from popfetch.adapters import keys
from popfetch.adapters.dynamodb_items import Item, error_code, from_wire, to_wire, translated
from popfetch.adapters.fetch_state_items import instant_to_text
from popfetch.domain.account import Direction
from popfetch.domain.errors import SecretUnreadable
from popfetch.domain.secret import Secret, TokenUse
from popfetch.ports.invocation import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient

KMS_CONTEXT = {"purpose": "popfetch-credentials"}
"""What every KMS call of the vault names, so that the key's policy and CloudTrail can tell them apart."""

DATA_KEY_LIFETIME = timedelta(days=30)
WARM_SECONDS = 15 * 60
WARM_KEYS = 32

_FORMAT = 1
_HEADER = struct.Struct(">BH")
_LENGTH = struct.Struct(">I")
_NONCE_OCTETS = 12
_TAG_OCTETS = 16

_DATA_KEY_UNSEEN = f"attribute_not_exists({keys.PARTITION})"
_DATA_KEY_AS_SEEN = "encrypted_key = :seen"
_UNREADABLE_CODES = {"InvalidCiphertextException", "IncorrectKeyException", "NotFoundException"}


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key in both its forms; the plain one does not show itself."""

    encrypted: bytes
    plain: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Warm:
    key: DataKey
    until: float


class CredentialVault:
    """``CredentialVault`` on KMS and the table; safe to share between threads.

    Plain data keys are kept in memory for 15 minutes, so that a warm function asks KMS a few times an hour
    however many accounts it fetches.
    """

    def __init__(
        self,
        kms: "KMSClient",
        dynamodb: "DynamoDBClient",
        table_name: str,
        key_id: str,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kms = kms
        self._dynamodb = dynamodb
        self._table = table_name
        self._key_id = key_id
        self._clock = clock
        self._monotonic = monotonic
        self._lock = RLock()
        self._warm: OrderedDict[bytes, _Warm] = OrderedDict()
        self._current: tuple[_Warm, datetime] | None = None

    def seal(self, secret: Secret, owner_id: str, account_id: str, use: Direction | TokenUse) -> bytes:
        """Encrypt a secret for rest."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._current_key()
        header = _HEADER.pack(_FORMAT, len(key.encrypted)) + key.encrypted
        nonce = os.urandom(_NONCE_OCTETS)
        plain = secret.reveal().encode("utf-8", "surrogatepass")
        return header + nonce + AESGCM(key.plain).encrypt(nonce, plain, _bound(header, owner_id, account_id, use))

    def open(self, sealed: bytes, owner_id: str, account_id: str, use: Direction | TokenUse) -> Secret:
        """Decrypt a sealed secret. Raises SecretUnreadable."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        header, encrypted_key, nonce, ciphertext = _parts(sealed, account_id, use)
        try:
            key = self._data_key(encrypted_key)
            plain = AESGCM(key.plain).decrypt(nonce, ciphertext, _bound(header, owner_id, account_id, use))
        except (InvalidTag, _DataKeyError) as error:
            raise _unreadable(account_id, use) from error
        return Secret(plain.decode("utf-8", "surrogatepass"))

    def _current_key(self) -> DataKey:
        """The data key for new secrets, made or replaced where it is time."""
        now = self._clock()
        oldest = now - DATA_KEY_LIFETIME
        with self._lock:
            if self._current:
                warm, created_at = self._current
                if self._monotonic() < warm.until and created_at > oldest:
                    return warm.key
            item = self._stored_current()
            key = self._usable(item, oldest)
            if key is None:
                key, item = self._replace_current(item, now)
            assert item is not None
            created_at = datetime.fromisoformat(item["created_at"])
            self._current = (_Warm(key, self._monotonic() + WARM_SECONDS), created_at)
            return key

    def _stored_current(self) -> Item | None:
        with translated("Reading the current data key"):
            found = self._dynamodb.get_item(
                TableName=self._table, Key=to_wire(keys.current_data_key()), ConsistentRead=True
            ).get("Item")
        return from_wire(found) if found else None

    def _usable(self, item: Item | None, oldest: datetime) -> DataKey | None:
        """The item's data key, unless it is too old or can no longer be read."""
        if item is None or datetime.fromisoformat(item["created_at"]) <= oldest:
            return None
        try:
            return self._data_key(item["encrypted_key"])
        except _DataKeyError:
            return None

    def _replace_current(self, seen: Item | None, now: datetime) -> tuple[DataKey, Item]:
        """Make a data key and store it as the current one; where someone else just did, theirs is taken."""
        with translated("Making a data key"):
            made = self._kms.generate_data_key(KeyId=self._key_id, KeySpec="AES_256", EncryptionContext=KMS_CONTEXT)
        key = DataKey(made["CiphertextBlob"], made["Plaintext"])
        item: Item = {
            **keys.current_data_key(),
            "encrypted_key": key.encrypted,
            "created_at": instant_to_text(now),
        }
        winner = self._put_current(item, seen)
        if winner is not None:
            try:
                return self._data_key(winner["encrypted_key"]), winner
            except _DataKeyError as error:
                raise SecretUnreadable("The current data key does not open under the stack's key.") from error
        self._keep_warm(key)
        return key, item

    def _put_current(self, item: Item, seen: Item | None) -> Item | None:
        """Store the current data key where it is still as it was seen; else the one that came first."""
        condition = {"ConditionExpression": _DATA_KEY_UNSEEN}
        values = {}
        if seen is not None:
            condition = {"ConditionExpression": _DATA_KEY_AS_SEEN}
            values = {"ExpressionAttributeValues": to_wire({":seen": seen["encrypted_key"]})}
        with translated("Storing the data key"):
            try:
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=to_wire(item),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **condition,  # type: ignore[arg-type]
                    **values,  # type: ignore[arg-type]
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                return from_wire(error.response["Item"])  # type: ignore[typeddict-item]
        return None

    def _data_key(self, encrypted: bytes) -> DataKey:
        """The data key of its encrypted form, from memory or from KMS; one caller asks for all that wait."""
        with self._lock:
            warm = self._warm.get(encrypted)
            if warm and self._monotonic() < warm.until:
                self._warm.move_to_end(encrypted)
                return warm.key
            with translated("Opening a data key"):
                try:
                    answer = self._kms.decrypt(
                        KeyId=self._key_id, CiphertextBlob=encrypted, EncryptionContext=KMS_CONTEXT
                    )
                except ClientError as error:
                    if error_code(error) not in _UNREADABLE_CODES:
                        raise
                    raise _DataKeyError(error_code(error)) from error
            key = DataKey(encrypted, answer["Plaintext"])
            self._keep_warm(key)
            return key

    def _keep_warm(self, key: DataKey) -> None:
        self._warm[key.encrypted] = _Warm(key, self._monotonic() + WARM_SECONDS)
        self._warm.move_to_end(key.encrypted)
        while len(self._warm) > WARM_KEYS:
            self._warm.popitem(last=False)


class _DataKeyError(Exception):
    """KMS says that an encrypted data key was altered or is not the stack's."""


def _bound(header: bytes, owner_id: str, account_id: str, use: Direction | TokenUse) -> bytes:
    """What is authenticated with a secret: each part after its length, so that none borrows of another."""
    parts = (header, owner_id.encode(), account_id.encode(), str(use).encode())
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def _parts(sealed: bytes, account_id: str, use: Direction | TokenUse) -> tuple[bytes, bytes, bytes, bytes]:
    """Header, encrypted data key, nonce and ciphertext of a sealed secret. Raises SecretUnreadable."""
    if len(sealed) < _HEADER.size:
        raise _unreadable(account_id, use)
    sealed_format, length = _HEADER.unpack_from(sealed)
    header_end = _HEADER.size + length
    nonce_end = header_end + _NONCE_OCTETS
    if sealed_format != _FORMAT or not length or len(sealed) < nonce_end + _TAG_OCTETS:
        raise _unreadable(account_id, use)
    return (
        sealed[:header_end],
        sealed[_HEADER.size : header_end],
        sealed[header_end:nonce_end],
        sealed[nonce_end:],
    )


def _unreadable(account_id: str, use: Direction | TokenUse) -> SecretUnreadable:
    if isinstance(use, TokenUse):
        return SecretUnreadable(
            f"What account {account_id} has of its consent does not open: it was altered, or sealed for another owner, "
            "account or use; sign in again at the provider."
        )
    return SecretUnreadable(
        f"The {use} password of account {account_id} does not open: it was altered, or sealed for "
        "another owner, account or server; set the password again."
    )
