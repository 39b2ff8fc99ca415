"""Engine, stack and owner, ready to use; and the end of them."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.local.api import Api
from infra.local.background import BackgroundProcess
from infra.local.clients import Clients
from infra.local.engine import Engine, engines_of
from infra.local.outbox import allow_sender
from infra.local.own_autoconfig import autoconfig_file
from infra.local.owner import OWNER_EMAIL, kept_password, sign_in
from infra.local.stack import Stack, architecture
from infra.local.trust import write_bundle
from infra.local.workspace import Workspace

type Say = Callable[[str], None]

POP3_SERVER_MARK = "infra.local.pop3_server"

SENDER_ADDRESS = "popfetch@example.com"
"""Where popfetch's own mail comes from; it goes nowhere, and stays in the engine to be looked at."""


def bring_up(workspace: Workspace, say: Say, *, enforce_permissions: bool = False) -> dict[str, str]:
    """Start the engine, deploy the stack, sign an owner in; returns the stack's outputs and the owner's.

    Whatever is there already stays as it is; the owner's token is always a new one.
    """
    if Engine(workspace, enforce_permissions=enforce_permissions).start():
        say(f"The engine runs at {workspace.endpoint_url}.")
    else:
        say(f"The engine runs already at {workspace.endpoint_url}.")
    stack = Stack(workspace)
    say("Building and deploying the stack where it has changed ...")
    deployed = stack.deploy(parameters(workspace))
    say("The stack is deployed." if deployed else "The stack is deployed already.")
    stack.lead_links_here()
    outputs = stack.outputs()
    clients = Clients(workspace)
    allow_sender(clients, SENDER_ADDRESS)
    owner = sign_in(clients, outputs, OWNER_EMAIL, kept_password(workspace.engine / "owner-password"))
    return {**outputs, "OwnerEmail": owner.email, "OwnerPassword": owner.password, "IdToken": owner.id_token}


def parameters(workspace: Workspace) -> dict[str, str]:
    """What the stack is deployed with on this machine."""
    return {
        "Architecture": architecture(),
        "AllowPrivateHosts": "true",
        "ExtraCaFile": str(write_bundle(workspace, os.environ.get("POPFETCH_CA_FILE", ""))),
        "OwnAutoconfigFile": str(autoconfig_file(workspace)),
        "SenderAddress": SENDER_ADDRESS,
    }


def tell_addresses(outputs: Mapping[str, str], say: Say) -> None:
    """Say where console and API are, once the console answers. Raises LocalRunError where it does not."""
    Api(outputs["ApiUrl"], "").page("/")
    say(
        f"The console: {outputs['ConsoleUrl']}\n"
        f"  sign in as {outputs['OwnerEmail']} with the password OwnerPassword in .local/outputs.json\n"
        f"The API: {outputs['ApiUrl']} (an owner's id token is there too)"
    )


def write_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Leave the outputs for others; only this machine's user can read them, as they hold the owner's password."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.touch(mode=0o600)
    unfinished.write_text(json.dumps(dict(outputs), indent=2, sort_keys=True) + "\n")
    unfinished.replace(path)


def bring_down(home: Path, say: Say) -> None:
    """End every engine and every demo mailbox that was started from this clone, and nothing else."""
    ended = 0
    for engine in engines_of(home):
        demo = BackgroundProcess(engine.workspace.demo / "server", POP3_SERVER_MARK)
        if demo.stop():
            say("Ended the demo mailbox.")
            ended += 1
        if engine.stop():
            say(f"Ended the engine at {engine.workspace.endpoint_url}; its state is kept for the next start.")
            ended += 1
    if not ended:
        say("Nothing of this clone runs.")
