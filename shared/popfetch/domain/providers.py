"""Which provider a domain, an MX host or a server belongs to, and how often its servers let one sign in.

Names are compared by whole labels, whatever their case and with or without a final dot: notgmail.com is not
gmail.com. They are expected in ASCII, as the DNS has them.
"""

import re
from collections import defaultdict

from popfetch.domain.errors import InvalidAccount
from popfetch.domain.host_names import plain_name
from popfetch.domain.provider import Provider, recommended_above
from popfetch.domain.provider_table import PROVIDERS

_COUNTRY = re.compile(r"(?P<label>[^.]+)\.(?:com?\.)?(?P<country>[a-z]{2})")


def provider_of_domain(domain: str) -> Provider | None:
    """The provider whose addresses end in ``domain``."""
    name = plain_name(domain)
    if name in _BY_DOMAIN:
        return _BY_DOMAIN[name]
    country = _COUNTRY.fullmatch(name)
    # Japan's Yahoo is another company.
    if country and country["country"] != "jp":
        return _BY_COUNTRY_LABEL.get(country["label"])
    return None


def provider_of_mx(mx_host: str) -> Provider | None:
    """The provider that takes in mail at ``mx_host``; the longest of the domains that fit decides."""
    labels = plain_name(mx_host).split(".")
    return next(
        (found for start in range(len(labels)) if (found := _BY_MAIL_EXCHANGER.get(".".join(labels[start:])))), None
    )


def provider_of_host(incoming_host: str, *, own_domain: bool = False) -> Provider | None:
    """The provider whose incoming server ``incoming_host`` is.

    Where a server keeps both the provider's own addresses and its customers' domains, ``own_domain`` tells which
    of the two is meant.
    """
    sharing = _BY_INCOMING_HOST.get(plain_name(incoming_host), [])
    if own_domain:
        return next((provider for provider in sharing if not provider.domains), sharing[0] if sharing else None)
    return sharing[0] if sharing else None


def is_providers_host(host: str) -> bool:
    """Whether ``host`` is a server, incoming or outgoing, of a provider in the table."""
    return plain_name(host) in _BY_INCOMING_HOST or plain_name(host) in _OUTGOING_HOSTS


def shortest_interval(incoming_host: str) -> int:
    """The minutes between two sign-ins that a server tolerates; 1 where nothing is known."""
    return max(
        (provider.shortest_interval for provider in _BY_INCOMING_HOST.get(plain_name(incoming_host), ())), default=1
    )


def recommended_interval(incoming_host: str) -> int:
    """The minutes between two fetches that suit a server, from the menu."""
    return recommended_above(shortest_interval(incoming_host))


def check_interval(minutes: int, incoming_host: str) -> None:
    """Check that a server tolerates being signed in to every ``minutes``. Raises InvalidAccount."""
    shortest = shortest_interval(incoming_host)
    if minutes < shortest:
        raise InvalidAccount(
            f"fetch.interval_minutes: {incoming_host} tolerates no more than one sign-in every {shortest} minutes; "
            f"choose {shortest} or more."
        )


def lies_below(host: str, domain: str) -> bool:
    """Whether ``host`` is ``domain`` or a name below it."""
    return f".{plain_name(host)}".endswith(f".{plain_name(domain)}")


def _by_incoming_host() -> dict[str, list[Provider]]:
    sharing = defaultdict(list)
    for provider in PROVIDERS:
        if provider.incoming:
            for host in (provider.incoming.host, *provider.other_hosts):
                sharing[host].append(provider)
    return dict(sharing)


_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_BY_COUNTRY_LABEL = {provider.country_label: provider for provider in PROVIDERS if provider.country_label}
_BY_MAIL_EXCHANGER = {name: provider for provider in PROVIDERS for name in provider.mail_exchangers}
_BY_INCOMING_HOST = _by_incoming_host()
_OUTGOING_HOSTS = {provider.outgoing.host for provider in PROVIDERS if provider.outgoing}
