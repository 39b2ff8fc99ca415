"""What the connections of all mail protocols have in common: reaching a checked host, and TLS that can be trusted.

Errors come out as sockets and OpenSSL raise them; here are the words for those of TLS, the protocols' adapters decide
which of their own errors they become.
"""

import asyncio
import socket
import ssl

from popfetch.adapters.host_guard import CheckedHost

CERTIFICATE_PROBLEMS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "was issued by an authority that is not trusted",
    20: "was issued by an authority that is not trusted",
    21: "was issued by an authority that is not trusted",
    62: "is for another name",
    64: "is for another address",
}
"""OpenSSL's verification codes (X509_V_ERR) in words."""

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL"})
_OLD_TLS = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"})


class UnreadableBundle(Exception):
    """The operator's CA bundle cannot be read; the message says which and what it must be."""


def place_name(host: str, port: int) -> str:
    """How a server is called in sentences for a person."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def reach(host: CheckedHost, *, seconds: float, deadline: float) -> socket.socket:
    """A connection to the first address that answers; each has ``seconds``, and all of them until ``deadline``.

    A name may have many addresses, all of them silent: what they may take together is the caller's to bound.

    Raises the OSError, of which TimeoutError is one, of the last address that was tried.
    """
    loop = asyncio.get_running_loop()
    failure: OSError | None = None
    for address in host.addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.setblocking(False)
            async with asyncio.timeout_at(min(loop.time() + seconds, deadline)):
                await loop.sock_connect(connection, (address, host.port))
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure or OSError("the host has no address")


def client_context(ca_file: str | None) -> ssl.SSLContext:
    """A context that verifies certificates and names, takes no TLS before 1.2, and trusts ``ca_file`` as well.

    ``ca_file`` is a PEM bundle, trusted in addition to the public authorities. Reading those takes tens of
    milliseconds, so callers keep the context. Raises UnreadableBundle.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise UnreadableBundle(
                f"The operator's CA bundle {ca_file} cannot be read; it must be a PEM file."
            ) from error
    return context


def speaks_no_tls(error: ssl.SSLError) -> bool:
    """Whether the other side answered the handshake with something that is not TLS."""
    return error.reason in _NOT_TLS


def refused_by_us(error: ssl.SSLError) -> bool:
    """Whether the other side does speak TLS, and it is its certificate or its version that is not accepted."""
    return isinstance(error, ssl.SSLCertVerificationError) or error.reason in _OLD_TLS


def tls_sentence(error: ssl.SSLError, place: object) -> str:
    """What is wrong with the TLS of ``place``, in a sentence for a person; see ``speaks_no_tls`` first."""
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = CERTIFICATE_PROBLEMS.get(error.verify_code, f"is not trusted ({error.verify_message})")
        return (
            f"The certificate of {place} {problem}. Check the host name; a server of your own needs its authority in"
            " the operator's CA bundle."
        )
    if error.reason in _OLD_TLS:
        return f"{place} offers no TLS version that is safe; 1.2 is the oldest that is accepted."
    return f"The TLS handshake with {place} failed ({error.reason or 'no reason given'})."
