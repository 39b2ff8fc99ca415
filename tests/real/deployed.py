"""The deployed stack beside real servers, on an engine of its own that trusts their authorities."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.local.clients import Clients
from infra.local.engine import Engine
from infra.local.owner import Owner
from infra.local.up import bring_up
from infra.local.workspace import ROOT, Workspace, free_port
from tests.flow.conftest import LocalStack
from tests.flow.permissions import set_aside_what_the_engine_cannot_judge
from tests.flow.waiting import wait_for


@contextmanager
def deployed(ca_files: Sequence[str], folder: Path, *, enforce_permissions: bool = False) -> Iterator[LocalStack]:
    """The stack, for as long as the context lasts; its state is removed afterwards.

    With ``enforce_permissions``, functions can do only what their roles allow.
    """
    workspace = Workspace(ROOT / ".local" / "flow-tests", free_port())
    bundle = folder / "authorities.pem"
    bundle.write_text("".join(Path(ca_file).read_text() for ca_file in ca_files))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("POPFETCH_CA_FILE", str(bundle) if ca_files else "")
        try:
            outputs = bring_up(workspace, lambda _: None, enforce_permissions=enforce_permissions)
            if enforce_permissions:
                set_aside_what_the_engine_cannot_judge(Clients(workspace), outputs["MailBucketName"])
            owner = Owner(outputs["OwnerEmail"], outputs["OwnerPassword"], outputs["IdToken"])
            yield LocalStack(workspace, outputs, Clients(workspace), owner)
        finally:
            Engine(workspace).stop()
            shutil.rmtree(workspace.engine, ignore_errors=True)


def account_named(stack: LocalStack, name: str) -> dict[str, Any]:
    """An account as the API shows it."""
    return next(account for account in stack.api.accounts() if account["name"] == name)


def check_by_hand(stack: LocalStack, name: str) -> dict[str, Any]:
    """Check an account by hand and wait for the cycle; returns how it went."""
    account = account_named(stack, name)
    asked = stack.api.call("POST", f"/accounts/{account['id']}/fetch")

    def done() -> bool:
        return bool((account_named(stack, name)["last_fetch"] or {}).get("started_at", "") >= asked["requested_at"])

    wait_for("The check", done, stack)
    last: dict[str, Any] = account_named(stack, name)["last_fetch"]
    return last
