"""The providers API, request by request, and its wiring, which needs nothing of AWS."""

import io
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.providers import handler as function
from infra.openapi import describe
from popfetch.adapters.autoconfig import AutoconfigFiles
from popfetch.adapters.dns_records import DnsRecords
from popfetch.api.description import DESCRIPTION
from popfetch.api.resolver import PUBLIC
from popfetch.domain.account import INTERVAL_MENU, Security
from popfetch.domain.mail_settings import NOTHING_FOUND, FoundServer, FoundSettings, MailAddress, Source
from popfetch.domain.provider import SignInMethod
from popfetch.domain.provider_table import PROVIDERS
from popfetch.ports.invocation import Journal
from popfetch.ports.settings_lookup import MailExchanger, ServiceRecord
from popfetch.runtime import aws_clients, wiring_providers
from tests.builders.accounts import OWNER
from tests.builders.api import Answer, ApiClient, an_event
from tests.builders.journals import log_of
from tests.builders.wiring import forget_wiring
from tests.template.translated import routes

EVENTS = Path(__file__).parents[3] / "infra" / "events"


client = ApiClient(function)
call = client.call


def get(path: str, **changes: Any) -> Answer:
    return client.request("GET", path, **changes)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function)


@pytest.fixture(autouse=True)
def no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """No table, no bucket, no queue, and nothing that could reach them."""

    def no_client(service: str) -> None:
        raise AssertionError(f"{service} is not needed here")

    monkeypatch.setattr(aws_clients, "aws_client", no_client)
    for name in ("TABLE_NAME", "MAIL_BUCKET_NAME", "FETCH_QUEUE_URL", "CREDENTIALS_KEY_ID", "EVENT_BUS_NAME"):
        monkeypatch.delenv(f"POPFETCH_{name}", raising=False)


@pytest.fixture(autouse=True)
def wiring() -> Iterator[None]:
    """What the process keeps, ended and forgotten after each test."""
    yield
    forget_wiring()


class FoundBefore:
    """Stands in for looking up; keeps what it was asked."""

    def __init__(self, found: FoundSettings) -> None:
        self.found = found
        self.asked: list[MailAddress] = []

    def __call__(self, address: MailAddress, journal: Journal) -> FoundSettings:
        self.asked.append(address)
        return self.found


class TestTheList:
    def test_has_every_provider_in_the_tables_order(self) -> None:
        answer = get("/providers")
        assert answer.status == 200
        assert [provider["id"] for provider in answer.json["providers"]] == [provider.id for provider in PROVIDERS]

    def test_tells_all_that_is_known(self) -> None:
        providers = {provider["id"]: provider for provider in get("/providers").json["providers"]}
        assert providers["gmail"] == {
            "id": "gmail",
            "name": "Gmail",
            "domains": ["gmail.com", "googlemail.com"],
            "incoming": {"host": "pop.gmail.com", "port": 995, "security": "tls"},
            "outgoing": {"host": "smtp.gmail.com", "port": 465, "security": "tls"},
            "username": "full_address",
            "sign_in_methods": ["app_password", "oauth2"],
            "oauth_provider": "google",
            "shortest_interval_minutes": 10,
            "recommended_interval_minutes": 10,
            "help": providers["gmail"]["help"],
        }
        assert providers["icloud"]["incoming"] is None
        assert providers["web_de"]["username"] == "local_part"
        assert providers["posteo"]["recommended_interval_minutes"] == 5

    @pytest.mark.parametrize(
        ("browser", "begins"), [("vi,en;q=0.5", "Mật khẩu"), ("fr", "Passwords"), ("", "Passwords")]
    )
    def test_tells_what_to_do_first_in_the_language_of_who_asks(self, browser: str, begins: str) -> None:
        answer = get("/providers", headers={"Accept-Language": browser})
        providers = {provider["id"]: provider for provider in answer.json["providers"]}
        assert providers["outlook_personal"]["help"].startswith(begins)

    def test_has_intervals_of_the_menu_only(self) -> None:
        for provider in get("/providers").json["providers"]:
            assert provider["shortest_interval_minutes"] in INTERVAL_MENU
            assert provider["recommended_interval_minutes"] in INTERVAL_MENU


