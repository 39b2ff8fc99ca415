"""Whom popfetch's connections trust: the public authorities, and those of the operator's own bundle beside them."""

import ssl

from popfetch.pop3.errors import TlsFailed


def client_context(ca_file: str | None = None) -> ssl.SSLContext:
    """A context that verifies certificates and names; ``ca_file`` is a PEM bundle trusted as well.

    Reading the public authorities takes tens of milliseconds: call this once a process, and only when TLS is used.
    Raises TlsFailed for a bundle that cannot be read.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise TlsFailed(f"The operator's CA bundle {ca_file} cannot be read; it must be a PEM file.") from error
    return context
