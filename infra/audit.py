"""Whether a package that is used has a vulnerability that is known: ``make audit``, and a part of ``make check``.

It asks PyPI's and npm's advisory services, which a mirror of packages does not have. So a package that is known to be
vulnerable goes first: where it is not found to be, nobody has looked. That fails ``make audit``; ``make check``, which
is to work without the internet, says so and goes on.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from infra.locks import LOCKS
from infra.web import NODE, NPM

ROOT = Path(__file__).resolve().parent.parent
VULNERABLE = "jinja2==2.10.0"
"""CVE-2019-10906, known to every service since 2019."""

UNASKED_IS_NO_FAULT = "--where-asked"

NODE_PROJECTS = ("infra/console", "tests/real/oidc")


def looks(folder: Path) -> bool:
    """Whether the service that is asked knows of vulnerabilities at all."""
    canary = folder / "canary.txt"
    canary.write_text(f"{VULNERABLE}\n")
    asked = _pip_audit("-r", str(canary), "--no-deps", "--disable-pip")
    return asked.returncode == 1 and "jinja2" in asked.stdout


def main(arguments: Sequence[str] = ()) -> int:
    """Audit all locks; 1 where something is known, 2 where nobody could be asked and that is a fault."""
    with tempfile.TemporaryDirectory() as folder:
        if not looks(Path(folder)):
            print(
                f"Nothing was audited: the package index that is reached from here does not say that {VULNERABLE} is "
                "vulnerable, as PyPI itself does. Run this where PyPI is reached.",
                file=sys.stderr,
            )
            return 0 if UNASKED_IS_NO_FAULT in arguments else 2
    failed = False
    for lock in LOCKS:
        audited = _pip_audit("-r", str(ROOT / lock.path), "--require-hashes", "--disable-pip", "--strict")
        print(f"{lock.path}: {audited.stdout or audited.stderr}".strip())
        failed = failed or audited.returncode != 0
    for project in NODE_PROJECTS:
        print(f"{project}:")
        audited_by_npm = subprocess.run([str(NODE / "node"), str(NPM), "audit"], cwd=ROOT / project, check=False)
        failed = failed or audited_by_npm.returncode != 0
    return 1 if failed else 0


def _pip_audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
