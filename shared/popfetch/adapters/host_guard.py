"""Which hosts popfetch connects to: names come from users, so they are hostile until shown otherwise.

A name is resolved once, every address it has is checked, and the connection is made to an address that was checked:
a second look-up could answer differently. One address that is not public refuses the whole name, because a name
that mixes them is an attack, or is about to become one.
"""

import asyncio
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from popfetch.domain.errors import HostRefused
from popfetch.pop3.errors import ConnectionFailed
from popfetch.pop3.limits import DEFAULT_LIMITS

POP3_PORTS = frozenset({110, 995})

SUBMISSION_PORTS = frozenset({465, 587})
"""Where mail is handed in by people who sign in (RFC 8314, RFC 6409).

Port 25 is for mail between servers and closed to Lambda by default; 2525 belongs to nobody, and those who offer it do
so beside 587.
"""

LONGEST_NAME = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Addresses that carry an IPv4 address: where the carried one begins, in bits from the right.
_CARRIERS = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
# Networks with no public machine in them: local NAT64 (RFC 8215), Teredo, discard, site-local, documentation.
_CLOSED = tuple(map(IPv6Network, ("64:ff9b:1::/48", "2001::/32", "100::/64", "fec0::/10", "3fff::/20", "5f00::/16")))
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class CheckedHost:
    """A host that may be connected to: its name in ASCII, for TLS, and its addresses, IPv4 first."""

    name: str
    port: int
    addresses: tuple[str, ...]


class HostGuard:
    """Resolves and checks hosts. ``allow_private`` opens all ports and all addresses that machines can have."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        ports: Collection[int] = POP3_PORTS,
        resolve_seconds: float = DEFAULT_LIMITS.resolve_seconds,
    ) -> None:
        self._allow_private = allow_private
        self._ports = frozenset(ports)
        self._resolve_seconds = resolve_seconds

    async def check(self, host: str, port: int) -> CheckedHost:
        """The name and addresses of a host that may be connected to.

        Raises HostRefused, and ConnectionFailed when the name does not resolve.
        """
        name = ascii_name(host)
        self._check_port(port)
        literal = _literal(name)
        addresses = [literal] if literal else await self._resolve(name, port)
        for address in addresses:
            self._check_address(name, address)
        ordered = sorted(dict.fromkeys(addresses), key=lambda address: address.version)
        return CheckedHost(name, port, tuple(map(str, ordered)))

    def _check_port(self, port: int) -> None:
        if not 0 < port < 65536:
            raise HostRefused(f"{port} is not a port; it must lie between 1 and 65535.")
        if not self._allow_private and port not in self._ports:
            known = " or ".join(map(str, sorted(self._ports)))
            raise HostRefused(
                f"Port {port} is not a mail port; use {known}. Other ports need the stack parameter AllowPrivateHosts."
            )

    def _check_address(self, name: str, address: IPv4Address | IPv6Address) -> None:
        # The address itself is not told: what names mean inside the operator's network is nobody's business.
        if address.is_unspecified or address.is_multicast:
            raise HostRefused(f"{name} does not lead to a machine's address.")
        if not self._allow_private and not is_public(address):
            raise HostRefused(
                f"{name} does not lead to a public address. Private networks need the stack parameter"
                " AllowPrivateHosts."
            )

    async def _resolve(self, name: str, port: int) -> list[IPv4Address | IPv6Address]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._resolve_seconds):
                found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise ConnectionFailed(
                f"Looking up {name} took more than {self._resolve_seconds:g} seconds; it is tried again."
            ) from error
        except (OSError, UnicodeError) as error:
            raise ConnectionFailed(f"There is no address for {name}; check the spelling of the host.") from error
        addresses = [ip_address(str(entry[4][0])) for entry in found]
        if not addresses:
            raise ConnectionFailed(f"There is no address for {name}; check the spelling of the host.")
        return addresses


def ascii_name(host: str) -> str:
    """A host as it is looked up and compared with certificates: lower case, ASCII, no brackets, no final dot.

    Raises HostRefused for what is no host name, and for numbers in disguise (``0x7f.1``, ``2130706433``): what they
    mean depends on who reads them.
    """
    if not host or len(host) > 4 * LONGEST_NAME:
        raise HostRefused("The host is empty or far too long; enter a name such as pop.example.com.")
    if any(char.isspace() or not char.isprintable() for char in host):
        raise HostRefused("The host holds blanks or control characters; enter a name such as pop.example.com.")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if ":" not in host:
            raise HostRefused("Brackets belong around IPv6 addresses only; enter the host without them.")
    if ":" in host:
        literal = _literal(host)
        if literal is None or "%" in host:
            raise HostRefused("The host holds a colon but is no IPv6 address; the port has a field of its own.")
        return str(literal)
    name = (host if host.isascii() else _international(host)).lower().removesuffix(".")
    if _literal(name):
        return name
    labels = name.split(".")
    if len(name) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise HostRefused("The host is not a valid name; enter a name such as pop.example.com.")
    if _NUMBER.fullmatch(labels[-1]):
        raise HostRefused("The host is a number in an unusual form; enter a name, or an address such as 192.0.2.1.")
    return name


def domain_name(host: str) -> str:
    """A host as ``ascii_name`` has it that is a name below some domain: no address and no single label.

    Raises HostRefused. For names that were found rather than entered: nobody publishes addresses and short names for
    others to use.
    """
    name = ascii_name(host)
    if _literal(name) or "." not in name:
        raise HostRefused("The host is no name below a domain; a name such as pop.example.com is one.")
    return name


def _international(host: str) -> str:
    """The ASCII form of an international name (RFC 5891, mapped as browsers do by UTS 46)."""
    import idna  # names that need it are rare, and its tables are large

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise HostRefused("The host is not a valid name; enter a name such as pop.example.com.") from error


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address, and any IPv4 address hidden inside it, belongs to the public Internet."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in _CLOSED):
            return False
        for network, shift in _CARRIERS:
            if address in network:
                return is_public(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
        if int(address) >> 32 & 0xFFFFFFFF in _ISATAP:
            return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
