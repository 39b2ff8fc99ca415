"""The demo mailbox's own certificate authority, and the bundle that the local stack trusts beside the public ones."""

from pathlib import Path

import trustme

from infra.local.errors import LocalRunError
from infra.local.workspace import Workspace

_HOSTS = ("localhost", "127.0.0.1", "::1")


def authority_file(workspace: Workspace) -> Path:
    """The demo authority's certificate, made at the first call with a server certificate beside it."""
    folder = workspace.demo / "certificates"
    authority_path = folder / "authority.pem"
    if not authority_path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        authority = trustme.CA()
        authority.issue_cert(*_HOSTS).private_key_and_cert_chain_pem.write_to_path(server_file(workspace))
        authority.cert_pem.write_to_path(authority_path)
    return authority_path


def server_file(workspace: Workspace) -> Path:
    """The demo server's key and certificate."""
    return workspace.demo / "certificates" / "server.pem"


def write_bundle(workspace: Workspace, extra: str) -> Path:
    """Write the PEM bundle that the local functions trust: the demo authority, and ``extra`` where it is named.

    Raises LocalRunError when ``extra`` is no PEM file.
    """
    parts = [authority_file(workspace).read_text()]
    if extra:
        try:
            text = Path(extra).expanduser().read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise LocalRunError(f"POPFETCH_CA_FILE names {extra}, which cannot be read: {error}") from error
        if "-----BEGIN CERTIFICATE-----" not in text:
            raise LocalRunError(f"POPFETCH_CA_FILE names {extra}, which holds no PEM certificate.")
        parts.append(text)
    bundle = workspace.engine / "trusted.pem"
    bundle.write_text("\n".join(parts))
    return bundle
