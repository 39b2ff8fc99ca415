"""A request of the API as a function gets it, and its answer as a test reads it."""

import io
import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from tests.builders.accounts import OWNER, PASSWORD, SMTP_PASSWORD


@dataclass
class Context:
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:function:live"
    aws_request_id: str = "5f0c"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def an_event(method: str, path: str, body: Any = None, **changes: Any) -> dict[str, Any]:
    """A REST API event, as API Gateway's Cognito authorizer lets it through."""
    claims = {"sub": changes.pop("owner", OWNER), "email": "anna@example.com", "token_use": "id"}
    bare, _, query = path.partition("?")
    parameters = dict(pair.split("=") for pair in query.split("&")) if query else None
    return {
        "resource": bare,
        "path": bare,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"} if body is not None else {},
        "multiValueHeaders": {},
        "queryStringParameters": parameters,
        "multiValueQueryStringParameters": {name: [value] for name, value in (parameters or {}).items()} or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "stage": "v1",
            "path": f"/v1{bare}",
            "authorizer": {"claims": claims},
        },
        "body": body if isinstance(body, str) or body is None else json.dumps(body),
        "isBase64Encoded": False,
        **changes,
    }


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def error(self) -> dict[str, Any]:
        """The error, in the API's one shape."""
        assert set(self.json) == {"error"}
        error: dict[str, Any] = self.json["error"]
        assert set(error) == {"code", "message", "details"}
        assert error["code"].replace("_", "").islower()
        assert error["message"]
        assert isinstance(error["details"], dict)
        return error

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with which field."""
        return {found["field"]: found["problem"] for found in self.error["details"]["fields"]}


def a_body(**changes: Any) -> dict[str, Any]:
    """A request that fits; a dotted name changes what is inside, and ``None`` takes it away."""
    body: dict[str, Any] = {
        "email": "anna@example.com",
        "name": "My work",
        "incoming": {"host": "pop.example.com", "port": 995, "security": "tls", "username": "anna", "auth": "password"},
        "outgoing": {"host": "smtp.example.com", "port": 465, "security": "tls", "username": "anna"},
        "fetch": {"interval_minutes": 15, "max_messages_per_cycle": 50, "start": "2026-01-31"},
    }
    body["incoming"]["password"] = PASSWORD
    body["outgoing"]["password"] = SMTP_PASSWORD
    for name, value in changes.items():
        *path, last = name.split("__")
        part = body
        for step in path:
            part = part.setdefault(step, {})
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return body


@dataclass(frozen=True)
class ApiClient:
    """Asks one function of the API, as owners do."""

    function: ModuleType

    def call(self, event: dict[str, Any]) -> Answer:
        raw = self.answered(event)
        headers = {name: values[0] for name, values in (raw.get("multiValueHeaders") or {}).items()}
        return Answer(raw["statusCode"], {**headers, **(raw.get("headers") or {})}, raw.get("body") or "")

    def answered(self, event: dict[str, Any]) -> dict[str, Any]:
        """The answer as the gateway gets it."""
        raw: dict[str, Any] = json.loads(json.dumps(self.function.handler(event, Context())))
        return raw

    def request(self, method: str, path: str, body: Any = None, **changes: Any) -> Answer:
        return self.call(an_event(method, path, body, **changes))


def lines_of(log: io.StringIO) -> list[dict[str, Any]]:
    """The lines that a function has logged."""
    return [json.loads(line) for line in log.getvalue().splitlines()]
