"""moto as a server, in a process of its own, with a meter before it.

``python -m tests.bench.metered_aws`` prints its port and serves until its input ends. ``GET /_meter`` answers what was
counted since the last time, and begins anew.
"""

import copy
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from threading import RLock, Thread
from types import SimpleNamespace
from typing import Any

from tests.bench.metering import Item, Meter, whole, written_keys
from tests.builders.aws import REGION

_METER = "/_meter"
_SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_READS = {"GetItem", "Query", "Scan", "BatchGetItem"}
_MOTO_ACCOUNT = "123456789012"

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Metered:
    """A WSGI application around moto's that counts what passes.

    One request at a time: what an item was before a write must be what the write found.
    """

    def __init__(self, inner: Application, stored: Callable[[str, Item], Item | None]) -> None:
        self._inner = inner
        self._stored = stored
        self._turn = RLock()
        self.meter = Meter()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._turn:
            if environ["PATH_INFO"] == _METER:
                return self._tell(start_response)
            signed = _SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
            service = signed[1] if signed else "s3"
            if service == "s3":
                self.meter.s3(environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""))
                return list(self._inner(environ, start_response))
            return self._call(service, environ, start_response)

    def _tell(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        meter, self.meter = self.meter, Meter()
        start_response("200 OK", [("Content-Type", "application/json")])
        return [
            json.dumps({"units": meter.units, "requests": meter.requests, "item_writes": meter.item_writes}).encode()
        ]

    def _call(self, service: str, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        asked: dict[str, Any] = json.loads(body or b"{}")
        if service == "dynamodb" and operation in _READS:
            answered = b"".join(self._pass_on(environ, whole(asked).encode(), lambda *_: None))
            self.meter.reads(operation, asked, json.loads(answered))
        keys = written_keys(operation, asked) if service == "dynamodb" else []
        before = [self._stored(_table(asked), key) for key in keys]
        answer = list(self._pass_on(environ, body, start_response))
        if keys:
            self.meter.writes(operation, before, [self._stored(_table(asked), key) for key in keys])
        elif service == "sqs":
            self.meter.sqs(operation, len(body))
        elif service == "events":
            self.meter.events(operation, asked)
        elif service == "kms":
            self.meter.note("kms", operation, request=1)
        elif service != "dynamodb":
            self.meter.note(service, operation)
        return answer

    def _pass_on(self, environ: dict[str, Any], body: bytes, start_response: Callable[..., Any]) -> Iterable[bytes]:
        passed = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        return self._inner(passed, start_response)


def _table(asked: dict[str, Any]) -> str:
    if "RequestItems" in asked:
        return str(next(iter(asked["RequestItems"])))
    if "TransactItems" in asked:
        return str(next(iter(asked["TransactItems"][0].values()))["TableName"])
    return str(asked["TableName"])


def stored_in_moto(region: str) -> Callable[[str, Item], Item | None]:
    """Finds items as moto holds them."""
    from moto.dynamodb.models import dynamodb_backends

    def stored(table: str, item: Item) -> Item | None:
        backend = dynamodb_backends[_MOTO_ACCOUNT][region]
        found = backend.get_item(table, {name: item[name] for name in ("pk", "sk")})
        return found.to_json()["Attributes"] if found is not None else None

    return stored


def _keep_no_copies() -> None:
    """Before each transaction moto copies all that it holds, to go back to; it takes seconds, and none fails here."""
    from moto.dynamodb import models

    vars(models)["copy"] = SimpleNamespace(deepcopy=lambda held: held, copy=copy.copy)


def serve() -> None:
    """Serve until standard input ends."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    _keep_no_copies()
    MotoRequestHandler.protocol_version = "HTTP/1.1"  # AWS keeps connections, and so clients save making new ones
    metered = Metered(DomainDispatcherApplication(create_backend_app), stored_in_moto(REGION))
    server = make_server("127.0.0.1", 0, metered, threaded=True, request_handler=MotoRequestHandler)
    Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    serve()
