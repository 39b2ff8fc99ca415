"""The demonstration: a mailbox elsewhere, and its mail collected by the scheduled rule alone.

The demo adds the account over the API and then only watches: it never invokes a function itself.
"""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.local.api import Api, account_body
from infra.local.clients import Clients
from infra.local.demo_server import DemoServer
from infra.local.errors import LocalRunError
from infra.local.mailbox import LATER_DELIVERY, first_delivery, later_delivery
from infra.local.stored import StoredAccount, StoredObject, last_log_lines
from infra.local.up import bring_up, tell_addresses, write_outputs
from infra.local.workspace import STACK_NAME, Workspace
from popfetch.domain.session import claims_of

PATIENCE_SECONDS = 180
_SHOWN = 12


def run_demo(workspace: Workspace, console: Console) -> None:
    """Run the demonstration. Raises LocalRunError with the functions' last words when the mail does not come."""
    outputs = bring_up(workspace, console.print)
    write_outputs(workspace.outputs_file, outputs)
    clients = Clients(workspace)
    api = Api(outputs["ApiUrl"], outputs["IdToken"])
    server = DemoServer(workspace)
    if not server.delivered:
        server.deliver(first_delivery())
    server.start()
    console.print(f"A POP3 server with a demo mailbox listens at {server.host}:{server.port}, with TLS.")

    account = _account_of(api, server)
    if account is None:
        account = api.post(
            "/accounts",
            account_body(
                email=server.username,
                name="Personal",
                host=server.host,
                port=server.port,
                password=server.password,
            ),
        )
        console.print(f"Added the account {server.username} over the API; {server.delivered} messages wait there.")
        before: list[StoredObject] = []
        stored = _stored(clients, outputs, account)
    else:
        stored = _stored(clients, outputs, account)
        before = stored.objects()
        server.deliver(later_delivery(server.delivered))
        console.print(
            f"The account {server.username} is there already with {len(before)} stored messages; "
            f"{LATER_DELIVERY} new ones have just arrived on the server."
        )
    _watch(console, clients, stored, server, len(before))
    after = stored.objects()
    _compare(server, stored, after)
    _show(console, outputs, api, account, stored, before, after)


def _account_of(api: Api, server: DemoServer) -> dict[str, Any] | None:
    for account in api.accounts():
        incoming = account["incoming"]
        if account["email"] == server.username and incoming["port"] == server.port:
            return account
    return None


def _stored(clients: Clients, outputs: Mapping[str, str], account: Mapping[str, Any]) -> StoredAccount:
    return StoredAccount(clients, outputs, str(claims_of(outputs["IdToken"])["sub"]), account["id"])


def _watch(console: Console, clients: Clients, stored: StoredAccount, server: DemoServer, already: int) -> None:
    wanted = len(server.messages())
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} messages"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task("Waiting for the rule's next minute", total=wanted, completed=already)
        while True:
            found = len(stored.objects())
            progress.update(task, completed=found)
            if found > already:
                progress.update(task, description="Collecting")
            if found >= wanted and stored.state().get("last_fetch"):
                progress.update(task, description="Collected")
                return
            if time.monotonic() > give_up_at:
                break
            time.sleep(1)
    raise LocalRunError(
        f"After {PATIENCE_SECONDS} seconds {found} of {wanted} messages were collected. "
        f"The account's state: {stored.state() or 'none yet'}\n"
        f"What the functions logged last:\n{last_log_lines(clients, STACK_NAME)}"
    )


def _compare(server: DemoServer, stored: StoredAccount, objects: list[StoredObject]) -> None:
    on_server = sorted(server.messages())
    in_bucket = sorted(stored.content(item.key) for item in objects)
    if on_server != in_bucket:
        raise LocalRunError(
            f"What was stored is not what the server has: {len(on_server)} messages there, {len(in_bucket)} here, "
            f"{len(set(on_server) & set(in_bucket))} alike."
        )


def _show(
    console: Console,
    outputs: Mapping[str, str],
    api: Api,
    account: Mapping[str, Any],
    stored: StoredAccount,
    before: list[StoredObject],
    after: list[StoredObject],
) -> None:
    old = {item.key for item in before}
    new = [item for item in after if item.key not in old]
    prefix = stored.prefix
    console.print(f"S3, below s3://{outputs['MailBucketName']}/{prefix}", soft_wrap=True)
    table = Table(title=f"{len(new)} new objects, {len(after)} in all")
    table.add_column("key", overflow="fold")
    table.add_column("octets", justify="right")
    for item in new[:_SHOWN]:
        table.add_row(item.key.removeprefix(prefix), str(item.size))
    if len(new) > _SHOWN:
        rest = new[_SHOWN:]
        table.add_row(f"... and {len(rest)} more", str(sum(item.size for item in rest)))
    console.print(table)

    shown = api.get(f"/accounts/{account['id']}")
    state = stored.state()
    checkpoint = state.get("checkpoint") or {}
    console.print(f"DynamoDB, in {outputs['TableName']}", soft_wrap=True)
    table = Table(title=f"account {account['id']}")
    table.add_column("what")
    table.add_column("value", overflow="fold")
    table.add_row("mailbox", f"{shown['name']} <{shown['email']}>")
    table.add_row("status", str(shown["status"]))
    last = shown.get("last_fetch") or {}
    table.add_row("last fetch", ", ".join(f"{name} {value}" for name, value in last.items() if value is not None))
    table.add_row("checkpoint", f"{checkpoint.get('count', 0)} messages settled")
    for kind, count in sorted(stored.item_counts().items()):
        table.add_row(f"{kind} items", str(count))
    console.print(table)
    newest = api.get("/messages?limit=1")["messages"][0]
    console.print(f"The newest message, over the API: {newest['subject']}", soft_wrap=True)
    console.print("Every stored message is octet for octet what the server has.")
    tell_addresses(outputs, partial(console.print, soft_wrap=True))
    console.print("The engine keeps running and the rule fires every minute; `make down` ends both.")
