"""Names of hosts as users write them, and as the DNS, certificates and envelopes have them: in ASCII."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from popfetch.domain.errors import HostRefused

LONGEST_NAME = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


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
        literal = literal_address(host)
        if literal is None or "%" in host:
            raise HostRefused("The host holds a colon but is no IPv6 address; the port has a field of its own.")
        return str(literal)
    name = plain_name(host if host.isascii() else _international(host))
    if literal_address(name):
        return name
    labels = name.split(".")
    if len(name) > LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise HostRefused("The host is not a valid name; enter a name such as pop.example.com.")
    if _NUMBER.fullmatch(labels[-1]):
        raise HostRefused("The host is a number in an unusual form; enter a name, or an address such as 192.0.2.1.")
    return name


def plain_name(host: str) -> str:
    """A name in ASCII as it is compared: lower case, no final dot."""
    return host.lower().removesuffix(".")


def domain_name(host: str) -> str:
    """A host as ``ascii_name`` has it that is a name below some domain: no address and no single label.

    Raises HostRefused. For names that were found rather than entered: nobody publishes addresses and short names for
    others to use.
    """
    name = ascii_name(host)
    if literal_address(name) or "." not in name:
        raise HostRefused("The host is no name below a domain; a name such as pop.example.com is one.")
    return name


def _international(host: str) -> str:
    """The ASCII form of an international name (RFC 5891, mapped as browsers do by UTS 46)."""
    import idna  # names that need it are rare, and its tables are large

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise HostRefused("The host is not a valid name; enter a name such as pop.example.com.") from error


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is, if it is one."""
    try:
        return ip_address(host)
    except ValueError:
        return None
