"""``HtmlSanitiser``: what is surely cheap is made harmless here, all else in a process of its own.

That process has a bound of time and of memory, so that a document made to exhaust a parser of HTML exhausts nothing but
that process, and the rest of its message is shown all the same.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from popfetch.adapters.sanitised_html import sanitised, surely_cheap, text_of
from popfetch.domain.errors import HtmlUnreadable
from popfetch.ports.stored_mail import CleanHtml

SECONDS = 4
MEMORY = 512 * 1024 * 1024
_PASSED_ON = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH")


@dataclass(frozen=True, slots=True)
class HtmlSanitiser:
    """Makes documents harmless, whatever they are."""

    seconds: float = SECONDS
    memory: int = MEMORY

    def clean(self, document: str, images: Mapping[str, str], *, remote_images: bool) -> CleanHtml:
        """The document made harmless. Raises HtmlUnreadable for one that exhausts its bounds."""
        if surely_cheap(document):
            return sanitised(document, images, remote_images=remote_images)
        asked = json.dumps({"document": document, "images": dict(images), "remote_images": remote_images})
        try:
            done = subprocess.run(  # noqa: S603 # nothing of the message is in the command
                [sys.executable, "-m", __name__, str(self.memory)],
                input=asked.encode(),
                capture_output=True,
                timeout=self.seconds,
                check=True,
                env=_environment(),
            )
            answer = json.loads(done.stdout)
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            raise HtmlUnreadable(type(error).__name__) from error
        return CleanHtml(answer["html"], answer["remote_images"], tuple(answer["shown"]))

    def text(self, document: str) -> str:
        """The text of a document that cannot be read as HTML."""
        return text_of(document)


def _environment() -> dict[str, str]:
    """What an interpreter needs, and nothing that opens anything."""
    needed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**needed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}


def main() -> None:
    """Make the document that comes in harmless, within so many octets of memory."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = json.load(sys.stdin)
    clean = sanitised(asked["document"], asked["images"], remote_images=asked["remote_images"])
    json.dump(asdict(clean), sys.stdout)


if __name__ == "__main__":
    main()
