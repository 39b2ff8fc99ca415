"""An owner's days with a provider that takes no passwords: consent, expiry, revocation, signing in again.

The deployed stack, held to the permissions of its roles, collects from dovecot and sends through postfix, both of
which ask a real OpenID provider about each token; the owner's browser is Chromium. Attacks come from other browsers.
What came of it the console tells. The tests build on each other, in their order; the last ones read everything that was
logged, published and stored.
"""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from infra.local.api import Api, ApiRefused
from infra.local.outbox import SentMail, sent_mail
from tests.flow.conftest import LocalStack
from tests.flow.test_secrets import Listener, dead_letters, log_lines
from tests.flow.waiting import wait_for
from tests.real import browser as chromium
from tests.real import dovecot as dovecot_server
from tests.real import oidc_provider, smtp_server
from tests.real.browser import Browser, allow, deny
from tests.real.console import Console
from tests.real.deployed import account_named, check_by_hand, deployed
from tests.real.dovecot import Dovecot
from tests.real.oidc_provider import CLIENT_REFUSED, UNAVAILABLE, OidcProvider
from tests.real.smtp_server import DOMAIN, SmtpServer

SECONDS = 600
pytestmark = pytest.mark.real

USERS = ("anna", "bert", "carl", "dora")
NEVER_KEPT_SECONDS = 120
"""A token that is good for so long is renewed at each use, as popfetch uses none in its last two minutes."""

CONNECTED, NOT_CONNECTED = "popfetch may collect this mailbox now", "The sign-in did not work"
"""What the console tells above what came of a sign-in."""


@dataclass
class Scene:
    """The provider, both mail servers, the stack between them, and what the stack has answered so far."""

    provider: OidcProvider
    dovecot: Dovecot
    smtp: SmtpServer
    stack: LocalStack
    events: Listener
    answers: list[str] = field(default_factory=list)

    @property
    def api(self) -> Api:
        return self.stack.api

    @property
    def url(self) -> str:
        return self.stack.outputs["ApiUrl"]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.stack.owner.id_token}

    def one(self, user: str) -> dict[str, Any]:
        return account_named(self.stack, user)

    def ask(self, user: str, body: Any = None, session: requests.Session | None = None) -> dict[str, Any]:
        """Start a sign-in from a program, whose cookies ``session`` keeps."""
        answer = (session or requests.Session()).post(
            f"{self.url}/accounts/{self.one(user)['id']}/oauth/start", json=body, headers=self.headers, timeout=30
        )
        self.answers.append(f"{answer.headers} {answer.text}")
        assert answer.status_code == 201, answer.text
        asked: dict[str, Any] = answer.json()
        return asked

    def come_back(self, callback: str, session: requests.Session | None = None) -> requests.Response:
        """Let a browser follow the way back, no further."""
        answer = (session or requests.Session()).get(callback, timeout=30, allow_redirects=False)
        self.answers.append(f"{answer.headers} {answer.text}")
        return answer

    def sign_in(self, page: Page, user: str, *, as_user: str = "") -> dict[str, str]:
        """Let a browser sign in at the provider; returns what the console is told."""
        self.open_consent(page, user)
        return self.landed(page, lambda: allow(page, as_user or user))

    def open_consent(self, page: Page, user: str) -> None:
        """Start a sign-in from a browser, and go to the provider's page."""
        asked = page.request.post(
            f"{self.url}/accounts/{self.one(user)['id']}/oauth/start", headers=self.headers, data={}
        )
        assert asked.status == 201, asked.text()
        page.goto(asked.json()["authorization_url"])

    def landed(self, page: Page, answer: Callable[[], None]) -> dict[str, str]:
        """What the provider's answer brings to the console, which takes it out of the address at once."""
        with page.expect_response(lambda response: response.url.startswith(f"{self.url}/?")) as landing:
            answer()
        page.wait_for_url(re.compile(re.escape(f"{self.url}/") + "(#.*)?$"))
        return {name: values[0] for name, values in parse_qs(urlsplit(landing.value.url).query).items()}

    def send(self, user: str, subject: str) -> requests.Response:
        """Send a mail to bert as a user's account."""
        return requests.post(
            f"{self.url}/accounts/{self.one(user)['id']}/send",
            json={"to": [f"bert@{DOMAIN}"], "subject": subject, "text": "Hello, Bert."},
            headers=self.headers,
            timeout=60,
        )

    def stored(self, user: str) -> list[bytes]:
        stored = self.stack.stored(self.stack.owner, self.one(user)["id"])
        return [stored.content(found.key) for found in stored.objects()]

    def notices(self) -> list[SentMail]:
        return sent_mail(self.stack.workspace.endpoint_url)

    def published(self, name: str) -> list[dict[str, Any]]:
        events = [json.loads(text) for text in self.events.listen()]
        return [event["detail"] for event in events if event["detail-type"] == name]

    def items(self) -> list[dict[str, Any]]:
        """Everything in the table."""
        table = self.stack.clients.dynamodb().Table(self.stack.outputs["TableName"])
        return [dict(item) for item in table.scan()["Items"]]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    for why in (
        "" if dovecot_server.binary() else "dovecot-pop3d is not installed",
        smtp_server.missing(),
        oidc_provider.missing(),
        chromium.missing(),
    ):
        if why:
            pytest.skip(why)
    with (
        OidcProvider(access_token_length=1200) as provider,
        Dovecot(oauth2=provider) as dovecot,
        SmtpServer(dovecot, users=USERS) as smtp,
    ):
        for user in USERS:
            dovecot.maildir(user)
        trusted = [provider.ca_file, dovecot.ca_file, smtp.ca_file]
        with deployed(trusted, tmp_path_factory.mktemp("trust"), enforce_permissions=True) as stack:
            provider.set_redirect_uris(f"{stack.outputs['ApiUrl']}/oauth/callback")
            register(stack, provider)
            yield Scene(provider, dovecot, smtp, stack, Listener(stack))


