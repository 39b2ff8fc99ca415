"""How long the console's first view takes until it can be used, in Chromium, at the stack that ``make up`` has started.

``PYTHONPATH=shared .venv/bin/python -m tests.bench.console_first_view [--runs 10]``

Functions are warm: the first run is thrown away. The engine answers one request after the other and compresses nothing,
and whatever else the machine does is in the figures: they are for comparing, not for promising.
"""

import json
import statistics
import time
from argparse import ArgumentParser
from collections.abc import Callable

from playwright.sync_api import expect

from infra.local.clients import Clients
from infra.local.owner import sign_in
from infra.local.workspace import Workspace, port_from
from tests.builders.stored_messages import a_message
from tests.flow.conftest import LocalStack
from tests.real.browser import Browser
from tests.real.console import Console
from tests.real.stored_mailbox import StoredMailbox

_NAME = "first-view"
_MESSAGES = 100


def _running_stack() -> LocalStack:
    """The stack that ``make up`` has started, wherever it listens."""
    home = Workspace.of_this_clone().home
    outputs = json.loads((home / "outputs.json").read_text())
    workspace = Workspace(home, port_from(outputs["EndpointUrl"].rpartition(":")[2]))
    clients = Clients(workspace)
    owner = sign_in(clients, outputs, outputs["OwnerEmail"], outputs["OwnerPassword"])
    return LocalStack(workspace, outputs, clients, owner)


def _mailbox(stack: LocalStack) -> str:
    """Where the console shows a mailbox with messages; made at the first call."""
    for account in stack.api.accounts():
        if account["name"] == _NAME:
            return f"/mail/{account['id']}"
    mailbox = StoredMailbox(stack, _NAME)
    mailbox.store(a_message(subject=f"Message {number}", filename="") for number in range(_MESSAGES))
    return mailbox.place


def _timed(show: Callable[[], None], runs: int) -> list[float]:
    """Seconds that each run takes, after one that does not count."""
    took = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        show()
        took.append(time.perf_counter() - start)
    return took[1:]


def _tell(what: str, took: list[float]) -> None:
    print(f"{what}: median {statistics.median(took):.2f} s, worst {max(took):.2f} s, of {len(took)} runs", flush=True)


def main() -> None:
    """Measure both views, and print what they take."""
    parser = ArgumentParser(description="The console's first view")
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    stack = _running_stack()
    place = _mailbox(stack)
    with Browser() as browser:
        console = Console(browser, stack)

        def show_sign_in() -> None:
            console.page.goto(console.url)
            field = console.page.get_by_label("E-mail address")
            field.fill("somebody@example.org")
            expect(field).to_have_value("somebody@example.org")

        def show_mail() -> None:
            console.page.reload()
            expect(console.rows().first).to_be_visible()

        _tell("The sign-in can be filled in", _timed(show_sign_in, runs))
        console.sign_in()
        console.open(place)
        expect(console.rows().first).to_be_visible()
        _tell("The messages are seen", _timed(show_mail, runs))


if __name__ == "__main__":
    main()
