"""What the first view of the console weighs, as it goes over the wire: compressed, which API Gateway does."""

import gzip
from collections.abc import Callable

import pytest
from playwright.sync_api import Response, expect

from tests.builders.stored_messages import a_message
from tests.real.console import Console
from tests.real.stored_mailbox import StoredMailbox

SECONDS = 300
pytestmark = pytest.mark.real

MOST = 200 * 1024


def weighed(console: Console, show: Callable[[], None]) -> dict[str, int]:
    """The octets of everything that is loaded until the view is shown, compressed, by address."""
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    # What is still under way for the page before belongs to that one.
    console.page.goto("about:blank")
    console.page.on("response", keep)
    show()
    console.page.wait_for_load_state("networkidle")
    console.page.remove_listener("response", keep)
    return {
        answer.url.removeprefix(console.url): len(gzip.compress(answer.body()))
        for answer in answers
        if answer.status == 200
    }


def test_the_mail_of_who_is_signed_in_has_less_than_200_kb(console: Console) -> None:
    # given
    mailbox = StoredMailbox(console.stack, "weighed")
    mailbox.store([a_message(subject=f"Message {number}", filename="") for number in range(100)])

    # when
    def show() -> None:
        console.open(mailbox.place)
        expect(console.rows().first).to_be_visible()

    weights = weighed(console, show)

    # then
    assert any("messages" in address for address in weights)
    assert sum(weights.values()) < MOST, weights


def test_the_sign_in_has_less_than_200_kb(console: Console) -> None:
    # given
    console.choose("Sign out")
    expect(console.heading("Sign in")).to_be_visible()

    # when
    def show() -> None:
        console.open()
        expect(console.page.get_by_label("E-mail address")).to_be_visible()

    weights = weighed(console, show)

    # then
    assert any(address.endswith(".js") for address in weights)
    assert sum(weights.values()) < MOST, weights
