"""The console's pages and files: where they say that they are reached, what they may do, and what is not served."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from functions.console import handler as function
from tests.builders.api import Answer, ApiClient, an_event, lines_of
from tests.builders.journals import log_of
from tests.builders.site import PNG, a_site
from tests.builders.wiring import forget_wiring

HOST = "ab12.execute-api.eu-central-1.amazonaws.com"
BUCKET = "popfetch-mail"
client = ApiClient(function)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function)


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    forget_wiring()
    monkeypatch.setattr(function, "SITE", a_site(tmp_path))
    monkeypatch.setenv("POPFETCH_MAIL_BUCKET_NAME", BUCKET)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)


def a_visit(resource: str, path: str | None = None, **changes: Any) -> dict[str, Any]:
    event = an_event("GET", path or resource, **changes)
    event["resource"] = resource
    event["requestContext"]["domainName"] = HOST
    del event["requestContext"]["authorizer"]
    return event


def visit(**query: str) -> Answer:
    event = a_visit("/")
    event["queryStringParameters"] = query or None
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()} or None
    return client.call(event)


def asset(name: str) -> dict[str, Any]:
    return client.answered(a_visit("/assets/{name}", f"/assets/{name}"))


def directives(answer: Answer) -> dict[str, list[str]]:
    parts = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in parts}


class TestPage:
    @pytest.mark.parametrize(
        ("domain", "path", "base"),
        [
            (HOST, "/v1/", f"https://{HOST}/v1/"),
            (HOST, "/v1", f"https://{HOST}/v1/"),
            ("mail.example.com", "/", "https://mail.example.com/"),
            ("mail.example.com", "", "https://mail.example.com/"),
            ("mail.example.com", "/popfetch", "https://mail.example.com/popfetch/"),
            ("mail.example.com", "/a/b/", "https://mail.example.com/a/b/"),
        ],
    )
    def test_its_addresses_are_relative_to_where_it_is_reached(self, domain: str, path: str, base: str) -> None:
        event = a_visit("/")
        event["requestContext"] |= {"domainName": domain, "path": path}
        assert f'<base href="{base}">' in client.call(event).text

    def test_a_public_url_comes_first(self) -> None:
        event = a_visit("/", stageVariables={"publicUrl": "http://127.0.0.1:4566/_aws/execute-api/x/v1"})
        answer = client.call(event)
        assert '<base href="http://127.0.0.1:4566/_aws/execute-api/x/v1/">' in answer.text
        assert "Strict-Transport-Security" not in answer.headers

    def test_it_runs_nothing_but_its_own_files(self) -> None:
        policy = directives(visit())
        assert policy["default-src"] == ["'none'"]
        for source in ("script-src", "style-src", "font-src", "frame-src", "form-action", "base-uri", "manifest-src"):
            assert policy[source] == ["'self'"]
        assert policy["img-src"] == ["'self'", "data:", "blob:"]
        assert policy["frame-ancestors"] == ["'none'"]

    def test_it_talks_to_its_own_api_and_to_the_bucket_alone(self) -> None:
        assert directives(visit())["connect-src"] == [
            "'self'",
            f"https://{BUCKET}.s3.eu-central-1.amazonaws.com",
            f"https://{BUCKET}.s3.amazonaws.com",
        ]

    @pytest.mark.parametrize("setting", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
    def test_it_talks_to_what_stands_in_for_the_bucket(self, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
        monkeypatch.setenv(setting, "http://127.0.0.1:4566/x")
        assert directives(visit())["connect-src"] == ["'self'", "http://127.0.0.1:4566"]

    def test_it_is_kept_by_nobody_and_tells_nobody_its_address(self) -> None:
        headers = visit().headers
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["Cache-Control"] == "no-cache"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Strict-Transport-Security"] == "max-age=31536000"
        assert "camera=()" in headers["Permissions-Policy"]

    @pytest.mark.parametrize("value", ["<script>alert(1)</script>", "'\"><img src=x>", "%00", "x" * 10_000, "\u202e"])
    def test_nothing_that_the_address_says_stands_on_it(self, value: str, log: io.StringIO) -> None:
        for query in ({"oauth": value}, {"oauth": "failed", "code": value}, {"oauth": "connected", "account": value}):
            assert visit(**query).text == visit().text
        assert all(line["message"] == "request answered" for line in lines_of(log))

    def test_a_console_that_was_not_built_is_told(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(function, "SITE", tmp_path / "nothing")
        answer = visit()
        assert (answer.status, answer.error["code"]) == (503, "console_not_built")


class TestAssets:
    @pytest.mark.parametrize(
        ("name", "content_type", "text"),
        [
            ("app-1a2b.js", "text/javascript; charset=utf-8", "console.log('Xin chào');\n"),
            ("popfetch.webmanifest", "application/manifest+json; charset=utf-8", '{"name": "popfetch"}'),
            ("words.json", "application/json; charset=utf-8", '{"hello": "xin chào"}'),
        ],
    )
    def test_text_is_answered_as_it_is(self, name: str, content_type: str, text: str) -> None:
        raw = asset(name)
        assert (raw["statusCode"], raw["body"], raw["isBase64Encoded"]) == (200, text, False)
        headers = {found: values[0] for found, values in raw["multiValueHeaders"].items()}
        assert headers["Content-Type"] == content_type
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_an_image_is_answered_in_base64_which_the_gateway_decodes(self) -> None:
        raw = asset("icon.png")
        assert raw["isBase64Encoded"] is True
        assert base64.b64decode(raw["body"]) == PNG

    @pytest.mark.parametrize("name", ["nothing.js", "..", "..%2Findex.html", "app-1a2b.js.map", "%2e%2e", "index.html"])
    def test_what_is_not_there_is_not_served(self, name: str) -> None:
        raw = asset(name)
        assert raw["statusCode"] == 404
        assert json.loads(raw["body"])["error"]["code"] == "asset_not_found"


class TestFrame:
    def test_it_is_empty_and_nothing_runs_in_it(self) -> None:
        answer = client.call(a_visit("/frame"))
        policy = directives(answer)
        assert answer.text.endswith("<body></body></html>")
        assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == policy["font-src"] == ["'none'"]
        assert "script-src" not in policy
        assert policy["sandbox"] == ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"]
        assert policy["frame-ancestors"] == ["'self'"]
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "private, max-age=3600"

    @pytest.mark.parametrize(
        ("query", "sources"),
        [
            ("", ["data:"]),
            ("?images=blocked", ["data:"]),
            ("?images=shown", ["data:", "https:", "http:"]),
        ],
    )
    def test_images_from_elsewhere_load_where_they_are_wanted(self, query: str, sources: list[str]) -> None:
        assert directives(client.call(a_visit("/frame", f"/frame{query}")))["img-src"] == sources

    def test_anything_else_is_refused(self) -> None:
        answer = client.call(a_visit("/frame", "/frame?images=all"))
        assert (answer.status, answer.error["code"]) == (422, "invalid_request")
