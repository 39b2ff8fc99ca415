"""Where the settings of mail servers are looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from popfetch.domain.mail_settings import FoundServer, MailAddress
    from popfetch.domain.provider import SignInMethod


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """An SRV record (RFC 2782); ``host`` is empty where the domain says that it does not offer the service."""

    host: str
    port: int
    priority: int
    weight: int


@dataclass(frozen=True, slots=True)
class MailExchanger:
    """An MX record (RFC 5321, section 5.1)."""

    host: str
    preference: int


class DnsRecords(Protocol):
    """What a domain's DNS says. Hosts come in lower case and ASCII; those that are no public name are left out."""

    async def services(self, service: str, domain: str) -> list[ServiceRecord]:
        """The SRV records of a service such as ``_pop3s._tcp``; none is no failure. Raises LookupFailed."""

    async def mail_exchangers(self, domain: str) -> list[MailExchanger]:
        """The MX records; none is no failure. Raises LookupFailed."""


@dataclass(frozen=True, slots=True)
class Autoconfig:
    """What a domain's autoconfig file offers; ``incoming`` is ``None`` where it names servers, but none for POP."""

    incoming: FoundServer | None
    outgoing: FoundServer | None
    sign_in_methods: tuple[SignInMethod, ...]


class AutoconfigFiles(Protocol):
    """The autoconfig files that domains publish for mail programs."""

    async def read(self, address: MailAddress) -> Autoconfig:
        """What the file of the address's domain says for it. Raises LookupFailed, also where there is no file."""