class TestLookingUp:
    def test_a_known_provider_asks_nobody(self) -> None:
        answer = get("/providers/lookup?email= Anna@WEB.DE ")
        assert answer.status == 200
        assert answer.json == {
            "email": "Anna@web.de",
            "source": "preset",
            "provider": {"id": "web_de", "name": "WEB.DE"},
            "incoming": {"host": "pop3.web.de", "port": 995, "security": "tls", "username": "Anna"},
            "outgoing": {"host": "smtp.web.de", "port": 465, "security": "tls", "username": "Anna"},
            "sign_in_methods": ["password"],
            "oauth_provider": None,
            "shortest_interval_minutes": 15,
            "recommended_interval_minutes": 15,
            "help": answer.json["help"],
            "needs_confirmation": False,
        }

    def test_nothing_found_is_an_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(function, "look_up", FoundBefore(NOTHING_FOUND))
        answer = get("/providers/lookup?email=anna@example.com")
        assert answer.status == 200
        assert answer.json == {
            "email": "anna@example.com",
            "source": None,
            "provider": None,
            "incoming": None,
            "outgoing": None,
            "sign_in_methods": [],
            "oauth_provider": None,
            "shortest_interval_minutes": None,
            "recommended_interval_minutes": None,
            "help": NOTHING_FOUND.help,
            "needs_confirmation": False,
        }

    def test_what_was_found_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        server = FoundServer("pop.hoster.example", 110, Security.STARTTLS, "anna")
        found = FoundSettings(
            Source.AUTOCONFIG, "Look.", None, server, None, (SignInMethod.PASSWORD,), needs_confirmation=True
        )
        monkeypatch.setattr(function, "look_up", FoundBefore(found))
        answer = get("/providers/lookup?email=anna@example.com").json
        assert answer["source"] == "autoconfig"
        assert answer["incoming"] == {
            "host": "pop.hoster.example",
            "port": 110,
            "security": "starttls",
            "username": "anna",
        }
        assert (answer["shortest_interval_minutes"], answer["recommended_interval_minutes"]) == (1, 5)
        assert answer["needs_confirmation"] is True

    def test_an_international_domain_is_looked_up_in_ascii(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = FoundBefore(NOTHING_FOUND)
        monkeypatch.setattr(function, "look_up", found)
        assert get("/providers/lookup?email=anna@Müller.example").json["email"] == "anna@müller.example"
        assert found.asked == [MailAddress("anna@müller.example", "xn--mller-kva.example")]

    @pytest.mark.parametrize("email", ["", "anna", "anna@", "@example.com", "a b@example.com", "anna@exa mple.com"])
    def test_what_is_no_address_is_refused(self, email: str) -> None:
        answer = get(f"/providers/lookup?email={email}")
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
        assert set(answer.problems) == {"email"}

    def test_no_address_at_all_is_refused(self) -> None:
        answer = get("/providers/lookup")
        assert (answer.status, answer.problems) == (422, {"email": "is required"})

    def test_a_bug_is_told_without_its_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(address: MailAddress, journal: Journal) -> FoundSettings:
            raise RuntimeError("the inside")

        monkeypatch.setattr(function, "look_up", broken)
        answer = get("/providers/lookup?email=anna@example.com")
        assert (answer.status, answer.error["code"]) == (500, "internal")
        assert "the inside" not in answer.text


@pytest.mark.parametrize("path", ["/providers", "/providers/lookup?email=anna@gmail.com"])
class TestWhoAsks:
    def test_has_to_be_signed_in(self, path: str) -> None:
        event = an_event("GET", path)
        del event["requestContext"]["authorizer"]
        answer = call(event)
        assert (answer.status, answer.error["code"]) == (401, "unauthorized")

    def test_is_noted_without_the_address(self, path: str, log: io.StringIO) -> None:
        get(path)
        assert "request answered" in log.getvalue()
        assert "anna" not in log.getvalue()


class DomainWithPop:
    """A DNS in which every domain names its POP server, or none does."""

    def __init__(self, host: str = "") -> None:
        self.host = host

    async def services(self, service: str, domain: str) -> list[ServiceRecord]:
        return [ServiceRecord(self.host, 995, 0, 0)] if self.host and service == "_pop3s._tcp" else []

    async def mail_exchangers(self, domain: str) -> list[MailExchanger]:
        return []


def unresolved(*_args: object, **_options: object) -> list[object]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


class TestTheWiring:
    def test_finds_what_the_domain_says_time_and_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", unresolved)
        monkeypatch.setattr(wiring_providers, "_dns", lambda: DomainWithPop("pop.example.com"))
        for _ in range(2):
            answer = get("/providers/lookup?email=anna@example.com").json
            assert (answer["source"], answer["incoming"]["host"]) == ("srv", "pop.example.com")

    def test_is_not_held_back_by_a_host_whose_addresses_do_not_come(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answered = threading.Event()

        def hanging(*_args: object, **_options: object) -> list[object]:
            answered.wait(20)
            return unresolved()

        monkeypatch.setattr(socket, "getaddrinfo", hanging)
        monkeypatch.setattr(wiring_providers, "RESOLVE_SECONDS", 0.05)
        monkeypatch.setattr(wiring_providers, "_dns", DomainWithPop)
        began = time.monotonic()
        assert get("/providers/lookup?email=anna@example.com").json["source"] is None
        assert time.monotonic() - began < 10
        answered.set()

    def test_asks_the_systems_name_servers_and_https_only(self) -> None:
        assert isinstance(wiring_providers._dns(), DnsRecords)
        files = wiring_providers._autoconfig()
        assert isinstance(files, AutoconfigFiles)
        assert files._guard._ports == {443}


class TestTheTestEvents:
    def test_for_the_list_get_it(self) -> None:
        assert call(json.loads((EVENTS / "providers_list.json").read_text())).json["providers"]

    def test_for_looking_up_get_settings(self) -> None:
        event = json.loads((EVENTS / "providers_lookup.json").read_text())
        event["requestContext"]["authorizer"]["claims"]["sub"] = OWNER
        assert call(event).json["provider"]["id"] == "gmail"


class TestTheDescription:
    def test_names_both_routes_with_their_models(self) -> None:
        described = json.loads(function.app.get_openapi_json_schema(title="popfetch"))
        assert set(described["paths"]) == {"/providers", "/providers/lookup", "/openapi.json"}
        look_up = described["paths"]["/providers/lookup"]["get"]
        assert look_up["summary"] == "The settings of an address"
        assert [(one["name"], one["in"], one["required"]) for one in look_up["parameters"]] == [
            ("email", "query", True)
        ]
        for path, model in (("/providers", "ProvidersOut"), ("/providers/lookup", "FoundSettingsOut")):
            answers = described["paths"][path]["get"]["responses"]
            assert answers["200"]["content"]["application/json"]["schema"]["$ref"].endswith(f"/{model}")
            assert answers["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorOut")


class TestTheDescriptionOfTheApi:
    def test_is_for_everybody(self) -> None:
        event = an_event("GET", "/openapi.json")
        event["requestContext"]["authorizer"] = None
        answer = call(event)
        assert answer.status == 200
        assert answer.json == describe()

    def test_describes_every_route_of_the_template_and_no_other(self) -> None:
        described = {(method, path) for path, operations in describe()["paths"].items() for method in operations}
        assert described == {(method, path) for path, method, _ in routes()}

    def test_says_who_may_ask(self) -> None:
        description = describe()
        assert description["security"] == [{"IdToken": []}]
        public = {
            (method.upper(), path)
            for path, operations in description["paths"].items()
            for method, operation in operations.items()
            if operation.get("security") == []
        }
        assert public == PUBLIC

    def test_names_no_model_that_is_not_there(self) -> None:
        text = DESCRIPTION.read_text()
        named = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
        assert named == set(json.loads(text)["components"]["schemas"])

    def test_recommends_what_it_recommends(self) -> None:
        schemas = describe()["components"]["schemas"]
        assert schemas["Interval"]["enum"] == list(INTERVAL_MENU)
        assert schemas["Interval"]["x-recommended"] == [5]
        per_cycle = schemas["MessagesPerCycle"]
        assert (per_cycle["minimum"], per_cycle["maximum"], per_cycle["x-recommended"]) == (20, 200, [100, 150])
