"""Finding the settings of an address, so that its owner need not know any host.

The first of these that answers is taken::

    operator     the operator's own file has the domain; nobody is asked
    preset       the address's domain is a known provider's; nobody is asked
    srv          the domain names its servers itself (RFC 6186, RFC 8314)
    mx           the domain's mail goes to a known provider
    autoconfig   the domain publishes a file for mail programs

All but the first two are asked side by side, each within a limit of its own: one that fails or hangs costs the others
nothing. What is found is a proposal and trusted by nobody: when the account is added, its hosts are checked as any.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from popfetch.domain.account import Security
from popfetch.domain.errors import LookupFailed
from popfetch.domain.mail_settings import (
    NOTHING_FOUND,
    FoundServer,
    FoundSettings,
    MailAddress,
    Source,
    settings_for_sending,
    settings_of_provider,
    settings_of_servers,
    settings_without_pop,
)
from popfetch.domain.provider import MailServer
from popfetch.domain.providers import provider_of_domain, provider_of_host, provider_of_mx
from popfetch.ports.invocation import Journal
from popfetch.ports.settings_lookup import AutoconfigFiles, DnsRecords, MailExchanger, ServiceRecord


@dataclass(frozen=True, slots=True)
class LookupLimits:
    """How long each question may take, in seconds; all are asked at once, so that the longest bounds the whole."""

    dns_seconds: float = 4.0
    autoconfig_seconds: float = 6.5


@dataclass(frozen=True, slots=True)
class SettingsLookup:
    """Finds the settings of addresses."""

    dns: DnsRecords
    autoconfig: AutoconfigFiles
    journal: Journal
    limits: LookupLimits = LookupLimits()
    own: AutoconfigFiles | None = None

    async def find(self, address: MailAddress) -> FoundSettings:
        """The settings of an address; that nothing was found is an answer too, and no failure."""
        if self.own and (own := await self._from_file(Source.OPERATOR, self.own, address)):
            return own.settings
        provider = provider_of_domain(address.domain)
        if provider:
            return settings_of_provider(provider, address, Source.PRESET)
        steps = {
            Source.SRV: asyncio.create_task(self._by_srv(address)),
            Source.MX: asyncio.create_task(self._by_mx(address)),
            Source.AUTOCONFIG: asyncio.create_task(self._from_file(Source.AUTOCONFIG, self.autoconfig, address)),
        }
        try:
            return await self._first_answer(steps)
        finally:
            for step in steps.values():
                step.cancel()
            await asyncio.gather(*steps.values(), return_exceptions=True)

    async def _first_answer(self, steps: Mapping[Source, "asyncio.Task[_Answer | None]"]) -> FoundSettings:
        """The first answer that is final, else the first there is, in the order of ``steps``."""
        second_best = NOTHING_FOUND
        for source, step in steps.items():
            answer = await self._within(None, source, step, None)
            if answer and answer.final:
                return answer.settings
            if answer and second_best is NOTHING_FOUND:
                second_best = answer.settings
        return second_best

    async def _by_srv(self, address: MailAddress) -> "_Answer | None":
        pop3s, pop3, submissions, submission = await asyncio.gather(
            *(
                self._within(self.limits.dns_seconds, service, self.dns.services(f"{service}._tcp", address.domain), ())
                for service in ("_pop3s", "_pop3", "_submissions", "_submission")
            )
        )
        # TLS from the start comes first, as RFC 8314 (section 3) has it. Whatever the plain ports are announced for,
        # nothing is proposed on them but STARTTLS.
        incoming = _chosen(pop3s, Security.TLS) or _chosen(pop3, Security.STARTTLS)
        outgoing = _chosen(submissions, Security.TLS) or _chosen(submission, Security.STARTTLS)
        provider = provider_of_host(incoming.host, own_domain=True) if incoming else None
        # Where nobody says what the user name is, the whole address is tried first (RFC 6186, section 4).
        username = provider.username_of(address.text) if provider else address.text
        sending = FoundServer.of(outgoing, username) if outgoing else None
        if incoming:
            found = FoundServer.of(incoming, username)
            return _Answer(settings_of_servers(Source.SRV, address, found, sending))
        if _denied(pop3s) and _denied(pop3):
            return _Answer(settings_without_pop(Source.SRV, address, sending))
        if sending:
            return _Answer(settings_for_sending(Source.SRV, address, sending), final=False)
        return None

    async def _by_mx(self, address: MailAddress) -> "_Answer | None":
        nothing: Sequence[MailExchanger] = ()
        asked = self.dns.mail_exchangers(address.domain)
        exchangers = await self._within(self.limits.dns_seconds, Source.MX, asked, nothing)
        # Only the most preferred hosts tell where the mail goes; others may just keep it for a while.
        best = min((exchanger.preference for exchanger in exchangers), default=None)
        hosts = sorted(exchanger.host for exchanger in exchangers if exchanger.preference == best)
        provider = next((provider for host in hosts if (provider := provider_of_mx(host))), None)
        return _Answer(settings_of_provider(provider, address, Source.MX)) if provider else None

    async def _from_file(self, source: Source, files: AutoconfigFiles, address: MailAddress) -> "_Answer | None":
        file = await self._within(self.limits.autoconfig_seconds, source, files.read(address), None)
        if file is None:
            return None
        if file.incoming is None:
            return _Answer(settings_without_pop(source, address, file.outgoing))
        return _Answer(settings_of_servers(source, address, file.incoming, file.outgoing, file.sign_in_methods))

    async def _within[T, U](self, seconds: float | None, what: str, asked: Awaitable[T], otherwise: U) -> T | U:
        """What ``asked`` answers within so many seconds; ``otherwise`` where it fails, which is noted."""
        try:
            async with asyncio.timeout(seconds):
                return await asked
        except LookupFailed as error:
            self.journal.info("a look-up led nowhere", asked=what, reason=error.message)
        except TimeoutError:
            self.journal.info("a look-up led nowhere", asked=what, reason=f"No answer in {seconds} seconds.")
        except Exception:  # noqa: BLE001 - the edge of a step: whatever it is, the other steps go on
            self.journal.error("a look-up failed in a way nobody foresaw", asked=what)
        return otherwise


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a step has found; while it is not ``final``, a later step may know more."""

    settings: FoundSettings
    final: bool = True


def _chosen(records: Sequence[ServiceRecord], security: Security) -> MailServer | None:
    """The server to propose: the lowest priority, and of those the greatest weight.

    RFC 2782 has clients draw lots by weight at each connection. An account keeps its host for years, so that the one
    meant to carry the most is taken, and the same one whenever the same address is looked up.
    """
    offered = [record for record in records if record.host]
    if not offered:
        return None
    best = min(offered, key=lambda record: (record.priority, -record.weight, record.host, record.port))
    return MailServer(best.host, best.port, security)


def _denied(records: Sequence[ServiceRecord]) -> bool:
    """Whether the domain says that it does not offer a service (RFC 6186, section 3.4)."""
    return bool(records) and not any(record.host for record in records)
