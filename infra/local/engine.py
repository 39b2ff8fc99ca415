"""The embedded engine: MiniStack as a background process, with its state kept from one start to the next."""

import os
import shutil
import sys
import time
import urllib.request
from pathlib import Path

from infra.local.background import BackgroundProcess
from infra.local.errors import LocalRunError
from infra.local.workspace import REGION, ROOT, Workspace, is_listening

_READY_WITHIN_SECONDS = 60
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE")


def credentials() -> dict[str, str]:
    """The environment of a client of the engine: no profile of this machine's user, credentials that mean nothing."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def path_with_our_tools() -> str:
    """PATH with the environment's own programs first: the functions' Python must be the one that is found."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"


class Engine:
    """The engine of a workspace; with ``enforce_permissions``, functions can do only what their roles allow."""

    def __init__(self, workspace: Workspace, *, enforce_permissions: bool = False) -> None:
        self.workspace = workspace
        self._enforce_permissions = enforce_permissions
        self.process = BackgroundProcess(workspace.engine, mark="ministack")

    def start(self) -> bool:
        """Start the engine unless it runs, and wait until it answers; ``False`` when it ran already.

        Raises LocalRunError when the port is someone else's, or the engine does not come up.
        """
        if self.process.pid() is not None:
            self._wait_until_ready()
            return False
        if is_listening(self.workspace.port):
            raise LocalRunError(
                f"Port {self.workspace.port} is taken by another program, perhaps another clone's engine. "
                f"End that one, or choose another port: POPFETCH_PORT={self.workspace.port + 100} make up"
            )
        scratch = self.workspace.engine / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        self.process.start([sys.executable, "-m", "ministack"], self._environment(scratch), ROOT)
        self._wait_until_ready()
        return True

    def stop(self) -> bool:
        """End the engine, which saves its state first; ``False`` when it did not run."""
        stopped = self.process.stop()
        shutil.rmtree(self.workspace.engine / "scratch", ignore_errors=True)
        return stopped

    def _environment(self, scratch: Path) -> dict[str, str]:
        # The engine's environment is the functions' too: nothing of the person's goes in.
        return {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            **credentials(),
            "PATH": path_with_our_tools(),
            "TMPDIR": str(scratch),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.workspace.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.workspace.engine / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.workspace.engine / "objects"),
            # Servers with fixed ports that nobody needs, and that a second clone could not open.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "AUTH": "true" if self._enforce_permissions else "false",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + _READY_WITHIN_SECONDS
        while time.monotonic() < give_up_at:
            if self._answers():
                return
            if self.process.pid() is None:
                break
            time.sleep(0.2)
        raise LocalRunError(f"The engine did not come up. The end of its log:\n{self.process.last_lines()}")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.workspace.endpoint_url}/_ministack/health", timeout=5) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False


def engines_of(home: Path) -> list[Engine]:
    """All engines that were ever started from a clone, running or not."""
    folders = sorted((home / "engine").glob("[0-9]*")) if home.exists() else []
    return [Engine(Workspace(home, int(folder.name))) for folder in folders]