@pytest.fixture(scope="module")
def browser(scene: Scene) -> Iterator[Browser]:
    """A Chromium, in which each page is the browser of somebody else."""
    with Browser() as running:
        yield running


@pytest.fixture(scope="module")
def console(scene: Scene, browser: Browser) -> Console:
    """The owner's browser."""
    return a_console(scene, browser)


def a_console(scene: Scene, browser: Browser) -> Console:
    """A browser in which nobody is signed in."""
    return Console(browser, scene.stack, leads_to=[scene.provider.authorize_url])


def told(console: Console, heading: str, words: str) -> None:
    """Wait until the console tells this of a sign-in, where the owner is signed in."""
    expect(console.heading(heading)).to_be_visible()
    box = console.page.get_by_role("status").or_(console.page.get_by_role("alert"))
    expect(box.filter(has_text=words)).to_be_visible()


def register(stack: LocalStack, provider: OidcProvider) -> None:
    """Write the registration at the provider down, as the operator does."""
    registration = {
        "client_id": provider.client_id,
        "client_secret": provider.client_secret,
        "name": "Example Ltd",
        "authorize_url": provider.authorize_url,
        "token_url": provider.token_url,
        "device_url": provider.device_url,
        "revoke_url": provider.revoke_url,
        "issuer": provider.issuer,
        "scopes": ["mail.pop", "mail.smtp", "offline_access"],
        "asks": {"prompt": "consent"},
        "hosts": ["localhost"],
    }
    stack.clients.ssm().put_parameter(
        Name=stack.outputs["OauthClientsParameterName"],
        Value=json.dumps({"example": registration}),
        Type="SecureString",
        Overwrite=True,
    )


def body_for(scene: Scene, user: str) -> dict[str, Any]:
    server = {"host": "localhost", "username": user, "auth": "oauth2"}
    return {
        "email": f"{user}@{DOMAIN}",
        "name": user,
        "incoming": {**server, "port": scene.dovecot.tls_port, "security": "tls"},
        "outgoing": {**server, "port": scene.smtp.port, "security": "starttls"},
        "fetch": {"interval_minutes": 1440},
    }


def deliver(scene: Scene, user: str, subject: str) -> None:
    scene.dovecot.maildir(user).deliver(f"Subject: {subject}\r\n\r\nHello\r\n".encode())


def delivered(scene: Scene, user: str) -> str:
    """What lies in a user's mailbox."""
    return "\n".join(file.read_text() for file in scene.dovecot.maildir(user).files())


def token_sign_ins(scene: Scene) -> list[str]:
    """Who has signed in by token, by dovecot's own log."""
    return re.findall(r"pop3-login: Info: Login: user=<(\w+)>, method=(?:XOAUTH2|OAUTHBEARER)", scene.dovecot.log)


