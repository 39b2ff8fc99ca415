"""The API's description: put together from what the functions' routes say of themselves.

``python -m infra.openapi write`` puts it where the layer ships it; ``check`` says whether it is what the routes say
now. The models that describe are those that validate, so that the two cannot drift.
"""

import json
import sys
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge

from infra.written_text import WrittenText
from popfetch.api.description import DESCRIPTION
from popfetch.api.resolver import ANSWERS, PUBLIC

ROOT = Path(__file__).resolve().parent.parent
TEXT = WrittenText(
    module="infra.openapi",
    agrees="The API's description says what its routes say.",
    stale="The API's description is stale; say `make openapi`.",
)
VERSION = "1"
_ABOUT = (
    "Collects mail from POP3 mailboxes. Send the id token of a Cognito user in Authorization; whatever goes wrong is "
    "answered as {error: {code, message, details}}. Passwords go in and never come out."
)
_ERROR = {"$ref": "#/components/schemas/ErrorOut"}


def api_functions() -> list[str]:
    """The folders of the functions that have routes."""
    return sorted(
        file.parent.name for file in ROOT.glob("functions/*/handler.py") if "make_resolver(" in file.read_text()
    )


def describe() -> dict[str, Any]:
    """The description of all routes, in OpenAPI 3.1."""
    merged = OpenAPIMerge(
        title="popfetch",
        version=VERSION,
        description=_ABOUT,
        on_conflict="error",
    )
    for name in api_functions():
        app = import_module(f"functions.{name}.handler").app
        merged.add_schema(app.get_openapi_schema(title="popfetch", version=VERSION))
    # through JSON, so that nothing is left of the models' own types
    description: dict[str, Any] = json.loads(merged.get_openapi_json_schema(), parse_float=_number)
    # relative to where this document is served, whatever the API's address is
    description["servers"] = [{"url": "."}]
    description["security"] = [{"IdToken": []}]
    description["components"]["securitySchemes"] = {
        "IdToken": {"type": "apiKey", "in": "header", "name": "Authorization", "description": "A Cognito id token."}
    }
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            _correct(operation, public=(method.upper(), path) in PUBLIC)
    _drop_unused(description["components"]["schemas"], description)
    return description


def _number(text: str) -> float:
    """A limit as the fields have it: the library writes whole numbers with a point."""
    return int(float(text)) if float(text).is_integer() else float(text)


def _correct(operation: dict[str, Any], *, public: bool) -> None:
    """Say of an operation what the library does not know.

    Who may ask, our shape of the library's own error, and that the gateway refuses too many requests at once.
    """
    answers = operation["responses"]
    if public:
        operation["security"] = []
        if _ERROR not in _schemas(answers["422"]):
            # nothing that is sent there is refused for its form
            answers.pop("422")
        shown = answers.get("200", {}).get("content", {})
        if "$ref" not in shown.get("application/json", {}).get("schema", {"$ref": ""}):
            shown["application/json"]["schema"] = {"type": "object"}
    content = {"content": {"application/json": {"schema": _ERROR}}}
    too_many, inside = HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR
    # a route that refuses so itself says more
    answers[str(too_many.value)] = {"description": ANSWERS[too_many], **answers.get(str(too_many.value), {}), **content}
    answers[str(inside.value)] = {"description": ANSWERS[inside], **content}


def _schemas(answer: dict[str, Any]) -> list[Any]:
    """What an answer's contents are described by."""
    return [content.get("schema") for content in answer.get("content", {}).values()]


def _drop_unused(schemas: dict[str, Any], description: dict[str, Any]) -> None:
    while True:
        text = json.dumps(description)
        unused = [name for name in schemas if f'"#/components/schemas/{name}"' not in text]
        if not unused:
            return
        for name in unused:
            del schemas[name]


def text_of(description: dict[str, Any]) -> str:
    """The description as its file has it."""
    return json.dumps(description, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write or check the description."""
    kept = DESCRIPTION.read_text() if DESCRIPTION.exists() else ""
    return TEXT.obey(arguments, kept=kept, wanted=text_of(describe()), write=DESCRIPTION.write_text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
