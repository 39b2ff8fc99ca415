"""The wiring of looking settings up: each piece is built once, on first use; nothing of AWS is needed."""

from functools import cache

from popfetch.domain.mail_settings import FoundSettings, MailAddress
from popfetch.ports.invocation import Journal
from popfetch.ports.settings_lookup import AutoconfigFiles, DnsRecords
from popfetch.runtime.event_loop import event_loop
from popfetch.runtime.settings import Settings
from popfetch.services.settings_lookup import SettingsLookup

RESOLVE_SECONDS = 2.5
"""How long looking up the addresses of a web server may take."""


def look_up(address: MailAddress, journal: Journal) -> FoundSettings:
    """The settings of an address."""
    return event_loop().run(SettingsLookup(_dns(), _autoconfig(), journal, own=_own_autoconfig()).find(address))


@cache
def _dns() -> DnsRecords:
    from popfetch.adapters import dns_records

    return dns_records.DnsRecords()


@cache
def _autoconfig() -> AutoconfigFiles:
    from popfetch.adapters import autoconfig
    from popfetch.adapters.host_guard import HostGuard

    settings = Settings.from_environment()
    guard = HostGuard(
        allow_private=settings.allow_private_hosts, ports={autoconfig.HTTPS_PORT}, resolve_seconds=RESOLVE_SECONDS
    )
    return autoconfig.AutoconfigFiles(guard, ca_file=settings.ca_file or None)


@cache
def _own_autoconfig() -> AutoconfigFiles | None:
    from popfetch.adapters.own_autoconfig import OwnAutoconfigFile

    path = Settings.from_environment().autoconfig_file
    return OwnAutoconfigFile(path) if path else None