# --- Consent ----------------------------------------------------------------------------------------------------


def test_providers_without_a_registration_are_shown_as_not_configured(scene: Scene) -> None:
    shown = {provider["id"]: provider["configured"] for provider in scene.api.get("/oauth/providers")["providers"]}
    assert shown == {"google": False, "microsoft": False, "fastmail": False, "example": True}
    gmail = {**body_for(scene, "anna"), "outgoing": None}
    gmail["incoming"] = {"host": "pop.gmail.com", "auth": "oauth2"}
    with pytest.raises(ApiRefused) as refused:
        scene.api.post("/accounts", {name: value for name, value in gmail.items() if value})
    assert refused.value.code in {"invalid_account", "oauth_not_configured"}


def test_an_account_waits_for_its_owners_consent(scene: Scene) -> None:
    added = scene.api.post("/accounts", body_for(scene, "anna"))
    assert (added["status"], added["oauth"]["connected"]) == ("auth_failed", False)
    assert check_by_hand(scene.stack, "anna")["error"]["code"] == "consent_needed"
    assert token_sign_ins(scene) == []


def test_the_owner_consents_in_the_browser_and_mail_comes_by_token(scene: Scene, console: Console) -> None:
    deliver(scene, "anna", "before consent")
    account = scene.one("anna")
    assert scene.sign_in(console.page, "anna") == {"oauth": "connected", "account": account["id"]}
    assert [cookie for cookie in console.page.context.cookies() if "consent" in cookie.get("name", "")] == []
    now = scene.one("anna")
    assert (now["status"], now["outgoing_status"]) == ("active", "active")
    assert (now["oauth"]["provider"], now["oauth"]["connected"]) == ("example", True)
    wait_for("The mail", lambda: len(scene.stored("anna")) == 1, scene.stack)
    assert scene.stored("anna") == [b"Subject: before consent\r\n\r\nHello\r\n"]
    assert set(token_sign_ins(scene)) == {"anna"}
    assert scene.provider.counters().refreshes == 0


def test_the_console_tells_it_once_the_owner_is_signed_in_and_only_once(scene: Scene, console: Console) -> None:
    expect(console.heading("Sign in")).to_be_visible()
    assert scene.one("anna")["id"] not in console.page.content()
    console.sign_in_here()
    told(console, CONNECTED, "Mail follows by itself")
    assert console.page.url == f"{console.url}#/settings/{scene.one('anna')['id']}"
    console.page.reload()
    expect(console.main()).to_contain_text("Connected with Example Ltd")
    expect(console.heading(CONNECTED)).to_have_count(0)


def test_nothing_of_an_address_that_anybody_can_have_written_is_shown(scene: Scene, console: Console) -> None:
    said = "<b onclick=alert(1)>call 555 0199</b>"
    for result, heading, words in (
        ("failed", NOT_CONNECTED, "Something went wrong that is not known here"),
        ("connected", CONNECTED, "Not all went well"),
    ):
        for code in (said, "constructor"):
            query = urlencode({"oauth": result, "account": said, "code": code, "message": said})
            console.page.goto(f"{console.url}?{query}")
            told(console, heading, words)
            assert console.page.url == f"{console.url}#/settings"
            assert "555" not in console.page.content()


def test_mail_is_sent_by_token(scene: Scene) -> None:
    answer = scene.send("anna", "by token")
    assert (answer.status_code, answer.json()["status"]) == (200, "sent")
    wait_for("The delivery", lambda: "by token" in delivered(scene, "bert"), scene.stack)


# --- Expiry and rotation ----------------------------------------------------------------------------------------


def test_a_token_that_is_over_is_renewed_within_the_cycle(scene: Scene) -> None:
    scene.provider.set_access_token_seconds(NEVER_KEPT_SECONDS)
    scene.provider.expire_access_tokens("anna")
    deliver(scene, "anna", "after expiry")
    assert check_by_hand(scene.stack, "anna")["stored"] == 1
    counters = scene.provider.counters()
    assert (counters.refreshes, counters.reuses) == (1, 0)
    assert scene.one("anna")["status"] == "active"


def test_each_renewal_replaces_the_refresh_token(scene: Scene) -> None:
    before = scene.provider.counters().refreshes
    for _ in range(3):
        assert check_by_hand(scene.stack, "anna")["error"] is None
    counters = scene.provider.counters()
    assert (counters.refreshes, counters.refused_refreshes, counters.reuses) == (before + 3, 0, 0)
    refresh_tokens = scene.provider.issued().refresh_tokens
    assert len(set(refresh_tokens)) == counters.refreshes + 1


