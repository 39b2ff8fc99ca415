"""The resolver that all functions of the API share: who asks, and how every failure is answered.

A function's handler adds its routes to what ``make_resolver`` makes, and answers by ``answer``.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, NoReturn

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from popfetch.api import errors
from popfetch.api.errors import BadRequest, ErrorOut
from popfetch.api.public_url import STAGE_VARIABLE
from popfetch.domain.errors import PopfetchError
from popfetch.ports.invocation import Journal

AccountInPath = Annotated[str, Path(description="The account's id.")]
"""The account that a route is about."""

PUBLIC = frozenset(
    {
        ("GET", "/"),
        ("GET", "/assets/{name}"),
        ("GET", "/frame"),
        ("POST", "/session"),
        ("DELETE", "/session"),
        ("POST", "/session/answer"),
        ("POST", "/session/renew"),
        ("POST", "/session/forgotten"),
        ("POST", "/session/reset"),
        ("GET", "/openapi.json"),
        ("GET", "/reply-to/confirm"),
        ("POST", "/reply-to/confirm"),
        ("GET", "/oauth/callback"),
    }
)
"""The routes that ask for no sign-in."""

LONGEST_BODY = 64 * 1024
"""Characters of a request's body where a route does not need more; what is longer is not even parsed."""

ON_EVERY_ANSWER: Mapping[str, str] = {
    # what is one owner's is kept by no browser and by nothing on the way
    "Cache-Control": "no-store",
    # opened by itself, an answer is octets: it runs nothing, loads nothing, and is in nobody's frame
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""What an answer says where its route does not say otherwise; the gateway's own answers say as much."""

TLS_ONLY = ("Strict-Transport-Security", "max-age=31536000")
"""Beside these, wherever the API is reached by TLS."""

_OWNER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_JSON = "application/json"
_CONTENT_TYPE = "content-type"

ANSWERS: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read.",
    HTTPStatus.UNAUTHORIZED: "Nobody is signed in.",
    HTTPStatus.NOT_FOUND: "The owner has no such account.",
    HTTPStatus.CONFLICT: "The request does not go with what is there.",
    HTTPStatus.GONE: "What is asked about is not waited for, or not any more.",
    HTTPStatus.PRECONDITION_FAILED: "The account is not the version that If-Match names.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is longer than any that is meant for this route.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not sent as JSON.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A field does not fit, or the mail server refused.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests at once; the same one may succeed in a moment.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something failed inside; details.request_id finds it in the log.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Storage did not answer; the same request may well succeed.",
}
"""What each status means to whoever asks."""


def json_of(model: type[BaseModel], status: HTTPStatus, description: str) -> dict[int, Any]:
    """What a route answers, for its description."""
    return {status.value: {"description": description, "content": {_JSON: {"model": model}}}}


