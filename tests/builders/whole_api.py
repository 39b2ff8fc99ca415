"""Every function of the API over one stack, asked by route: what the template sends where, and who is wired to what."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest

from popfetch.adapters.dynamodb_items import from_wire
from popfetch.adapters.owner_sessions import UserPoolSessions
from popfetch.domain.mail_settings import NOTHING_FOUND
from popfetch.services.sessions import Sessions
from tests.builders.accounts import OWNER
from tests.builders.api import Answer, ApiClient, an_event
from tests.builders.aws import Aws
from tests.builders.journals import log_of
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.reply_to import AskedAddresses
from tests.builders.site import a_site
from tests.builders.user_pool import UserPool
from tests.builders.wiring import forget_wiring
from tests.template.translated import source

HOST = "ab12.execute-api.eu-central-1.amazonaws.com"
BASE = f"https://{HOST}/v1"

type Route = tuple[str, str]
"""Method and path, as the template has them."""


@cache
def functions_by_route() -> dict[Route, str]:
    """The folder of the function that each route of the template leads to."""
    found = {}
    for resource in source()["Resources"].values():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        folder = resource["Properties"]["CodeUri"].rstrip("/").rpartition("/")[2]
        for event in resource["Properties"].get("Events", {}).values():
            if event["Type"] == "Api":
                found[event["Properties"]["Method"], event["Properties"]["Path"]] = folder
    return found


def handler_of(folder: str) -> ModuleType:
    """A function's handler."""
    return import_module(f"functions.{folder}.handler")


@dataclass
class WholeApi:
    """The API, with servers and mailers that only remember; ``log`` is what its functions have logged."""

    stack: Aws
    pool: UserPool | None = None
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.kept = KeptAccounts(self.stack)
        self.desk = AskedAddresses(self.kept, handler_of("reply_to").journal)

    def wire(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        """Put what a test holds in the place of what the runtime would build."""
        kept = self.kept
        places: dict[str, dict[str, Any]] = {
            "accounts": {"accounts_service": lambda _: kept.accounts, "account_changes": lambda _: kept.changes},
            "console": {"SITE": a_site(folder)},
            "messages": {"reading": kept.reading},
            "oauth": {"consent": lambda _: kept.consent},
            "passwords": {"account_changes": lambda _: kept.changes},
            "providers": {"look_up": lambda *_: NOTHING_FOUND},
            "reply_to": {"reply_to_addresses": lambda _: self.desk.service},
            "send": {"sending": kept.sending, "sent_under_a_key": kept.once},
        }
        assert set(places) == set(functions_by_route().values())
        if self.pool:
            sessions = Sessions(UserPoolSessions(self.pool.cognito, self.pool.client_id), handler_of("console").journal)
            places["console"]["sessions"] = lambda _: sessions
        forget_wiring()
        monkeypatch.setenv("POPFETCH_MAIL_BUCKET_NAME", self.stack.bucket)
        for name, pieces in places.items():
            monkeypatch.setattr(handler_of(name).journal.metrics.provider, "namespace", "popfetch")
            for piece, stand_in in pieces.items():
                monkeypatch.setattr(handler_of(name), piece, stand_in)
        self.log = log_of(monkeypatch, *map(handler_of, places))

    def ask(self, route: Route, ids: Mapping[str, str] | None = None, body: Any = None, **request: Any) -> Answer:
        """Ask a route as an owner who is signed in does; the ids and the rest are as ``event`` has them."""
        return ApiClient(handler_of(functions_by_route()[route])).call(self.event(route, ids, body, **request))

    def event(
        self,
        route: Route,
        ids: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        owner: str = OWNER,
        **changes: Any,
    ) -> dict[str, Any]:
        """The request as a function gets it."""
        method, template = route
        path = template
        for name, value in (ids or {}).items():
            path = path.replace(f"{{{name}}}", value)
        event = an_event(method, path, body, owner=owner, **changes)
        event["resource"] = template
        event["requestContext"]["domainName"] = HOST
        event["headers"] = {**event["headers"], **(headers or {})}
        event["multiValueHeaders"] = {name: [value] for name, value in event["headers"].items()}
        event["queryStringParameters"] = dict(query) if query else None
        event["multiValueQueryStringParameters"] = {name: [value] for name, value in (query or {}).items()} or None
        return event

    def everything(self) -> dict[str, Any]:
        """All that the API keeps and all that it has done outside: what is not different was not touched."""
        kept, stack = self.kept, self.stack
        items = [from_wire(item) for item in stack.dynamodb.scan(TableName=stack.table)["Items"]]
        versions = boto3.client("s3").list_object_versions(Bucket=stack.bucket)
        assert self.desk.mailer
        return {
            "table": sorted(items, key=lambda item: (item["pk"], item["sk"])),
            "bucket": [(v["Key"], v["VersionId"], v["ETag"]) for v in versions.get("Versions", [])],
            "deleted": [(v["Key"], v["VersionId"]) for v in versions.get("DeleteMarkers", [])],
            "queue": [*kept.queue.requests, *kept.queue.erasures],
            "signed in": [*kept.dialer.calls, *kept.submission.calls, *kept.outgoing.calls],
            "sent": [*kept.outgoing.attempts, *self.desk.mailer.sent, *self.desk.account_mailer.sent],
            "asked of providers": [*kept.servers.asked, *kept.servers.given_back],
        }
