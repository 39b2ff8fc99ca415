"""The owners' API as any client sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from infra.local.errors import LocalRunError


class ApiRefused(LocalRunError):
    """The API answered with an error; ``status`` is the HTTP status, ``code`` popfetch's word for it."""

    def __init__(self, method: str, path: str, status: int, body: Mapping[str, Any]) -> None:
        error = body.get("error") if isinstance(body.get("error"), dict) else {}
        self.status = status
        self.code = str((error or {}).get("code", ""))
        words = (error or {}).get("message") or body.get("message") or body
        super().__init__(f"{method} {path} answered {status}: {words}")


@dataclass(frozen=True)
class Api:
    """The API at ``url``, for the owner of ``id_token``."""

    url: str
    id_token: str

    def get(self, path: str) -> Any:
        """GET a path. Raises ApiRefused."""
        return self.call("GET", path)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST a body. Raises ApiRefused."""
        return self.call("POST", path, body)

    def delete(self, path: str) -> Any:
        """DELETE a path. Raises ApiRefused."""
        return self.call("DELETE", path)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the API; returns the decoded body. Raises ApiRefused, and LocalRunError when nobody answers."""
        headers = {"Authorization": self.id_token} if self.id_token else {}
        try:
            answer = requests.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=60)
        except requests.RequestException as error:
            raise LocalRunError(f"The API at {self.url} does not answer: {error}") from error
        try:
            decoded = answer.json() if answer.content else {}
        except requests.JSONDecodeError:
            decoded = {"message": answer.text[:500]}
        if answer.status_code >= 400:
            raise ApiRefused(method, path, answer.status_code, decoded if isinstance(decoded, dict) else {})
        return decoded

    def page(self, path: str) -> str:
        """A page for people. Raises LocalRunError where there is none."""
        try:
            answer = requests.get(f"{self.url}{path}", timeout=60)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise LocalRunError(f"There is no page at {self.url}{path}: {error}") from error
        return answer.text

    def accounts(self) -> list[dict[str, Any]]:
        """The owner's accounts, in their order."""
        answer = self.get("/accounts")
        found: list[dict[str, Any]] = answer["accounts"] if isinstance(answer, dict) else answer
        return found


def account_body(
    *, email: str, name: str, host: str, port: int, password: str, interval_minutes: int = 1
) -> dict[str, Any]:
    """What POST /accounts takes for a mailbox over TLS, all of whose mail is wanted."""
    return {
        "email": email,
        "name": name,
        "incoming": {"host": host, "port": port, "security": "tls", "username": email, "password": password},
        "fetch": {"interval_minutes": interval_minutes, "max_messages_per_cycle": 100, "start": "all"},
        "verify": True,
    }
