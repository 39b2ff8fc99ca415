"""popfetch's registrations at authorization servers, as the operator writes them down in SSM."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from popfetch.adapters.oauth_clients import READ_AGAIN_SECONDS, SsmOAuthClients
from popfetch.domain.errors import OAuthNotConfigured, StorageUnavailable
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
        self.clients = SsmOAuthClients(self._read, NAME, monotonic=lambda: self.seconds)

    def _read(self) -> "SSMClient":
        self.reads += 1
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
        ("not JSON", "the whole"),
        ("[]", "the whole"),
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
        ({"UPPER CASE": OWN}, "UPPER CASE"),
    ],
)
def test_a_mistake_is_named_and_no_secret_is(parameter: Parameter, value: Any, problem: str) -> None:
    parameter.put(value)
    with pytest.raises(OAuthNotConfigured, match=problem) as refused:
        parameter.clients.servers()
    assert NAME in refused.value.message
    assert SECRET not in repr(refused.getrepr(style="long"))


def test_it_is_read_once_in_five_minutes(parameter: Parameter) -> None:
    parameter.clients.servers()
    parameter.put({"fastmail": {"client_id": "x"}})
    for _ in range(5):
        assert not parameter.clients.is_registered("fastmail")
    assert parameter.reads == 1
    parameter.seconds += READ_AGAIN_SECONDS
    assert parameter.clients.is_registered("fastmail")
    assert parameter.reads == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", StorageUnavailable),
        ("InternalServerError", StorageUnavailable),
        # a key of the operator's own, which the functions' roles know nothing of
        ("AccessDeniedException", OAuthNotConfigured),
        ("InvalidKeyId", OAuthNotConfigured),
    ],
)
def test_what_keeps_it_from_being_read_is_told_apart(
    parameter: Parameter, monkeypatch: pytest.MonkeyPatch, code: str, kind: type[Exception]
) -> None:
    def fail(**_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetParameter")

    monkeypatch.setattr(parameter._client, "get_parameter", fail)
    with pytest.raises(kind):
        parameter.clients.servers()
