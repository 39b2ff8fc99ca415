"""popfetch's registrations at authorization servers, as the operator writes them down in SSM."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from popfetch.adapters.oauth_clients import (
    READ_AGAIN_SECONDS,
    SPARED_SECONDS,
    TRY_AGAIN_SECONDS,
    SsmOAuthClients,
)
from popfetch.adapters.oauth_registrations import Unusable, read_registrations
from popfetch.domain.errors import OAuthNotConfigured, PopfetchError, StorageUnavailable
from popfetch.domain.oauth import ClientAuth
from tests.builders.aws import aws

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NAME = "/popfetch/oauth-clients"
SECRET = "cl1ent-Geheimnis"
OWN = {
    "client_id": "popfetch",
    "client_secret": SECRET,
    "client_auth": "basic",
    "name": "Example Ltd",
    "authorize_url": "https://id.example.com/authorize",
    "token_url": "https://id.example.com/token",
    "scopes": ["mail.pop", "offline_access"],
    "hosts": ["Mail.Example.com."],
    "issuer": "https://id.example.com",
}


class Parameter:
    """The SecureString, how often it was read, and a clock."""

    def __init__(self, client: "SSMClient") -> None:
        self._client = client
        self.seconds = 0.0
        self.reads = 0
        self.fails_with = ""
        self.clients = SsmOAuthClients(self._read, NAME, monotonic=lambda: self.seconds)

    def _read(self) -> "SSMClient":
        self.reads += 1
        if self.fails_with:
            raise ClientError({"Error": {"Code": self.fails_with, "Message": ""}}, "GetParameter")
        return self._client

    def put(self, value: Any) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self._client.put_parameter(Name=NAME, Value=text, Type="SecureString", Overwrite=True)


@pytest.fixture
def parameter() -> Iterator[Parameter]:
    with aws():
        yield Parameter(boto3.client("ssm"))


def test_where_there_is_none_popfetch_is_registered_nowhere(parameter: Parameter) -> None:
    assert [server.id for server in parameter.clients.servers()] == ["google", "microsoft", "fastmail"]
    assert not parameter.clients.is_registered("google")
    with pytest.raises(OAuthNotConfigured, match="Google"):
        parameter.clients.client("google")


def test_a_known_server_takes_a_client_id_and_a_secret(parameter: Parameter) -> None:
    parameter.put({"google": {"client_id": "id.apps.googleusercontent.com", "client_secret": SECRET}})
    client = parameter.clients.client("google")
    assert (client.client_id, client.server.name) == ("id.apps.googleusercontent.com", "Google")
    assert client.client_secret
    assert client.client_secret.reveal() == SECRET
    assert SECRET not in repr(client)
    assert parameter.clients.is_registered("google")
    assert not parameter.clients.is_registered("microsoft")


def test_a_public_client_has_no_secret(parameter: Parameter) -> None:
    parameter.put({"fastmail": {"client_id": "x"}})
    assert parameter.clients.client("fastmail").client_secret is None


def test_microsoft_may_be_told_the_tenant(parameter: Parameter) -> None:
    parameter.put({"microsoft": {"client_id": "x", "tenant": "contoso.onmicrosoft.com"}})
    server = parameter.clients.client("microsoft").server
    base = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0"
    assert (server.authorize_url, server.token_url, server.device_url) == (
        f"{base}/authorize",
        f"{base}/token",
        f"{base}/devicecode",
    )


def test_a_server_of_the_operators_own_is_one_more(parameter: Parameter) -> None:
    parameter.put({"example": OWN})
    server = parameter.clients.client("example").server
    assert (server.name, server.hosts, server.client_auth) == (
        "Example Ltd",
        frozenset({"mail.example.com"}),
        ClientAuth.BASIC,
    )
    assert [known.id for known in parameter.clients.servers()][-1] == "example"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"google": SECRET}, "google: "),
        ({"google": {"client_id": "x", "tenant": 1, "x" * 500: SECRET}}, r"google\.x{40}\.\.\."),
        ({"google": {}}, r"google\.client_id"),
        ({"google": {"client_id": "x", "client_secret": ""}}, r"google\.client_secret"),
        ({"google": {"client_id": "x", "secret": SECRET}}, r"google\.secret"),
        ({"google": {"client_id": "x", "token_url": "https://evil.example/"}}, r"google: token_url"),
        ({"google": {"client_id": "x", "tenant": "contoso"}}, "google: tenant"),
        ({"microsoft": {"client_id": "x", "tenant": "../evil"}}, r"microsoft\.tenant"),
        ({"example": {"client_id": "x", "client_secret": SECRET}}, "example: name, authorize_url"),
        ({"example": {**OWN, "token_url": "http://id.example.com/token"}}, r"example\.token_url.*https://"),
        ({"example": {**OWN, "authorize_url": "javascript:alert(1)"}}, r"example\.authorize_url"),
        ({"example": {**OWN, "client_secret": None}}, "example"),
        ({"example": {**OWN, "tenant": "contoso"}}, "example: tenant"),
        ({"UPPER CASE": OWN}, "UPPER CASE: "),
        ({"line\nbreak": OWN}, r"line\?break: "),
        ({"example": {**OWN, "hosts": ["mail.example.com", "POP.Gmail.com."]}}, r"example\.hosts\.1: .*google"),
    ],
)
def test_a_mistake_is_named_and_no_secret_is(parameter: Parameter, value: Any, problem: str) -> None:
    parameter.put(value)
    with pytest.raises(OAuthNotConfigured, match=problem) as refused:
        parameter.clients.client(next(iter(value)))
    assert NAME in refused.value.message
    assert SECRET not in repr(refused.getrepr(style="long"))


@pytest.mark.parametrize("bad", [{"google": {}}, {"example": {**OWN, "name": ""}}, {"UPPER CASE": OWN}, {"own": None}])
def test_a_mistake_takes_no_other_entry_down(parameter: Parameter, bad: dict[str, Any]) -> None:
    parameter.put({**bad, "fastmail": {"client_id": "x"}})
    assert parameter.clients.client("fastmail").client_id == "x"
    assert not any(map(parameter.clients.is_registered, bad))
    assert [server.id for server in parameter.clients.servers()] == ["google", "microsoft", "fastmail"]


def test_the_problems_are_told_by_server() -> None:
    read = read_registrations(json.dumps({"google": {}, "example": OWN, "other": 1}))
    assert list(read.clients) == ["example"]
    assert list(read.problems) == ["google", "other"]


def test_all_mistakes_are_told_without_asking_for_a_server(parameter: Parameter) -> None:
    parameter.put({"google": {"client_id": "x"}, "example": {**OWN, "token_url": SECRET}, "other": 1})
    first, second = parameter.clients.mistakes()
    assert "example.token_url: " in first
    assert "other: " in second
    assert SECRET not in first


def test_a_host_that_two_entries_name_belongs_to_the_first(parameter: Parameter) -> None:
    parameter.put({"first": OWN, "second": {**OWN, "hosts": ["pop.example.com", "MAIL.example.com"]}})
    assert parameter.clients.is_registered("first")
    with pytest.raises(OAuthNotConfigured, match=r"second\.hosts\.1: .*first"):
        parameter.clients.client("second")


def test_an_entry_with_a_mistake_keeps_no_host_from_others(parameter: Parameter) -> None:
    parameter.put({"first": {**OWN, "token_url": "x"}, "second": OWN})
    assert parameter.clients.is_registered("second")


@pytest.mark.parametrize("text", ["not JSON", "[]", f'["{SECRET}"]', f'{{"google": {{"client_secret": "{SECRET}"'])
def test_what_is_no_object_registers_popfetch_nowhere(parameter: Parameter, text: str) -> None:
    parameter.put(text)
    assert [server.id for server in parameter.clients.servers()] == ["google", "microsoft", "fastmail"]
    assert not parameter.clients.is_registered("google")
    for server_id in ("google", "example"):
        with pytest.raises(OAuthNotConfigured, match="the whole") as refused:
            parameter.clients.client(server_id)
        assert NAME in refused.value.message
        assert SECRET not in repr(refused.getrepr(style="long"))


def test_no_secret_goes_with_what_is_no_object() -> None:
    with pytest.raises(Unusable) as refused:
        read_registrations(f'["{SECRET}"]')
    assert SECRET not in repr(refused.getrepr(style="long"))
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///token",
        "https://:443/token",
        f"https://user:{SECRET}@id.example.com/token",  # pragma: allowlist secret
        "https://@id.example.com/token",
        "https://id.example.com:65536/token",
        "https://id.example.com:0/token",
        "https://id.example.com:x/token",
        "https://id.example.com:\u0663/token",
        "https://[::1/token",
        "https://[::1]x/token",
        "https://[v1.a]/token",
        "https://[1:2]/token",
        "https://999.1.1.1/token",
        "https://id..example.com/token",
        "https://-id.example.com/token",
        f"https://{'a' * 64}.example.com/token",
        f"https://{'a.' * 127}example/token",
        "https://b\u00fccher.example/token",
        "https://xn--zz--zz.example/token",
        "https://id.exam%20ple.com/token",
        "https://id.example.com\\@evil.example/token",
        "https://id.example.com/to ken",
        "https://id.example.com/to\u00a0ken",
        "https://id.example.com/\x7f",
        "https://id.example.com/token#",
    ],
)
def test_an_address_that_cannot_be_requested_is_refused(url: str) -> None:
    read = read_registrations(json.dumps({"example": {**OWN, "token_url": url}}))
    assert read.problems["example"].startswith("example.token_url: ")
    assert url.removeprefix("https://") == "" or url not in read.problems["example"]
    assert SECRET not in read.problems["example"]


@pytest.mark.parametrize(
    "url",
    [
        "https://id.example.com",
        "https://ID.example.com.:8443/token?realm=mail",
        "https://localhost/token",
        "https://192.0.2.1/token",
        "https://[2001:db8::1]:8443/token",
        "https://xn--bcher-kva.example/token",
        "https://id.example.com/t\u00f6ken",
    ],
)
def test_an_address_that_can_be_requested_is_taken(url: str) -> None:
    read = read_registrations(json.dumps({"example": {**OWN, "token_url": url}}))
    assert read.clients["example"].server.token_url == url


def test_it_is_read_once_in_five_minutes(parameter: Parameter) -> None:
    parameter.clients.servers()
    parameter.put({"fastmail": {"client_id": "x"}})
    for _ in range(5):
        assert not parameter.clients.is_registered("fastmail")
    assert parameter.reads == 1
    parameter.seconds += READ_AGAIN_SECONDS
    assert parameter.clients.is_registered("fastmail")
    assert parameter.reads == 2


def test_a_mistake_that_is_put_right_counts_soon(parameter: Parameter) -> None:
    parameter.put({"fastmail": {}})
    assert not parameter.clients.is_registered("fastmail")
    parameter.put({"fastmail": {"client_id": "x"}})
    parameter.seconds += TRY_AGAIN_SECONDS
    assert parameter.clients.is_registered("fastmail")


FAILURES = [
    ("ThrottlingException", StorageUnavailable, SPARED_SECONDS),
    ("InternalServerError", StorageUnavailable, SPARED_SECONDS),
    # a key of the operator's own, which the functions' roles know nothing of
    ("AccessDeniedException", OAuthNotConfigured, TRY_AGAIN_SECONDS),
    ("InvalidKeyId", OAuthNotConfigured, TRY_AGAIN_SECONDS),
]


@pytest.mark.parametrize(("code", "kind", "_wait"), FAILURES)
def test_what_keeps_it_from_being_read_is_told_apart(
    parameter: Parameter, code: str, kind: type[Exception], _wait: float
) -> None:
    parameter.fails_with = code
    with pytest.raises(kind):
        parameter.clients.servers()


@pytest.mark.parametrize(("code", "kind", "wait"), FAILURES)
def test_a_failure_is_remembered_for_a_while(
    parameter: Parameter, code: str, kind: type[PopfetchError], wait: float
) -> None:
    parameter.fails_with = code
    with pytest.raises(kind) as first:
        parameter.clients.servers()
    parameter.fails_with = ""
    parameter.seconds += wait - 1
    with pytest.raises(kind) as again:
        parameter.clients.client("google")
    assert again.value is not first.value
    assert again.value.message == first.value.message
    assert again.value.__cause__ is None
    assert parameter.reads == 1
    parameter.seconds += 1
    assert parameter.clients.servers()


@pytest.mark.parametrize(("code", "_kind", "_wait"), FAILURES)
def test_what_was_read_last_stays_in_use_while_reading_fails(
    parameter: Parameter, code: str, _kind: type[Exception], _wait: float
) -> None:
    parameter.put({"fastmail": {"client_id": "old"}})
    parameter.clients.servers()
    parameter.fails_with = code
    parameter.seconds += READ_AGAIN_SECONDS
    for reads in (2, 3):
        for _ in range(3):
            assert parameter.clients.client("fastmail").client_id == "old"
        assert parameter.reads == reads
        parameter.seconds += TRY_AGAIN_SECONDS
    parameter.fails_with = ""
    parameter.put({"fastmail": {"client_id": "new"}})
    assert parameter.clients.client("fastmail").client_id == "new"


def test_threads_that_come_at_once_read_once(parameter: Parameter) -> None:
    begin = Barrier(8)

    def ask(_: int) -> bool:
        begin.wait(timeout=10)
        return parameter.clients.is_registered("google")

    with ThreadPoolExecutor(8) as threads:
        assert not any(threads.map(ask, range(8)))
    assert parameter.reads == 1
