"""The demo mailbox as the demo and the tests use it: started, filled, and looked into."""

import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from infra.local.background import BackgroundProcess
from infra.local.engine import path_with_our_tools
from infra.local.errors import LocalRunError
from infra.local.mailbox import ENDING, MAILBOX_ADDRESS, PASSWORD_VARIABLE
from infra.local.own_autoconfig import OwnServer, announce
from infra.local.trust import authority_file, server_file
from infra.local.up import POP3_SERVER_MARK
from infra.local.workspace import ROOT, Workspace, free_port, is_listening


@dataclass(frozen=True)
class DemoServer:
    """A mailbox at ``localhost`` that keeps its port, user name and password from one start to the next."""

    workspace: Workspace
    name: str = "server"
    username: str = MAILBOX_ADDRESS
    host: str = field(default="localhost", init=False)

    @property
    def folder(self) -> Path:
        """The messages on the server."""
        return self.workspace.demo / f"{self.name}-messages"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._kept("port", lambda: str(free_port())))

    @property
    def password(self) -> str:
        """What its user signs in with."""
        return self._kept("password", lambda: secrets.token_urlsafe(12))

    def start(self) -> None:
        """Start the server unless it runs, to be found by address. Raises LocalRunError when it does not come up."""
        announce(self.workspace, [OwnServer("pop3", self.host, self.port)], self.username.rpartition("@")[2])
        process = self._process
        if process.pid() is not None:
            return
        if is_listening(self.port):
            raise LocalRunError(
                f"Port {self.port}, which the demo mailbox had before, is taken by another program. End that one, or "
                f"begin anew: make down, remove {self.workspace.engine}, make demo"
            )
        authority_file(self.workspace)
        self.folder.mkdir(parents=True, exist_ok=True)
        process.start(
            [
                *(sys.executable, "-m", POP3_SERVER_MARK),
                *(str(self.folder), str(server_file(self.workspace)), str(self.port), self.username),
            ],
            {"PATH": path_with_our_tools(), "PYTHONDONTWRITEBYTECODE": "1", PASSWORD_VARIABLE: self.password},
            ROOT,
        )
        give_up_at = time.monotonic() + 20
        while not is_listening(self.port):
            if process.pid() is None or time.monotonic() > give_up_at:
                raise LocalRunError(f"The demo mailbox did not come up:\n{process.last_lines()}")
            time.sleep(0.1)

    def stop(self) -> bool:
        """End the server; the mailbox stays."""
        return self._process.stop()

    def deliver(self, messages: list[bytes]) -> None:
        """Put messages into the mailbox, behind those that are there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        begin = self.delivered
        for number, message in enumerate(messages, begin + 1):
            uid = f"{number:06d}-{sha256(message).hexdigest()[:12]}"
            unfinished = self.folder / f"{uid}.unfinished"
            unfinished.write_bytes(message)
            unfinished.replace(self.folder / f"{uid}{ENDING}")
        self._counter.write_text(str(begin + len(messages)))

    @property
    def delivered(self) -> int:
        """How many messages were ever delivered."""
        return int(self._counter.read_text()) if self._counter.exists() else 0

    def messages(self) -> list[bytes]:
        """What is in the mailbox, in its order."""
        return [file.read_bytes() for file in sorted(self.folder.glob(f"*{ENDING}"))]

    @property
    def _process(self) -> BackgroundProcess:
        return BackgroundProcess(self.workspace.demo / self.name, POP3_SERVER_MARK)

    @property
    def _counter(self) -> Path:
        return self.workspace.demo / f"{self.name}-delivered"

    def _kept(self, what: str, make: Callable[[], str]) -> str:
        path = self.workspace.demo / f"{self.name}-{what}"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(make())
        return path.read_text()
