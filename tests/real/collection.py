"""A collection from a real server, and a look at what it asks of AWS."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from tests.builders.aws import Aws
from tests.builders.collecting import Collection
from tests.builders.scripted_pop3_server import ScriptedServer
from tests.real.mailbox import Mailbox


def collection_of(aws: Aws, mailbox: Mailbox, *, number: int = 1, **settings: Any) -> Collection:
    """The harness of cycles, with a real server where it usually has a scripted one."""
    return Collection(aws, cast(ScriptedServer, mailbox), ca_file=mailbox.ca_file, number=number, **settings)


class AwsCalls:
    """The calls made, as ``service.Operation``, each with its parameters."""

    def __init__(self) -> None:
        self.made: list[tuple[str, dict[str, Any]]] = []

    @property
    def counted(self) -> Counter[str]:
        return Counter(name for name, _ in self.made)

    def of(self, service: str) -> list[str]:
        return [name.partition(".")[2] for name, _ in self.made if name.startswith(f"{service}.")]

    def note(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.made.append((f"{model.service_model.service_name}.{model.name}", params))


@contextmanager
def counted_calls(aws: Aws) -> Iterator[AwsCalls]:
    """Note every call that is made through the stack's clients meanwhile."""
    calls = AwsCalls()
    clients: list[Any] = [aws.dynamodb, aws.s3, aws.kms, aws.sqs]
    for client in clients:
        client.meta.events.register("before-parameter-build", calls.note, unique_id="counted-calls")
    try:
        yield calls
    finally:
        for client in clients:
            client.meta.events.unregister("before-parameter-build", calls.note, unique_id="counted-calls")
