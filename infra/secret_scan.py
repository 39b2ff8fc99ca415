"""Whether a secret was written into what is kept: ``python -m infra.secret_scan``.

detect-secrets looks at every file that git knows, for what is a secret by its form: private keys, AWS keys, tokens of
providers, passwords in addresses. Nothing is asked of any network. Its guesses by entropy and by words such as
"password" are left out: the tests are full of passwords that open nothing. So is what is compiled or measured.
A line that only looks like a secret says ``pragma: allowlist secret`` with the reason.
"""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
MADE = re.compile(
    r"^functions/console/site/|^tests/bench/results/|\.(png|svg|ico|woff2?)$"
    r"|(^|/)(package-lock\.json|requirements[\w-]*\.txt|openapi\.json)$"
)
"""What a tool has written, whose sources are looked at, and pictures."""

DETECTORS = (
    *("ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector"),
    *(
        "DiscordBotTokenDetector",
        "GitHubTokenDetector",
        "GitLabTokenDetector",
        "IbmCloudIamDetector",
        "JwtTokenDetector",
    ),
    *("MailchimpDetector", "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector"),
    *("SendGridDetector", "SlackDetector", "SquareOAuthDetector", "StripeDetector", "TwilioKeyDetector"),
)
_SETTINGS = {
    "plugins_used": [{"name": name} for name in DETECTORS],
    "filters_used": [{"path": "detect_secrets.filters.allowlist.is_line_allowlisted"}],
}


def known_files(root: Path = ROOT) -> list[Path]:
    """The files that git knows, but for those that a tool has written."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True).stdout
    return [root / name for name in listed.split("\0") if name and not MADE.search(name) and (root / name).is_file()]


def secrets_in(files: Sequence[Path]) -> Iterator[str]:
    """Where there is a secret, and of which kind; never the secret itself."""
    with transient_settings(_SETTINGS):
        for file in files:
            for found in scan_file(str(file)):
                yield f"{file}:{found.line_number}: {found.type}"


def main() -> int:
    """Scan; 1 with the places where there are secrets."""
    files = known_files()
    found = list(secrets_in(files))
    if found:
        print("\n".join(found), file=sys.stderr)
        print("Take these out, and have them changed wherever they open something.", file=sys.stderr)
        return 1
    print(f"No secret is in the {len(files)} files that were looked at.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
