"""How items travel between plain Python values and DynamoDB's wire form, and how its errors become popfetch's.

Every adapter of the table goes through here, so that numbers are ints, binaries are bytes, and each failure of
the service is a ``StorageUnavailable`` that says which operation failed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from popfetch.domain.errors import StorageUnavailable

type Item = dict[str, Any]
type WireItem = dict[str, Any]

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_wire(values: Mapping[str, Any]) -> WireItem:
    """Plain values as DynamoDB's typed attributes; ``None`` values are left out."""
    return {name: _serializer.serialize(value) for name, value in values.items() if value is not None}


def from_wire(wire: Mapping[str, Any]) -> Item:
    """DynamoDB's typed attributes as plain values."""
    return {name: _plain(_deserializer.deserialize(value)) for name, value in wire.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Binary):
        return bytes(value.value)  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value


def plain_octets(values: Mapping[str, Any]) -> int:
    """How large an item of texts, octets and whole numbers is by DynamoDB's count, or at most; never less."""
    return sum(len(name.encode()) + _octets_of(value) for name, value in values.items() if value is not None)


def _octets_of(value: str | bytes | int) -> int:
    if isinstance(value, int):
        return len(str(value)) // 2 + 2  # two digits an octet, and one more
    return len(value.encode() if isinstance(value, str) else value)


def error_code(error: ClientError) -> str:
    """The service's own word for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def condition_held(write: Callable[[], object]) -> bool:
    """Carry out a conditional write; ``False`` where its condition did not hold, and nothing was written."""
    try:
        write()
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what boto3 raises inside into ``StorageUnavailable``; named conditions are to be caught before."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        code = error_code(error) if isinstance(error, ClientError) else type(error).__name__
        raise StorageUnavailable(f"{operation} failed ({code}); it is tried again with the next request.") from error
