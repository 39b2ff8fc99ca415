"""popfetch as the operator has registered it at authorization servers: fulfils the port ``OAuthClients``.

The registrations are JSON in one SecureString of SSM (``oauth_registrations`` says what is in it). Where there is none,
popfetch is registered nowhere; where they cannot be read again, those that were read last stay in use.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from popfetch.adapters.dynamodb_items import error_code, translated
from popfetch.domain.authorization_servers import AUTHORIZATION_SERVERS
from popfetch.domain.errors import OAuthNotConfigured, PopfetchError, StorageUnavailable
from popfetch.domain.oauth import AuthorizationServer, OAuthClient

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

READ_AGAIN_SECONDS = 300.0
"""How long registrations that were read count; a new one takes effect after this at the latest."""

TRY_AGAIN_SECONDS = 60.0
"""How long nothing is read again after it was refused or had a mistake, or failed while older ones are in use."""

SPARED_SECONDS = 5.0
"""How long SSM is spared after it failed and there are no older registrations."""

_KNOWN = {server.id: server for server in AUTHORIZATION_SERVERS}
_ABSENT = {"ParameterNotFound", "ParameterVersionNotFound"}
_CLOSED = {"AccessDeniedException", "InvalidKeyId"}


@dataclass(frozen=True, slots=True)
class _Found:
    """What the parameter holds; ``unusable`` says why it is nothing at all."""

    clients: Mapping[str, OAuthClient] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    unusable: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading has led to, and until when that counts: something was found, or every call fails."""

    outcome: _Found | Callable[[], PopfetchError]
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
        # threads that come while one reads wait for what it finds
        self._lock = Lock()

    def servers(self) -> Sequence[AuthorizationServer]:
        """All authorization servers that are known, those without a registration too, and usable ones of one's own."""
        registered = {server_id: client.server for server_id, client in self._found().clients.items()}
        return [*(_KNOWN | registered).values()]

    def client(self, server_id: str) -> OAuthClient:
        """popfetch at an authorization server. Raises OAuthNotConfigured where it is not usably registered there."""
        found = self._found()
        if client := found.clients.get(server_id):
            return client
        if problem := found.unusable or found.problems.get(server_id):
            raise OAuthNotConfigured(self._mistake(problem))
        name = _KNOWN[server_id].name if server_id in _KNOWN else server_id
        raise OAuthNotConfigured(
            f"Whoever runs popfetch has not registered it at {name} yet, so that nobody can sign in there; ask them."
        )

    def is_registered(self, server_id: str) -> bool:
        """Whether popfetch is registered at an authorization server, and usably so."""
        return server_id in self._found().clients

    def mistakes(self) -> Sequence[str]:
        """What is wrong with registrations that cannot be used; no text holds a value of theirs."""
        found = self._found()
        return [self._mistake(problem) for problem in (found.unusable, *found.problems.values()) if problem]

    def _mistake(self, problem: str) -> str:
        return (
            f"What the operator has put into the SSM parameter {self._name} cannot be used ({problem}); see the "
            "README, and put it right."
        )

    def _found(self) -> _Found:
        with self._lock:
            if self._read is None or self._monotonic() >= self._read.until:
                return self._read_again(self._read)
            outcome = self._read.outcome
        if isinstance(outcome, _Found):
            return outcome
        raise outcome()

    def _read_again(self, last: _Read | None) -> _Found:
        try:
            found = self._parse(self._text())
        except (StorageUnavailable, OAuthNotConfigured) as error:
            if last is not None and isinstance(last.outcome, _Found):
                self._read = replace(last, until=self._monotonic() + TRY_AGAIN_SECONDS)
                return last.outcome
            wait = SPARED_SECONDS if error.retryable else TRY_AGAIN_SECONDS
            # made anew for each call: one that was raised before keeps all that it went through
            self._read = _Read(partial(type(error), error.message), self._monotonic() + wait)
            raise
        # a mistake that is put right takes effect soon
        wait = TRY_AGAIN_SECONDS if found.unusable or found.problems else READ_AGAIN_SECONDS
        self._read = _Read(found, self._monotonic() + wait)
        return found

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

    @staticmethod
    def _parse(text: str) -> _Found:
        # Most accounts have passwords; a fetch of those starts without the library behind this.
        from popfetch.adapters.oauth_registrations import Unusable, read_registrations

        try:
            read = read_registrations(text)
        except Unusable as problem:
            return _Found(unusable=str(problem))
        return _Found(read.clients, read.problems)