def failures(*statuses: HTTPStatus) -> dict[int, Any]:
    """What a route may answer instead, for its description; every route may fail inside and for want of a user.

    One that reads JSON may be sent what is none, or too much of it.
    """
    if HTTPStatus.UNSUPPORTED_MEDIA_TYPE in statuses:
        statuses = (*statuses, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    always = (HTTPStatus.UNAUTHORIZED, HTTPStatus.UNPROCESSABLE_ENTITY)
    inside = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    answers: dict[int, Any] = {}
    for status in (*always, *statuses, *inside):
        answers |= json_of(ErrorOut, status, ANSWERS[status])
    return answers


def make_resolver(journal: Journal) -> APIGatewayRestResolver:
    """A resolver that checks requests and answers every failure in the API's one shape."""
    app = APIGatewayRestResolver(
        enable_validation=True,
        response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR,
        json_body_deserializer=_read_object,
    )

    def told(error: PopfetchError) -> Response[Any]:
        status = errors.status_of(error)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            return failed_inside(error)
        if error.retryable:
            journal.warning("request not carried out", error=error.code, reason=error.for_the_log)
        return _failure(status, error.code, error.message, errors.details_of(error), errors.headers_of(error))

    def does_not_fit(error: RequestValidationError) -> Response[Any]:
        details = errors.invalid_fields(error.errors())
        words = "; ".join(f"{found['field']}: {found['problem']}" for found in details["fields"][:3])
        return _failure(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", f"The request does not fit: {words}.", details
        )

    def unreadable(error: BadRequest) -> Response[Any]:
        return _failure(error.status, error.code, error.message)

    def no_such_route(_: NotFoundError) -> Response[Any]:
        method, path = app.current_event.http_method, app.current_event.path
        return _failure(HTTPStatus.NOT_FOUND, "route_not_found", f"There is no {method[:10]} {path[:200]} in this API.")

    def failed_inside(error: Exception) -> Response[Any]:
        request_id = app.current_event.request_context.request_id or ""
        journal.error("request failed", error=type(error).__name__)
        return _failure(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "internal",
            "Something failed inside; the log has it under this request id.",
            {"request_id": request_id},
        )

    app.exception_handler(PopfetchError)(told)
    app.exception_handler(RequestValidationError)(does_not_fit)
    app.exception_handler(BadRequest)(unreadable)
    app.exception_handler(NotFoundError)(no_such_route)
    app.exception_handler(Exception)(failed_inside)
    return app


def answer(
    app: APIGatewayRestResolver,
    journal: Journal,
    event: Mapping[str, Any],
    context: LambdaContext,
    *,
    longest_body: int | None = LONGEST_BODY,
) -> dict[str, Any]:
    """Answer one request and note it in one line; a body that cannot be read reaches no route.

    ``longest_body`` is in characters; ``None`` leaves it to Lambda, which takes requests of 6 MB.
    """
    try:
        answered = app.resolve(_with_text_body(event, longest_body), context)
    except BadRequest as error:
        answered = {
            "statusCode": error.status.value,
            "multiValueHeaders": {"Content-Type": [content_types.APPLICATION_JSON]},
            "body": json.dumps(errors.body(error.code, error.message)),
            "isBase64Encoded": False,
        }
    _say_on_every_answer(answered, event)
    # API Gateway takes a missing body for an empty one; not every engine does
    answered["body"] = answered.get("body") or ""
    failed = answered["statusCode"] >= HTTPStatus.BAD_REQUEST
    journal.info(
        "request answered",
        method=event.get("httpMethod"),
        route=event.get("resource"),
        status=int(answered["statusCode"]),
        **({"error": json.loads(answered["body"])["error"]["code"]} if failed and _is_json(answered) else {}),
    )
    return answered


def _say_on_every_answer(answered: dict[str, Any], event: Mapping[str, Any]) -> None:
    headers = answered.setdefault("multiValueHeaders", {})
    said = {name.lower() for name in headers}
    name, value = TLS_ONLY
    reached_by_tls = not str((event.get("stageVariables") or {}).get(STAGE_VARIABLE) or "").startswith("http://")
    wanted = {**ON_EVERY_ANSWER, **({name: value} if reached_by_tls else {})}
    headers |= {name: [value] for name, value in wanted.items() if name.lower() not in said}


def owner_of(app: APIGatewayRestResolver) -> str:
    """Who is signed in: the ``sub`` claim that the API's authorizer has verified. Raises BadRequest."""
    authorizer = app.current_event.request_context.get("authorizer") or {}
    owner_id = (authorizer.get("claims") or {}).get("sub")
    if not isinstance(owner_id, str) or not _OWNER_ID.fullmatch(owner_id):
        raise BadRequest(HTTPStatus.UNAUTHORIZED, "unauthorized", "Sign in first: there is no user in this request.")
    return owner_id


def json_answer[Body](body: Body, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response[Body]:
    """An answer of a route that needs a status or headers of its own."""
    return Response(
        status_code=status.value, content_type=content_types.APPLICATION_JSON, headers=dict(headers or {}), body=body
    )


def _failure(
    status: HTTPStatus,
    code: str,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[Any]:
    return json_answer(errors.body(code, message, details), status, headers)


def _is_json(answered: Mapping[str, Any]) -> bool:
    headers = {name: [value] for name, value in (answered.get("headers") or {}).items()}
    headers |= answered.get("multiValueHeaders") or {}
    return any(name.lower() == _CONTENT_TYPE and values[0].startswith(_JSON) for name, values in headers.items())


def _with_text_body(event: Mapping[str, Any], longest: int | None) -> dict[str, Any]:
    """The event with its body as text, announced as JSON. Raises BadRequest for a body that cannot be that."""
    text = event.get("body")
    if text and longest is not None and len(text) > longest:
        raise BadRequest(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "body_too_large",
            f"The body may have {longest} characters at the most here.",
        )
    if text and event.get("isBase64Encoded"):
        try:
            text = base64.b64decode(text, validate=True).decode()
        except (binascii.Error, ValueError):
            _malformed("The body is not valid UTF-8 text.")
    headers = {name: value for name, value in (event.get("headers") or {}).items() if name.lower() != _CONTENT_TYPE}
    if text:
        announced = [value for name, value in (event.get("headers") or {}).items() if name.lower() == _CONTENT_TYPE]
        if any(str(value or _JSON).partition(";")[0].strip().lower() != _JSON for value in announced):
            raise BadRequest(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Send the body as JSON, with Content-Type: application/json.",
            )
        headers[_CONTENT_TYPE] = _JSON
    return {**event, "headers": headers, "body": text, "isBase64Encoded": False}


def _read_object(text: str) -> dict[str, Any]:
    """A JSON object from its text. Raises BadRequest."""
    try:
        value = json.loads(text, parse_constant=_malformed, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        _malformed("The body is not valid JSON.")
    if not isinstance(value, dict):
        _malformed("The body must be a JSON object.")
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose fields are there once each: which of two counts is not for guessing (RFC 8259, section 4)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        _malformed("The body names a field twice.")
    return found


def _malformed(problem: str) -> NoReturn:
    raise BadRequest(
        HTTPStatus.BAD_REQUEST, "malformed_body", problem if " " in problem else f"{problem} is not valid JSON."
    )