def test_a_cycle_and_mails_that_are_sent_at_once_renew_once(scene: Scene) -> None:
    before = scene.provider.counters()
    with ThreadPoolExecutor(5) as pool:
        sending = [pool.submit(scene.send, "anna", f"at once {number}") for number in range(4)]
        checking = pool.submit(check_by_hand, scene.stack, "anna")
        assert [sent.result().status_code for sent in sending] == [200] * 4
        assert checking.result()["error"] is None
    after = scene.provider.counters()
    assert after.reuses == after.refused_refreshes == 0
    assert after.concurrent == 1
    assert after.refreshes > before.refreshes


def test_a_token_endpoint_that_is_down_only_backs_off(scene: Scene) -> None:
    scene.provider.expire_access_tokens("anna")
    scene.provider.trouble(UNAVAILABLE)
    for _ in range(2):
        assert check_by_hand(scene.stack, "anna")["error"]["code"] == "token_endpoint_unavailable"
    answer = scene.send("anna", "while it is down")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "token_endpoint_unavailable")
    assert scene.one("anna")["status"] in {"active", "backing_off"}
    scene.provider.trouble(CLIENT_REFUSED)
    assert check_by_hand(scene.stack, "anna")["error"]["code"] == "oauth_client_refused"
    assert scene.one("anna")["status"] in {"active", "backing_off"}
    scene.provider.recover()
    assert check_by_hand(scene.stack, "anna")["error"] is None
    assert scene.one("anna")["status"] == "active"
    assert scene.notices() == []


# --- Attacks ----------------------------------------------------------------------------------------------------


def test_a_victim_who_consents_on_a_link_that_was_sent_gives_nothing_away(scene: Scene, browser: Browser) -> None:
    """The attacker's account is at the victim's mailbox; only the victim's browser ever has the code."""
    scene.api.post("/accounts", body_for(scene, "dora"))
    asked = scene.ask("dora")
    callback = scene.provider.consent(asked["authorization_url"], "dora")
    assert scene.come_back(callback).status_code == 403
    victim = browser.page()
    victim.goto(callback)
    assert "popfetch" in victim.content()
    assert scene.one("dora")["oauth"]["connected"] is False
    assert scene.provider.counters().code_exchanges == 1


def test_a_state_counts_once_and_only_with_its_cookie(scene: Scene) -> None:
    attacker, owner = requests.Session(), requests.Session()
    theirs, mine = scene.ask("dora", session=attacker), scene.ask("dora", session=owner)
    stolen = scene.provider.consent(mine["authorization_url"], "dora")
    assert scene.come_back(stolen, attacker).status_code == 403
    first = scene.come_back(stolen, owner)
    assert (first.status_code, parse_qs(urlsplit(first.headers["Location"]).query)["oauth"]) == (303, ["connected"])
    assert scene.come_back(stolen, owner).status_code == 410
    assert "state=" in theirs["authorization_url"]


def test_a_code_from_elsewhere_does_not_fit(scene: Scene) -> None:
    """Code injection: the verifier is that of another sign-in (RFC 7636)."""
    session = requests.Session()
    other = scene.provider.consent(scene.ask("dora")["authorization_url"], "carl")
    mine = scene.provider.consent(scene.ask("dora", session=session)["authorization_url"], "dora")
    query = {name: values[0] for name, values in parse_qs(urlsplit(mine).query).items()}
    query["code"] = parse_qs(urlsplit(other).query)["code"][0]
    before = scene.one("dora")
    answer = scene.come_back(f"{scene.url}/oauth/callback?{urlencode(query)}", session)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["code"] == ["consent_refused"]
    assert scene.one("dora") == before


@pytest.mark.parametrize("issuer", ["https://evil.example", "", "https://accounts.google.com"])
def test_an_answer_in_another_servers_name_is_refused(scene: Scene, issuer: str) -> None:
    session = requests.Session()
    callback = scene.provider.consent(scene.ask("dora", session=session)["authorization_url"], "dora")
    query = {name: values[0] for name, values in parse_qs(urlsplit(callback).query).items()}
    exchanges = scene.provider.counters().code_exchanges
    answer = scene.come_back(f"{scene.url}/oauth/callback?{urlencode({**query, 'iss': issuer})}", session)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["code"] == ["consent_refused"]
    assert scene.provider.counters().code_exchanges == exchanges


