"""An owner's first days in the console, in Chromium: signing in, adding mailboxes, reading, mending, sending.

The deployed stack, held to the permissions of its roles, collects from dovecot and sends through postfix; everything is
done on the pages, by what is written there. The tests build on each other, in their order.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import FilePayload, expect

from infra.local.mailbox import first_delivery
from infra.local.outbox import SentMail, sent_mail
from infra.local.own_autoconfig import OwnServer, announce
from tests.flow.conftest import LocalStack
from tests.flow.waiting import wait_for
from tests.real import browser as chromium
from tests.real import dovecot as dovecot_server
from tests.real import smtp_server
from tests.real.browser import Browser
from tests.real.console import Console
from tests.real.deployed import account_named, check_by_hand, deployed
from tests.real.dovecot import Dovecot
from tests.real.smtp_server import DOMAIN, SmtpServer

SECONDS = 600
pytestmark = pytest.mark.real

PASSWORD, NEW_PASSWORD = "ein-Passwort-7", "ein-neues-Passwort-8"
USERS = ("anna", "bert")
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
FIRST_COUNT = len(first_delivery())


@dataclass(frozen=True)
class Scene:
    """Both mail servers, the stack between them, and the console in a browser."""

    dovecot: Dovecot
    stack: LocalStack
    console: Console


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    for why in (chromium.missing(), smtp_server.missing()):
        if why:
            pytest.skip(why)
    if dovecot_server.binary() is None:
        pytest.skip("dovecot-pop3d is not installed")
    with Dovecot(own_passwords=True) as dovecot, SmtpServer(dovecot, users=USERS) as smtp, Browser() as browser:
        for user in USERS:
            dovecot.set_password(user, PASSWORD)
            dovecot.maildir(user)
        for message in first_delivery():
            dovecot.maildir("anna").deliver(message)
        folder = tmp_path_factory.mktemp("trust")
        with deployed([dovecot.ca_file, smtp.ca_file], folder, enforce_permissions=True) as stack:
            servers = [
                OwnServer("pop3", "localhost", dovecot.tls_port, username="%EMAILLOCALPART%"),
                OwnServer("smtp", "localhost", smtp.tls_port, username="%EMAILLOCALPART%"),
            ]
            announce(stack.workspace, servers, DOMAIN)
            yield Scene(dovecot, stack, Console(browser, stack))


def add_by_address(console: Console, user: str, name: str) -> None:
    """Add a mailbox as a person does: an address, a password, a name."""
    console.open("/settings/new")
    console.page.get_by_label("E-mail address").fill(f"{user}@{DOMAIN}")
    console.page.get_by_label("Password", exact=True).fill(PASSWORD)
    console.choose("Continue")
    expect(console.main()).to_contain_text("localhost")
    console.page.get_by_label("Name", exact=True).fill(name)
    console.choose("Add the account")


def a_file(name: str, text: str = "x") -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


def test_a_wrong_password_is_told_and_the_right_one_lets_in(scene: Scene) -> None:
    console = scene.console
    console.page.goto(console.url)
    console.enter_password("Not-the-password-1")
    expect(console.page.get_by_role("alert")).to_contain_text("do not go together")
    console.enter_password(scene.stack.owner.password)
    expect(console.heading("Welcome to popfetch")).to_be_visible()


def test_the_session_outlives_the_page_and_no_script_can_read_what_renews_it(scene: Scene) -> None:
    console = scene.console
    console.page.reload()
    expect(console.heading("Welcome to popfetch")).to_be_visible()
    assert console.page.evaluate("document.cookie") == ""
    assert "eyJ" not in console.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")


def test_a_mailbox_is_added_by_its_address_and_its_first_mail_watched(scene: Scene) -> None:
    console = scene.console
    add_by_address(console, "anna", "Personal")
    expect(console.main()).to_contain_text("The sign-in works, and the first mail is here.")
    console.choose("To the mail")
    expect(console.rows().first).to_be_visible()
    assert account_named(scene.stack, "Personal")["last_fetch"]["stored"] == FIRST_COUNT


def test_a_message_is_read_with_its_html_and_its_attachment(scene: Scene) -> None:
    console = scene.console
    console.open_message("is on its way")
    expect(console.letter().get_by_text("Espresso Nr. 7, 250 g")).to_be_visible()
    name, content = console.downloaded(lambda: console.button(re.compile("Download order.csv")).click())
    assert name == "order.csv"
    assert content.startswith(b"sku,quantity,price")


def test_the_download_is_the_message_octet_for_octet(scene: Scene) -> None:
    console = scene.console
    name, content = console.downloaded(lambda: console.choose("Download (.eml)"))
    assert name.endswith(".eml")
    assert content in first_delivery()


def test_what_was_new_is_not_at_the_next_visit(scene: Scene) -> None:
    console = scene.console
    mailboxes = console.page.get_by_role("navigation", name="Mailboxes")
    expect(mailboxes).not_to_contain_text("new")
    scene.dovecot.maildir("anna").deliver(
        b"Date: Thu, 26 Nov 2026 10:00:00 +0700\r\nFrom: carl@example.org\r\nSubject: A surprise\r\n\r\nHello\r\n"
    )
    console.open("/mail/all")
    check_by_hand(scene.stack, "Personal")
    console.page.reload()
    expect(mailboxes.get_by_role("link", name=re.compile("Personal"))).to_contain_text("1")
    mailboxes.get_by_role("link", name=re.compile("Personal")).click()
    expect(console.rows().filter(has_text="A surprise")).to_contain_text("New")


def test_search_finds_without_accents_and_says_when_nothing_fits(scene: Scene) -> None:
    console = scene.console
    box = console.page.get_by_role("searchbox")
    box.fill("chuc mung")
    box.press("Enter")
    expect(console.rows().first).to_contain_text("Chúc mừng năm học mới")
    box.fill("nothing has this")
    box.press("Enter")
    expect(console.heading("Nothing found")).to_be_visible()
    console.choose("Clear the search")
    expect(console.rows().filter(has_text="A surprise")).to_be_visible()


def test_order_is_changed_by_keyboard_and_default_by_radio_button(scene: Scene) -> None:
    console = scene.console
    add_by_address(console, "bert", "My work")
    expect(console.main()).to_contain_text("The sign-in works")
    console.open("/settings")
    names = console.main().get_by_role("heading", level=2)
    expect(names).to_have_text(["Personal", "My work"])

    handle = console.button("Move My work by dragging")
    handle.focus()
    console.page.keyboard.press("Space")
    expect(handle).to_have_attribute("aria-pressed", "true")
    console.page.keyboard.press("ArrowUp")
    expect(console.page.get_by_text("My work is over place 1 of 2.")).to_be_attached()
    console.page.keyboard.press("Space")
    expect(console.page.get_by_text("My work is at place 1 of 2 now.")).to_be_attached()
    expect(names).to_have_text(["My work", "Personal"])
    radio = console.page.get_by_role("radio", name=re.compile("My work"))
    radio.click()
    expect(radio).to_be_checked()

    wait_for(
        "The order", lambda: [a["name"] for a in scene.stack.api.accounts()] == ["My work", "Personal"], scene.stack
    )
    wait_for("The default", lambda: account_named(scene.stack, "My work")["is_default"], scene.stack)
    console.open("/mail")
    expect(console.main().get_by_role("heading", level=2, name="My work")).to_be_visible()


def test_an_order_is_changed_by_dragging_too(scene: Scene) -> None:
    console = scene.console
    console.open("/settings")
    names = console.main().get_by_role("heading", level=2)
    expect(names).to_have_text(["My work", "Personal"])
    first = console.button("Move My work by dragging").bounding_box()
    second = console.button("Move Personal by dragging").bounding_box()
    assert first
    assert second
    mouse = console.page.mouse
    mouse.move(first["x"] + 10, first["y"] + 10)
    mouse.down()
    mouse.move(first["x"] + 10, first["y"] + 30, steps=5)
    mouse.move(second["x"] + 10, second["y"] + second["height"], steps=10)
    mouse.up()
    expect(names).to_have_text(["Personal", "My work"])
    wait_for(
        "The order", lambda: [a["name"] for a in scene.stack.api.accounts()] == ["Personal", "My work"], scene.stack
    )


def test_a_refused_sign_in_is_seen_and_mended_where_it_is_told(scene: Scene) -> None:
    # given
    console = scene.console
    scene.dovecot.set_password("anna", NEW_PASSWORD)
    for _ in range(10):
        check_by_hand(scene.stack, "Personal")

    # when
    console.open("/mail/all")
    console.page.reload()
    console.page.get_by_role("link", name="Personal: Enter the password again").click()
    expect(console.main()).to_contain_text("Authentication failed")
    field = console.page.get_by_label("New password of the incoming server").first
    field.fill("still-not-the-one-9")
    field.press("Enter")
    expect(console.main().get_by_role("alert").first).to_be_visible()
    field.fill(NEW_PASSWORD)
    field.press("Enter")

    # then
    console.told("The new incoming password works and is kept.")
    expect(console.main()).not_to_contain_text("Authentication failed")
    wait_for("The account", lambda: account_named(scene.stack, "Personal")["status"] == "active", scene.stack)


def test_the_outgoing_password_is_changed_on_its_own(scene: Scene) -> None:
    console = scene.console
    field = console.page.get_by_label("New password of the outgoing server")
    field.fill(NEW_PASSWORD)
    field.press("Enter")
    console.told("The new outgoing password works and is kept.")


def test_a_reply_address_is_asked_confirmed_and_shown_as_verified(scene: Scene) -> None:
    console = scene.console
    console.open(f"/settings/{account_named(scene.stack, 'Personal')['id']}")
    console.page.get_by_label("Address for replies").fill("elsewhere@example.org")
    console.choose("Send the question")
    expect(console.main()).to_contain_text("for elsewhere@example.org to be confirmed")

    def asked() -> list[SentMail]:
        sent = sent_mail(scene.stack.workspace.endpoint_url)
        return [mail for mail in sent if "elsewhere@example.org" in mail.recipients]

    wait_for("The question", lambda: bool(asked()), scene.stack)
    other = console.page.context.new_page()
    other.goto(asked()[-1].link)
    other.get_by_role("button").click()
    other.close()
    console.page.reload()
    expect(console.main()).to_contain_text("Verified: replies go to elsewhere@example.org.")


def test_a_mail_is_written_sent_and_answered(scene: Scene) -> None:
    # when
    console = scene.console
    console.open(f"/mail/{account_named(scene.stack, 'Personal')['id']}")
    console.page.get_by_role("link", name="New mail").or_(console.button("New mail")).first.click()
    console.page.get_by_label("To", exact=True).fill(f"Bert Böhm <bert@{DOMAIN}>")
    console.page.get_by_label("Subject", exact=True).fill("Chào buổi sáng")
    console.page.get_by_label("Text", exact=True).fill("Xin chào, Bert!\n\nAnna")
    console.page.locator("input[type=file]").set_input_files(a_file("ghi chú.txt", "một hai ba"))
    expect(console.main()).to_contain_text("ghi chú.txt")
    console.choose("Send")
    console.told(re.compile(f"Sent to .*bert@{DOMAIN}"))

    # then
    check_by_hand(scene.stack, "My work")
    console.open(f"/mail/{account_named(scene.stack, 'My work')['id']}")
    console.page.reload()
    console.open_message("Chào buổi sáng")
    expect(console.main()).to_contain_text("Xin chào, Bert!")
    name, content = console.downloaded(lambda: console.button(re.compile("Download ghi chú.txt")).click())
    assert (name, content) == ("ghi chú.txt", "một hai ba".encode())

    # when
    console.choose("Reply")
    expect(console.page.get_by_label("Subject", exact=True)).to_have_value("Re: Chào buổi sáng")
    expect(console.page.get_by_label("To", exact=True)).to_have_value(re.compile("elsewhere@example.org"))


def test_what_is_being_written_outlives_a_reload_and_is_asked_about_before_it_is_lost(scene: Scene) -> None:
    # given
    console = scene.console
    place = f"/mail/{account_named(scene.stack, 'Personal')['id']}"
    console.open(place)
    console.page.get_by_role("link", name="New mail").or_(console.button("New mail")).first.click()
    console.page.get_by_label("To", exact=True).fill(f"bert@{DOMAIN}")
    console.page.get_by_label("Text", exact=True).fill("With two files")
    console.page.locator("input[type=file]").set_input_files([a_file("one.txt"), a_file("two.txt")])
    expect(console.main()).to_contain_text("two.txt")

    # then
    console.reload_all_the_same()
    expect(console.main()).to_contain_text("These files have to be attached again: one.txt, two.txt")
    console.page.locator("input[type=file]").set_input_files(a_file("one.txt"))
    expect(console.main()).to_contain_text("These files have to be attached again: two.txt")
    assert look_at(console, "files-lost") == []
    console.choose("Send")
    expect(console.heading("Send without these files?")).to_be_visible()
    assert look_at(console, "files-asked") == []
    console.choose("Keep writing")
    console.choose("Sign out")
    expect(console.heading("Sign out and lose 1 draft?")).to_be_visible()
    assert look_at(console, "sign-out-asked") == []
    console.choose("Cancel")
    expect(console.page.get_by_label("Text", exact=True)).to_have_value("With two files")
    console.choose("Discard")
    console.page.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(console.rows().first).to_be_visible()


def test_a_console_that_hears_nothing_says_so_until_it_does(scene: Scene) -> None:
    console = scene.console
    console.open("/mail/all")
    expect(console.rows().first).to_be_visible()
    with console.offline():
        console.choose("Refresh")
        expect(console.main()).to_contain_text("What you see is as it was at")
        expect(console.rows().first).to_be_visible()
        assert look_at(console, "offline") == []
    expect(console.main()).not_to_contain_text("What you see is as it was at")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "vi"])
def test_no_page_keeps_anybody_out(scene: Scene, language: str, theme: str, size: str) -> None:
    console = scene.console
    account = account_named(scene.stack, "Personal")["id"]
    console.appear(language, theme, *SIZES[size])
    found: list[str] = []
    for name, place in {
        "mail": f"/mail/{account}",
        "accounts": "/settings",
        "account": f"/settings/{account}",
        "new-account": "/settings/new",
    }.items():
        console.open(place)
        console.page.reload()
        console.page.wait_for_load_state("networkidle")
        if name == "mail":
            expect(console.rows().first).to_be_visible()
        found += look_at(console, f"{name}-{language}-{theme}-{size}")
        if name == "mail":
            console.rows().filter(has_text="is on its way").first.click()
            expect(console.letter().get_by_text("Espresso Nr. 7, 250 g")).to_be_visible()
            found += look_at(console, f"message-{language}-{theme}-{size}")
    assert found == []


def look_at(console: Console, name: str) -> list[str]:
    """What is wrong with the page that is shown."""
    console.picture(name)
    wide = [f"{name} is {console.overflow()} pixels too wide"] if console.overflow() > 0 else []
    return wide + [f"{name}: {barrier}" for barrier in console.barriers()]


def test_whoever_signs_out_is_out_in_every_tab_of_this_browser(scene: Scene) -> None:
    # given
    console = scene.console
    console.appear("en", "light", *SIZES["desktop"])
    console.open("/mail")
    console.page.reload()
    other = console.page.context.new_page()
    other.goto(console.url)
    expect(other.get_by_role("link", name="Settings")).to_be_visible()

    # when
    console.choose("Sign out")

    # then
    expect(console.heading("Sign in")).to_be_visible()
    expect(console.main()).not_to_contain_text("may still be signed in")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    other.close()
    console.page.reload()
    expect(console.heading("Sign in")).to_be_visible()


def test_nothing_went_elsewhere_and_nothing_failed_on_the_way(scene: Scene) -> None:
    assert scene.console.misdeeds == []
