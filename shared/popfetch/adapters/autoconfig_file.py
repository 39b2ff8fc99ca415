"""Reads autoconfig files: those that domains publish for mail programs, which are hostile until shown otherwise, and
the operator's own.

The format is Thunderbird's ``config-v1.1``: each ``incomingServer`` and ``outgoingServer`` has a type, a host, a port,
a ``socketType`` and a user name with placeholders for the parts of the address.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from popfetch.domain.account import Security
from popfetch.domain.errors import HostRefused, LookupFailed
from popfetch.domain.host_names import ascii_name, domain_name, plain_name
from popfetch.domain.mail_settings import FoundServer, MailAddress
from popfetch.domain.provider import SignInMethod
from popfetch.ports.settings_lookup import Autoconfig

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST_USERNAME = 255
_PLACEHOLDER = re.compile(r"%([A-Z]+)%")

_SECURITY = {"ssl": Security.TLS, "starttls": Security.STARTTLS, "plain": Security.NONE}
_BEST_FIRST = (Security.TLS, Security.STARTTLS, Security.NONE)


type _HostOf = Callable[[str], str]
"""Checks a host and gives it as the DNS has it. Raises HostRefused."""


def read_autoconfig(content: bytes, address: MailAddress) -> Autoconfig:
    """What a file offers to ``address``. Raises LookupFailed for what is no such file, or names no usable server."""
    return _offer(_providers(content), address, domain_name)


def read_own_autoconfig(content: bytes, address: MailAddress) -> Autoconfig:
    """What the operator's file offers to ``address``, whose domain it has to name; any host may be in it.

    It may have several ``emailProvider``. Raises LookupFailed.
    """
    own = [provider for provider in _providers(content) if plain_name(address.domain) in _domains(provider)]
    if not own:
        raise LookupFailed(f"The operator's autoconfig file has nothing for {address.domain}.")
    return _offer(own, address, ascii_name)


def _providers(content: bytes) -> "list[Element]":
    root = _parsed(content)
    if root.tag != "clientConfig":
        raise LookupFailed("The autoconfig file is XML of another kind.")
    return root.findall("emailProvider")


def _domains(provider: "Element") -> set[str]:
    return {plain_name((domain.text or "").strip()) for domain in provider.iterfind("domain")}


def _offer(providers: "list[Element]", address: MailAddress, host_of: _HostOf) -> Autoconfig:
    incoming = [server for provider in providers for server in provider.iterfind("incomingServer") if _kind(server)]
    outgoing = [server for provider in providers for server in provider.iterfind("outgoingServer")]
    pop3 = [server for server in incoming if _kind(server) == "pop3"]
    best = _best(pop3, address, host_of)
    if best is None and (pop3 or not incoming):
        raise LookupFailed("The autoconfig file names no incoming server that can be used.")
    sending = _best([server for server in outgoing if _kind(server) == "smtp"], address, host_of)
    return Autoconfig(
        incoming=best[0] if best else None,
        outgoing=sending[0] if sending else None,
        sign_in_methods=_sign_in_methods(best[1] if best else None),
    )


def _parsed(content: bytes) -> "Element":
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        # No file needs a DTD, and without one there are no entities to expand or to fetch.
        root: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, ValueError, LookupError) as error:  # what defusedxml forbids is a ValueError as well
        raise LookupFailed(f"The autoconfig file is no harmless XML: {type(error).__name__}.") from error
    return root


def _best(servers: "list[Element]", address: MailAddress, host_of: _HostOf) -> "tuple[FoundServer, Element] | None":
    """The first usable server among those with the best protection."""
    usable = [(found, server) for server in servers if (found := _server(server, address, host_of))]
    return min(usable, key=lambda pair: _BEST_FIRST.index(pair[0].security), default=None)


def _server(server: "Element", address: MailAddress, host_of: _HostOf) -> FoundServer | None:
    security = _SECURITY.get(_text(server, "socketType").lower())
    port = _text(server, "port")
    if security is None or not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536):
        return None
    try:
        host = host_of(_filled_in(_text(server, "hostname"), address, address.domain))
    except HostRefused:
        return None
    return FoundServer(host, int(port), security, _username(server, address))


def _username(server: "Element", address: MailAddress) -> str:
    """The user name for ``address``; the whole address where the file has none that could be used."""
    name = _filled_in(_text(server, "username"), address, address.text.rpartition("@")[2])
    unprintable = any(unicodedata.category(character).startswith("C") for character in name)
    return address.text if not name or unprintable or len(name) > LONGEST_USERNAME else name


def _filled_in(template: str, address: MailAddress, domain: str) -> str:
    """A text with its placeholders replaced; nothing where it asks for more than the address tells."""
    values = {"EMAILADDRESS": address.text, "EMAILLOCALPART": address.local_part, "EMAILDOMAIN": domain}
    if not values.keys() >= set(_PLACEHOLDER.findall(template)):
        return ""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)


def _sign_in_methods(server: "Element | None") -> tuple[SignInMethod, ...]:
    """What a server accepts; OAuth 2 alone only where the file leaves nothing else."""
    offered = (
        {(way.text or "").strip().lower() for way in server.iterfind("authentication")} if server is not None else ()
    )
    return (SignInMethod.OAUTH2,) if offered == {"oauth2"} else (SignInMethod.PASSWORD,)


def _kind(server: "Element") -> str:
    return server.get("type", "").strip().lower()


def _text(server: "Element", name: str) -> str:
    return (server.findtext(name) or "").strip()