def test_another_way_back_is_refused_by_the_provider(scene: Scene) -> None:
    """popfetch sends one redirect URI and no other; one that somebody writes into the address leads nowhere."""
    address = scene.ask("dora")["authorization_url"]
    (mine,) = parse_qs(urlsplit(address).query)["redirect_uri"]
    assert mine == f"{scene.url}/oauth/callback"
    evil = address.replace(urlencode({"redirect_uri": mine}), urlencode({"redirect_uri": "https://evil.example/cb"}))
    assert evil != address
    answer = requests.get(evil, verify=scene.provider.ca_file, timeout=30, allow_redirects=False)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_a_consent_without_pkce_or_with_a_plain_challenge_is_never_asked_for(scene: Scene) -> None:
    query = parse_qs(urlsplit(scene.ask("dora")["authorization_url"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43


def test_who_consents_as_somebody_else_connects_nothing(scene: Scene, browser: Browser) -> None:
    scene.api.post("/accounts", body_for(scene, "carl"))
    console = a_console(scene, browser)
    landed = scene.sign_in(console.page, "carl", as_user="bert")
    assert (landed["oauth"], landed["code"]) == ("failed", "sign_in_refused")
    console.sign_in_here()
    told(console, NOT_CONNECTED, "Perhaps it was for another mailbox")
    assert console.misdeeds == []
    assert scene.one("carl")["oauth"]["connected"] is False
    assert "bert" not in token_sign_ins(scene)


def test_who_declines_or_leaves_something_out_connects_nothing(scene: Scene, browser: Browser) -> None:
    console = a_console(scene, browser)
    scene.open_consent(console.page, "carl")
    assert scene.landed(console.page, lambda: deny(console.page, "carl"))["code"] == "consent_refused"
    console.sign_in_here()
    told(console, NOT_CONNECTED, "consent was not given")
    session = requests.Session()
    address = scene.ask("carl", session=session)["authorization_url"]
    partly = scene.provider.consent(address, "carl", without=["mail.pop"])
    answer = scene.come_back(partly, session)
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["code"] == ["consent_refused"]
    assert scene.one("carl")["oauth"]["connected"] is False


# --- Other ways to consent --------------------------------------------------------------------------------------


def test_a_program_that_is_no_browser_finishes_as_its_owner(scene: Scene) -> None:
    callback = scene.provider.consent(scene.ask("carl")["authorization_url"], "carl")
    finish = f"/accounts/{scene.one('carl')['id']}/oauth/finish"
    other = scene.stack.api_of(scene.stack.another_owner("mallory@example.com"))
    with pytest.raises(ApiRefused) as refused:
        other.post(finish, {"callback_url": callback})
    assert refused.value.status == 404
    assert scene.api.post(finish, {"callback_url": callback})["account"]["oauth"]["connected"] is True


def test_consent_is_given_back_at_the_provider_too(scene: Scene) -> None:
    before = scene.provider.counters().revocations
    account = scene.api.delete(f"/accounts/{scene.one('carl')['id']}/oauth")
    assert (account["status"], account["oauth"]["connected"]) == ("auth_failed", False)
    assert scene.provider.counters().revocations == before + 1
    assert check_by_hand(scene.stack, "carl")["error"]["code"] == "consent_needed"


def test_a_code_is_entered_in_any_browser(scene: Scene, browser: Browser) -> None:
    deliver(scene, "carl", "by a code")
    asked = scene.ask("carl", {"flow": "device"})
    poll = f"/accounts/{scene.one('carl')['id']}/oauth/device"
    body = {"device_flow_id": asked["device_flow_id"]}
    polls = scene.provider.counters().device_polls
    answers: list[dict[str, Any]] = []

    def asked_of_the_provider() -> bool:
        answers.append(scene.api.post(poll, body))
        return scene.provider.counters().device_polls > polls

    wait_for("The first poll", asked_of_the_provider, scene.stack)
    assert {answer["pending"] for answer in answers} == {True}
    page = browser.page()
    chromium.enter_user_code(page, asked["verification_uri"], asked["user_code"])
    allow(page, "carl")
    page.wait_for_load_state()

    def entered() -> bool:
        answers.append(scene.api.post(poll, body))
        return "account" in answers[-1]

    wait_for("The code", entered, scene.stack)
    assert answers[-1]["account"]["oauth"]["connected"] is True
    wait_for("The mail", lambda: len(scene.stored("carl")) == 1, scene.stack)


# --- Revocation, and signing in again ---------------------------------------------------------------------------


def test_a_revoked_consent_stops_the_account_and_tells_its_owner_once(scene: Scene) -> None:
    assert scene.provider.revoke("anna") >= 1
    deliver(scene, "anna", "while revoked")
    last = check_by_hand(scene.stack, "anna")
    assert last["error"]["code"] == "consent_needed"
    assert "Example Ltd" in last["error"]["message"]
    account = scene.one("anna")
    assert account["status"] == "auth_failed"
    wait_for("The notice", lambda: bool(scene.notices()), scene.stack)
    check_by_hand(scene.stack, "anna")
    (notice,) = scene.notices()
    assert notice.recipients == (scene.stack.owner.email,)
    assert f"anna@{DOMAIN}" in notice.text
    assert "password" not in notice.subject
    stops = [event for event in scene.published("AccountAuthFailed") if event["account_id"] == account["id"]]
    assert [stop["code"] for stop in stops] == ["consent_needed"]
    sent = scene.send("anna", "while revoked")
    assert (sent.status_code, sent.json()["error"]["code"]) == (409, "consent_needed")
    assert scene.one("anna")["outgoing_status"] == "auth_failed"


def test_signing_in_again_by_the_console_brings_the_mail_that_waited(scene: Scene, console: Console) -> None:
    account = scene.one("anna")
    console.open(f"/settings/{account['id']}")
    console.page.reload()
    console.button("Sign in again").first.click()
    landed = scene.landed(console.page, lambda: allow(console.page, "anna"))
    assert landed == {"oauth": "connected", "account": account["id"]}
    told(console, CONNECTED, "Mail follows by itself")
    waited = b"Subject: while revoked\r\n\r\nHello\r\n"
    wait_for("The mail", lambda: waited in scene.stored("anna"), scene.stack)
    assert scene.stored("anna").count(waited) == 1
    now = scene.one("anna")
    assert (now["status"], now["outgoing_status"]) == ("active", "active")
    wait_for(
        "The recovery",
        lambda: account["id"] in {event["account_id"] for event in scene.published("AccountRecovered")},
        scene.stack,
    )
    assert scene.send("anna", "again").status_code == 200
    assert len(scene.notices()) == 1


def test_a_deleted_account_leaves_no_tokens_here_and_no_consent_there(scene: Scene) -> None:
    account_id = scene.one("dora")["id"]
    assert [item for item in scene.items() if item["pk"] == f"GRANT#{account_id}"]
    revocations = scene.provider.counters().revocations
    scene.api.delete(f"/accounts/{account_id}")
    assert [item for item in scene.items() if item["pk"] == f"GRANT#{account_id}"] == []
    assert scene.provider.counters().revocations == revocations + 1


# --- What was told of it all ------------------------------------------------------------------------------------


def test_no_token_is_in_any_log_event_answer_mail_or_item(scene: Scene) -> None:
    issued = scene.provider.issued()
    secrets = {
        *issued.access_tokens,
        *issued.refresh_tokens,
        *issued.codes,
        *issued.device_codes,
        *issued.verifiers,
        scene.provider.client_secret,
    }
    assert len(secrets) > 20
    logged = "\n".join(log_lines(scene.stack))
    assert "an access token was renewed" in logged
    told = {
        "the logs": logged,
        "the engine's log": (scene.stack.workspace.engine / "log").read_text(errors="replace"),
        "the events": "\n".join(scene.events.listen()),
        "the dead letters": "\n".join(dead_letters(scene.stack)),
        "the answers": "\n".join(scene.answers),
        "the mails": str(scene.notices()),
        "the table": str(scene.items()),
    }
    for where, text in told.items():
        # pieces too: servers and libraries cut what they quote
        found = [secret for secret in secrets if secret in text or (len(secret) > 40 and secret[:24] in text)]
        assert found == [], where


def test_the_owners_browser_went_nowhere_else_and_nothing_failed_in_it(console: Console) -> None:
    assert console.misdeeds == []


def test_no_refresh_token_was_ever_used_twice(scene: Scene) -> None:
    counters = scene.provider.counters()
    assert (counters.reuses, counters.concurrent) == (0, 1)
