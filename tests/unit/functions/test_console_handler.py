"""The front page: where a browser lands that comes back from a provider."""

import io

import pytest

from functions.console import handler as function
from tests.builders.api import Answer, ApiClient, an_event, lines_of
from tests.builders.journals import log_of

client = ApiClient(function)


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return log_of(monkeypatch, function)


def visit(language: str = "en", **query: str) -> Answer:
    event = an_event("GET", "/", headers={"Accept-Language": language})
    event["queryStringParameters"] = query or None
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()} or None
    del event["requestContext"]["authorizer"]
    return client.call(event)


def test_it_is_for_everybody_and_loads_nothing() -> None:
    answer = visit()
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "openapi.json" in answer.text


def test_it_says_how_a_sign_in_went() -> None:
    told = [visit(), visit(oauth="connected"), visit(oauth="failed", code="consent_refused")]
    assert len({answer.text for answer in told}) == 3


def test_it_speaks_the_browsers_language() -> None:
    assert '<html lang="vi"' in visit("vi,en;q=0.5", oauth="connected").text


@pytest.mark.parametrize("value", ["<script>alert(1)</script>", "'\"><img src=x>", "%00", "x" * 10_000, "\u202e"])
def test_nothing_that_the_address_says_stands_on_it(value: str, log: io.StringIO) -> None:
    for query in ({"oauth": value}, {"oauth": "failed", "code": value}, {"oauth": "connected", "account": value}):
        answer = visit(**query)
        assert answer.status == 200
        assert value not in answer.text
    assert all(line["message"] == "request answered" for line in lines_of(log))
