"""The requirement locks: compiled by uv, with hashes, naming no address and no path.

``requirements-dev.txt`` is solved first, because its tools are the narrowest; those of what ships take their versions
from it, so that what ships is what was tested. Each lock begins with a digest of what it was compiled
from, which tells without a network whether it is stale.
"""

import re
import subprocess
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"://|^--|(?<![\w.-])/\w| @ ")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Lock:
    """A lock, what it is compiled from, and the locks whose versions it must agree with."""

    path: str
    sources: tuple[str, ...]
    constraints: tuple[str, ...] = ()

    def digest(self, root: Path) -> str:
        """The digest of the sources, as the first line of the lock has it."""
        texts = [(root / source).read_bytes() for source in self.sources]
        return sha256(b"\0".join(texts)).hexdigest()

    def first_line(self, root: Path) -> str:
        """The line that a fresh lock begins with."""
        return f"# Compiled by `make lock` from {', '.join(self.sources)} (sha256 {self.digest(root)})."


BOOTSTRAP = Lock("requirements-bootstrap.txt", ("requirements-bootstrap.in",))
DEVELOPMENT = Lock(
    "requirements-dev.txt",
    ("requirements-dev.in", "shared/requirements.in", "functions/fetch/requirements.in", "requirements-bootstrap.in"),
    ("requirements-bootstrap.txt",),
)
LAYER = Lock("shared/requirements.txt", ("shared/requirements.in",), ("requirements-dev.txt",))
FETCH = Lock("functions/fetch/requirements.txt", ("functions/fetch/requirements.in",), ("requirements-dev.txt",))
LOCKS = (BOOTSTRAP, DEVELOPMENT, LAYER, FETCH)


def pins(text: str) -> dict[str, str]:
    """The versions that a lock pins, by package."""
    return dict(PIN.findall(text))


def complaints(lock: Lock, root: Path = ROOT) -> list[str]:
    """What is wrong with a lock; nothing for a good one."""
    path = root / lock.path
    if not path.exists():
        return [f"{lock.path} is missing; say `make lock`."]
    text = path.read_text()
    first, _, rest = text.partition("\n")
    found = []
    if first != lock.first_line(root):
        found.append(f"{lock.path} is older than {' or '.join(lock.sources)}; say `make lock`.")
    for number, line in enumerate(rest.splitlines(), 2):
        if ADDRESS.search(line):
            found.append(f"{lock.path}:{number} names an address, a path or an option: {line.strip()}")
    hashed = {block.partition("==")[0] for block in re.split(r"\n(?=\S)", rest) if "--hash=sha256:" in block}
    found.extend(f"{lock.path}: {package} has no hash." for package in pins(rest) if package not in hashed)
    for other in lock.constraints:
        theirs = pins((root / other).read_text())
        found.extend(
            f"{lock.path} has {package} {version}, {other} has {theirs[package]}; say `make lock`."
            for package, version in pins(rest).items()
            if theirs.get(package, version) != version
        )
    return found


def compile_lock(lock: Lock, *, upgrade: bool, root: Path = ROOT) -> None:
    """Compile a lock; versions stay as they are where they still fit, unless ``upgrade``."""
    command = [
        *(
            str(Path(sys.executable).with_name("uv")),
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--python-version",
            "3.13",
            "--generate-hashes",
        ),
        *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
        *(part for other in lock.constraints for part in ("--constraint", other)),
        *(["--upgrade"] if upgrade else []),
        *("--output-file", lock.path, lock.sources[0]),
    ]
    subprocess.run(command, cwd=root, check=True)
    path = root / lock.path
    pinned = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    path.write_text(f"{lock.first_line(root)}\n{pinned}\n")


def main() -> int:
    """Compile the locks, or check them; 1 when something is wrong."""
    parser = ArgumentParser(description="The requirement locks")
    parser.add_argument("action", choices=["compile", "check"])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    arguments = parser.parse_args()
    if arguments.action == "compile":
        for lock in LOCKS:
            compile_lock(lock, upgrade=arguments.upgrade)
    found = [complaint for lock in LOCKS for complaint in complaints(lock)]
    for complaint in found:
        print(complaint, file=sys.stderr)
    if not found:
        print(f"{len(LOCKS)} locks are fresh and name no address.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
