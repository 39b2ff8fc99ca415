"""Where things of the local run lie, and how its parts are addressed."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from infra.local.errors import LocalRunError

ROOT = Path(__file__).resolve().parent.parent.parent
REGION = "us-east-1"
STACK_NAME = "popfetch"
DEFAULT_PORT = 4566


@dataclass(frozen=True)
class Workspace:
    """The files of one engine and its stack; ``home`` is what several engines of a clone share."""

    home: Path
    port: int

    @classmethod
    def of_this_clone(cls) -> "Workspace":
        """The workspace that the make targets use, at the port that ``POPFETCH_PORT`` says."""
        return cls(ROOT / ".local", port_from(os.environ.get("POPFETCH_PORT", "")))

    @property
    def engine(self) -> Path:
        """The folder of the engine at this port: its state, its log, its process number."""
        return self.home / "engine" / str(self.port)

    @property
    def demo(self) -> Path:
        """The folder of the demo mailbox that belongs to the engine at this port."""
        return self.engine / "demo"

    @property
    def outputs_file(self) -> Path:
        """Where the stack's outputs are left for others."""
        return self.home / "outputs.json"

    @property
    def build(self) -> Path:
        """The folder of what ``sam build`` makes; engines share it."""
        return self.home / "build"

    @property
    def endpoint_url(self) -> str:
        """The engine's address."""
        return f"http://127.0.0.1:{self.port}"


def port_from(text: str) -> int:
    """The port that a person named, or the default. Raises LocalRunError."""
    if not text:
        return DEFAULT_PORT
    if not text.isdigit() or not 1024 <= int(text) <= 65535:
        raise LocalRunError(f"POPFETCH_PORT must be a port between 1024 and 65535, not {text!r}.")
    return int(text)


def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """True while something on this machine accepts connections at ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
