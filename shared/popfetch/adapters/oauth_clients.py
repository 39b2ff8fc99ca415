"""popfetch as the operator has registered it at authorization servers: fulfils the port ``OAuthClients``.

The registrations are JSON in one SecureString of SSM (``oauth_registrations`` says what is in it). Where there is none,
popfetch is registered nowhere.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from popfetch.adapters.dynamodb_items import error_code, translated
from popfetch.domain.authorization_servers import AUTHORIZATION_SERVERS
from popfetch.domain.errors import OAuthNotConfigured
from popfetch.domain.oauth import AuthorizationServer, OAuthClient

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

READ_AGAIN_SECONDS = 300.0
"""How long registrations that were read count; a new one takes effect after this at the latest."""

_KNOWN = {server.id: server for server in AUTHORIZATION_SERVERS}
_ABSENT = {"ParameterNotFound", "ParameterVersionNotFound"}
_CLOSED = {"AccessDeniedException", "InvalidKeyId"}


@dataclass(frozen=True, slots=True)
class _Read:
    clients: Mapping[str, OAuthClient]
    until: float


class SsmOAuthClients:
    """``OAuthClients`` in the SecureString ``parameter_name``, read on first use and anew every five minutes."""

    def __init__(
        self, client: Callable[[], "SSMClient"], parameter_name: str, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._name = parameter_name
        self._monotonic = monotonic
        self._read: _Read | None = None

    def servers(self) -> Sequence[AuthorizationServer]:
        """All authorization servers that are known, those without a registration too."""
        clients = self._clients()
        registered = {server_id: client.server for server_id, client in clients.items()}
        return [*(_KNOWN | registered).values()]

    def client(self, server_id: str) -> OAuthClient:
        """popfetch at an authorization server. Raises OAuthNotConfigured where it is not registered there."""
        client = self._clients().get(server_id)
        if client is None:
            name = _KNOWN[server_id].name if server_id in _KNOWN else server_id
            raise OAuthNotConfigured(
                f"Whoever runs popfetch has not registered it at {name} yet, so that nobody can sign in there; ask"
                " them."
            )
        return client

    def is_registered(self, server_id: str) -> bool:
        """Whether popfetch is registered at an authorization server."""
        return server_id in self._clients()

    def _clients(self) -> Mapping[str, OAuthClient]:
        if self._read is None or self._monotonic() >= self._read.until:
            self._read = _Read(self._parse(self._text()), self._monotonic() + READ_AGAIN_SECONDS)
        return self._read.clients

    def _text(self) -> str:
        with translated("Reading the registrations at authorization servers"):
            try:
                answer = self._client().get_parameter(Name=self._name, WithDecryption=True)
            except ClientError as error:
                if error_code(error) in _CLOSED:
                    raise OAuthNotConfigured(
                        f"popfetch may not read the SSM parameter {self._name}; encrypt it with SSM's own key, as"
                        " put-parameter does where no key is named."
                    ) from error
                if error_code(error) not in _ABSENT:
                    raise
                return "{}"
        return answer["Parameter"].get("Value", "{}")

    def _parse(self, text: str) -> Mapping[str, OAuthClient]:
        # Most accounts have passwords; a fetch of those starts without the library behind this.
        from popfetch.adapters.oauth_registrations import Unusable, read_registrations

        try:
            return read_registrations(text)
        except Unusable as problem:
            raise OAuthNotConfigured(
                f"What the operator has put into the SSM parameter {self._name} cannot be used ({problem}); see the "
                "README, and put it right."
            ) from problem
