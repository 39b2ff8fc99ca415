"""Sessions and pages on the deployed stack: an owner signs in as a browser does, goes on, and signs out."""

import pytest
import requests

from infra.local.workspace import ROOT
from tests.flow.conftest import LocalStack

pytestmark = pytest.mark.flow

SITE = ROOT / "functions" / "console" / "site"
PASSWORD, NEW_PASSWORD = "Operators-Choice-7", "Owners-Choice-8"


@pytest.fixture
def url(local_stack: LocalStack) -> str:
    return local_stack.outputs["ApiUrl"]


@pytest.fixture
def browser() -> requests.Session:
    """What keeps cookies as a browser does."""
    return requests.Session()


def sign_in(browser: requests.Session, url: str, email: str, password: str) -> requests.Response:
    return browser.post(f"{url}/session", json={"email": email, "password": password}, timeout=60)


def test_an_owner_signs_in_goes_on_and_signs_out(local_stack: LocalStack, url: str, browser: requests.Session) -> None:
    owner = local_stack.owner
    opened = sign_in(browser, url, owner.email, owner.password)
    assert (opened.status_code, opened.json()["email"]) == (200, owner.email)
    (cookie,) = iter(browser.cookies)
    assert cookie.name.startswith("popfetch-session-")
    assert cookie.has_nonstandard_attr("HttpOnly")

    renewed = browser.post(f"{url}/session/renew", json={}, timeout=60)
    assert renewed.status_code == 200
    accounts = requests.get(f"{url}/accounts", headers={"Authorization": renewed.json()["id_token"]}, timeout=60)
    assert accounts.status_code == 200

    value = cookie.value
    assert browser.delete(f"{url}/session", timeout=60).status_code == 204
    assert not browser.cookies
    gone = browser.post(f"{url}/session/renew", json={}, timeout=60)
    assert (gone.status_code, gone.json()["error"]["code"]) == (401, "signed_out")

    kept = {"Cookie": f"{cookie.name}={value}"}
    revoked = requests.post(f"{url}/session/renew", json={}, headers=kept, timeout=60)
    assert (revoked.status_code, revoked.json()["error"]["code"]) == (401, "signed_out")


def test_a_wrong_password_opens_nothing(local_stack: LocalStack, url: str, browser: requests.Session) -> None:
    answer = sign_in(browser, url, local_stack.owner.email, "Wrong-Password-9")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "sign_in_refused")
    assert not browser.cookies


def test_the_operators_password_is_replaced_first(local_stack: LocalStack, url: str, browser: requests.Session) -> None:
    email = "new-owner@example.com"
    local_stack.clients.cognito().admin_create_user(
        UserPoolId=local_stack.outputs["UserPoolId"],
        Username=email,
        TemporaryPassword=PASSWORD,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
    )
    asked = sign_in(browser, url, email, PASSWORD).json()
    assert asked["challenge"] == "new_password"
    body = {"email": email, "answer": NEW_PASSWORD, **asked}
    assert browser.post(f"{url}/session/answer", json=body, timeout=60).json()["email"] == email
    assert sign_in(browser, url, email, NEW_PASSWORD).status_code == 200


def test_whoever_forgets_a_password_is_answered_alike(local_stack: LocalStack, url: str) -> None:
    answers = [
        requests.post(f"{url}/session/forgotten", json={"email": email}, timeout=60)
        for email in (local_stack.owner.email, "nobody@example.com")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_console_opens_at_the_apis_address_once_it_is_built(url: str, slash: str) -> None:
    answer = requests.get(f"{url}{slash}", timeout=60)
    if not SITE.exists():
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "console_not_built")
        return
    assert f'<base href="{url}/">' in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_every_file_of_the_console_comes_as_it_was_built(url: str) -> None:
    for file in sorted((SITE / "assets").glob("*")):
        accept = "image/avif,image/webp,*/*;q=0.8" if file.suffix == ".png" else "*/*"
        answer = requests.get(f"{url}/assets/{file.name}", headers={"Accept": accept}, timeout=60)
        if answer.status_code == 404:
            assert file.suffix == ".map"
            continue
        assert answer.content == file.read_bytes(), file.name


def test_the_document_for_messages_runs_nothing(url: str) -> None:
    answer = requests.get(f"{url}/frame", params={"images": "shown"}, timeout=60)
    assert answer.status_code == 200
    assert "sandbox allow-same-origin" in answer.headers["Content-Security-Policy"]
