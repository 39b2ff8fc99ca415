"""The autoconfig file of the local stack's operator, by which mailboxes on this machine are found by their address.

The functions read it at each look-up, so that it may be written at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from infra.local.workspace import Workspace


@dataclass(frozen=True)
class OwnServer:
    """A server of a kind, ``pop3`` or ``smtp``, and how it is protected: ``SSL``, ``STARTTLS`` or ``plain``."""

    kind: str
    host: str
    port: int
    security: str = "SSL"
    username: str = "%EMAILADDRESS%"

    def to_xml(self) -> str:
        """The server as an element of the file."""
        element = "outgoingServer" if self.kind == "smtp" else "incomingServer"
        return (
            f'<{element} type="{self.kind}"><hostname>{escape(self.host)}</hostname><port>{self.port}</port>'
            f"<socketType>{self.security}</socketType><username>{escape(self.username)}</username>"
            f"<authentication>password-cleartext</authentication></{element}>"
        )


def autoconfig_file(workspace: Workspace) -> Path:
    """Where the file is."""
    return workspace.engine / "autoconfig.xml"


def announce(workspace: Workspace, servers: Sequence[OwnServer], domain: str) -> None:
    """Have the addresses of ``domain`` found at these servers, and no other domain."""
    path = autoconfig_file(workspace)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version="1.1"><emailProvider id="{escape(domain)}">'
        f"<domain>{escape(domain)}</domain>{''.join(server.to_xml() for server in servers)}"
        "</emailProvider></clientConfig>\n"
    )
    unfinished.replace(path)
