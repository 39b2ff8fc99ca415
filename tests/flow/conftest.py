"""The deployed stack on an engine of its own, for all flow tests of a run.

The engine lets functions do only what their roles allow. It listens at a free port, ``make down``
does not know it, and its state is removed afterwards; what ``sam build`` made is kept for the next run.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from infra.local.api import Api
from infra.local.clients import Clients
from infra.local.demo_server import DemoServer
from infra.local.engine import Engine
from infra.local.owner import Owner, sign_in
from infra.local.stored import StoredAccount
from infra.local.up import bring_up
from infra.local.workspace import ROOT, Workspace, free_port
from tests.flow.permissions import set_aside_what_the_engine_cannot_judge


@dataclass(frozen=True)
class LocalStack:
    """The stack as a client sees it."""

    workspace: Workspace
    outputs: Mapping[str, str]
    clients: Clients
    owner: Owner

    @property
    def api(self) -> Api:
        """The API, for the first owner."""
        return self.api_of(self.owner)

    def api_of(self, owner: Owner) -> Api:
        """The API, for any owner."""
        return Api(self.outputs["ApiUrl"], owner.id_token)

    def another_owner(self, email: str) -> Owner:
        """A second user of the pool."""
        return sign_in(self.clients, self.outputs, email, "Another-Owner-7")

    def stored(self, owner: Owner, account_id: str) -> StoredAccount:
        """What lies in bucket and table for an account."""
        return StoredAccount(self.clients, self.outputs, owner.owner_id, account_id)


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """Engine and stack, brought up once."""
    workspace = Workspace(ROOT / ".local" / "flow-tests", free_port())
    said: list[str] = []
    try:
        outputs = bring_up(workspace, said.append, enforce_permissions=True)
        set_aside_what_the_engine_cannot_judge(Clients(workspace), outputs["MailBucketName"])
        owner = Owner(outputs["OwnerEmail"], outputs["OwnerPassword"], outputs["IdToken"])
        yield LocalStack(workspace, outputs, Clients(workspace), owner)
    finally:
        Engine(workspace).stop()
        shutil.rmtree(workspace.engine, ignore_errors=True)


@pytest.fixture(scope="session")
def demo_server(local_stack: LocalStack) -> Iterator[DemoServer]:
    """A mailbox elsewhere, empty until a test delivers to it."""
    server = DemoServer(local_stack.workspace)
    server.start()
    yield server
    server.stop()
