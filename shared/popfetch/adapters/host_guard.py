"""Which hosts popfetch connects to: names come from users, so they are hostile until shown otherwise.

A name is resolved once, every address it has is checked, and the connection is made to an address that was checked:
a second look-up could answer differently. One address that is not public refuses the whole name, because a name
that mixes them is an attack, or is about to become one.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from popfetch.domain.errors import HostRefused
from popfetch.domain.host_names import ascii_name, literal_address
from popfetch.pop3.errors import ConnectionFailed
from popfetch.pop3.limits import DEFAULT_LIMITS

POP3_PORTS = frozenset({110, 995})

SUBMISSION_PORTS = frozenset({465, 587})
"""Where mail is handed in by people who sign in (RFC 8314, RFC 6409).

Port 25 is for mail between servers and closed to Lambda by default; 2525 belongs to nobody, and those who offer it do
so beside 587.
"""

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
        literal = literal_address(name)
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
