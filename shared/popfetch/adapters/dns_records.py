"""SRV and MX records by dnspython: fulfils the port ``DnsRecords``.

What the DNS says is anybody's text: hosts that are no public name are left out here, and everything that does not end
in a well-formed answer (silence, refusal, garbage) is one failure, ``LookupFailed``.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from popfetch.domain.errors import HostRefused, LookupFailed
from popfetch.domain.host_names import domain_name
from popfetch.ports.settings_lookup import MailExchanger, ServiceRecord

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.name import Name
    from dns.rrset import RRset

TRY_SECONDS = 1.5
"""How long one name server may take before the next is asked, or the same again."""

LOOKUP_SECONDS = 3.5
"""How long one question may take in all."""


class DnsRecords:
    """Asks the system's resolver, or ``nameservers`` (addresses) at ``port``.

    Each question is bounded by ``lookup_seconds`` in all and by ``try_seconds`` for each server.
    """

    def __init__(
        self,
        *,
        nameservers: Sequence[str] = (),
        port: int = 53,
        try_seconds: float = TRY_SECONDS,
        lookup_seconds: float = LOOKUP_SECONDS,
    ) -> None:
        self._nameservers = list(nameservers)
        self._port = port
        self._try_seconds = try_seconds
        self._lookup_seconds = lookup_seconds

    async def services(self, service: str, domain: str) -> list[ServiceRecord]:
        """The SRV records of a service such as ``_pop3s._tcp``; none is no failure. Raises LookupFailed."""
        rows = await self._ask(f"{service}.{_checked(domain)}", "SRV")
        found = []
        for row in rows or ():
            host = _host(row.target)
            # The root as target says that the service is decidedly not offered (RFC 2782).
            if host is not None and (row.port or not host):
                found.append(ServiceRecord(host, row.port, row.priority, row.weight))
        return found

    async def mail_exchangers(self, domain: str) -> list[MailExchanger]:
        """The MX records; none is no failure. Raises LookupFailed."""
        rows = await self._ask(_checked(domain), "MX")
        named = [(_host(row.exchange), row.preference) for row in rows or ()]
        # The root as exchanger says that the domain takes no mail (RFC 7505).
        return [MailExchanger(host, preference) for host, preference in named if host]

    async def _ask(self, name: str, kind: str) -> "RRset | None":
        # Most addresses are a known provider's and need no DNS; the library takes a quarter of a second to import.
        from dns.exception import DNSException
        from dns.name import from_text
        from dns.resolver import NXDOMAIN

        try:
            # The final dot keeps the system's search domains out.
            answer = await self._resolver.resolve(
                from_text(f"{name}."), kind, lifetime=self._lookup_seconds, raise_on_no_answer=False
            )
        except NXDOMAIN:
            return None
        except (DNSException, OSError) as error:
            raise LookupFailed(f"The {kind} records of {name} cannot be had: {type(error).__name__}.") from error
        return answer.rrset

    @cached_property
    def _resolver(self) -> "Resolver":
        from dns.asyncresolver import Resolver

        resolver = Resolver(configure=not self._nameservers)
        if self._nameservers:
            resolver.nameservers = list(self._nameservers)
            resolver.port = self._port
        resolver.timeout = self._try_seconds
        return resolver


def _checked(domain: str) -> str:
    try:
        return domain_name(domain)
    except HostRefused as error:
        raise LookupFailed(f"There is no DNS to ask: {error.message}") from error


def _host(name: "Name") -> str | None:
    """A name out of a record: empty for the root, ``None`` for what is no public host."""
    try:
        return domain_name(name.to_text(omit_final_dot=True)) if len(name.labels) > 1 else ""
    except HostRefused:
        return None
