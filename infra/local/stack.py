"""The deployed stack: built and deployed by ``sam`` only when something that ships has changed."""

import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from botocore.exceptions import ClientError

from infra.local.clients import Clients
from infra.local.engine import credentials, path_with_our_tools
from infra.local.errors import LocalRunError
from infra.local.workspace import REGION, ROOT, STACK_NAME, Workspace
from popfetch.api.public_url import STAGE_VARIABLE

SHIPPED = ("template.yaml", "functions", "shared")
_READY = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def architecture() -> str:
    """This machine's, as Lambda calls it: the engine runs functions with the interpreter it has."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def digest_of_sources(root: Path = ROOT) -> str:
    """A digest of everything that ships; the same sources have the same digest whatever their times are."""
    digest = sha256()
    for name in SHIPPED:
        top = root / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(root)}\0".encode())
                digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest()


class Stack:
    """The stack on a workspace's engine."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._clients = Clients(workspace)

    def deploy(self, parameters: Mapping[str, str]) -> bool:
        """Bring the stack to the sources and ``parameters``; ``False`` when it was there already.

        Raises LocalRunError with the end of what ``sam`` said.
        """
        sources = digest_of_sources()
        wanted = {"sources": sources, "parameters": dict(parameters)}
        stamp = self.workspace.engine / "deployed.json"
        status = self._status()
        if status in _READY and stamp.exists() and json.loads(stamp.read_text()) == wanted:
            return False
        self._build(sources)
        if status is not None and status not in _READY:
            self._delete()
        stamp.unlink(missing_ok=True)
        self._sam(
            *("deploy", "--template-file", str(self.workspace.build / "template.yaml")),
            *("--stack-name", STACK_NAME, "--capabilities", "CAPABILITY_IAM", "--resolve-s3"),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())),
        )
        if (status := self._status()) not in _READY:
            raise LocalRunError(f"The stack is {status}; what happened is in {self._log}.")
        stamp.write_text(json.dumps(wanted))
        return True

    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name, and those that only a local run has; ``ApiUrl`` answers from this machine."""
        stack = self._clients.cloudformation().describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return {
            **outputs,
            "ApiUrl": local_api_url(outputs["ApiUrl"], self.workspace.endpoint_url),
            "ConsoleUrl": local_api_url(outputs["ConsoleUrl"], self.workspace.endpoint_url),
            "EndpointUrl": self.workspace.endpoint_url,
            "Region": REGION,
        }

    def lead_links_here(self) -> None:
        """Tell the API where it is reached from this machine, which the engine does not; again does no harm."""
        url = self.outputs()["ApiUrl"]
        *_, api_id, stage = url.split("/")
        self._clients.apigateway().update_stage(
            restApiId=api_id,
            stageName=stage,
            patchOperations=[{"op": "replace", "path": f"/variables/{STAGE_VARIABLE}", "value": url}],
        )

    @property
    def _log(self) -> Path:
        return self.workspace.engine / "sam.log"

    def _status(self) -> str | None:
        try:
            stacks = self._clients.cloudformation().describe_stacks(StackName=STACK_NAME)["Stacks"]
        except ClientError:
            return None
        return stacks[0]["StackStatus"] if stacks else None

    def _delete(self) -> None:
        cloudformation = self._clients.cloudformation()
        cloudformation.delete_stack(StackName=STACK_NAME)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=STACK_NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )

    def _build(self, sources: str) -> None:
        stamp = self.workspace.build / "popfetch-sources"
        wanted = f"{sources} {architecture()}"
        with _only_one(self.workspace.home / "build.lock"):
            if stamp.exists() and stamp.read_text() == wanted:
                return
            stamp.unlink(missing_ok=True)
            self._sam(
                *("build", "--template-file", str(ROOT / "template.yaml"), "--cached"),
                *("--build-dir", str(self.workspace.build), "--cache-dir", str(self.workspace.home / "build-cache")),
                *("--parameter-overrides", f"Architecture={architecture()}"),
            )
            compile_modules(self.workspace.build)
            stamp.write_text(wanted)

    def _sam(self, *arguments: str) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))},
            **credentials(),
            "PATH": path_with_our_tools(),
            "AWS_ENDPOINT_URL": self.workspace.endpoint_url,
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(self.workspace.home / "sam"),
        }
        with self._log.open("ab") as log:
            log.write(f"\n$ sam {' '.join(arguments)}\n".encode())
            log.flush()
            code = subprocess.run(
                [Path(sys.executable).with_name("sam"), *arguments],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        if code:
            end = "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])
            raise LocalRunError(f"`sam {arguments[0]}` failed. The end of {self._log}:\n{end}")


def local_api_url(deployed: str, endpoint_url: str) -> str:
    """The address at which the engine answers for an API: its path form instead of the host name it has on AWS."""
    host, _, stage = deployed.removeprefix("https://").partition("/")
    return f"{endpoint_url}/_aws/execute-api/{host.partition('.')[0]}/{stage}"


def compile_modules(folder: Path) -> None:
    """Put the bytecode of all modules beside them: the engine's functions start in half the time.

    Each start unpacks a function into a folder of its own, and would compile there whatever it imports. The times of
    files are lost on the way, so that bytecode counts without them. A module that cannot be compiled stays as it is.
    """
    command = [sys.executable, "-m", "compileall", "-qq", "-j0", "--invalidation-mode=unchecked-hash", str(folder)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
