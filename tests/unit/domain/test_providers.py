"""The table of providers: that it is well formed, the facts that matter, and whom a name belongs to."""

from collections import Counter

import pytest

from popfetch.domain.account import INTERVAL_MENU, RECOMMENDED_INTERVAL, Security
from popfetch.domain.host_names import domain_name
from popfetch.domain.provider import (
    MailServer,
    OAuthProvider,
    Provider,
    SignInMethod,
    UsernameForm,
    recommended_above,
)
from popfetch.domain.provider_table import PROVIDERS
from popfetch.domain.providers import (
    is_providers_host,
    lies_below,
    provider_of_domain,
    provider_of_host,
    provider_of_mx,
    recommended_interval,
    shortest_interval,
)

BY_ID = {provider.id: provider for provider in PROVIDERS}


def id_of(provider: Provider | None) -> str | None:
    return provider.id if provider else None


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)
class TestEveryProvider:
    def test_has_names_that_are_names(self, provider: Provider) -> None:
        servers = [server.host for server in (provider.incoming, provider.outgoing) if server]
        for name in (*servers, *provider.domains, *provider.mail_exchangers, *provider.other_hosts):
            assert domain_name(name) == name

    def test_uses_ports_that_fit_their_security(self, provider: Provider) -> None:
        if provider.incoming:
            assert (provider.incoming.port, provider.incoming.security) == (995, Security.TLS)
        if provider.outgoing and provider.id != "spectrum":
            ports = {Security.TLS: 465, Security.STARTTLS: 587}
            assert provider.outgoing.port == ports[provider.outgoing.security]

    def test_keeps_its_intervals_on_the_menu(self, provider: Provider) -> None:
        assert provider.shortest_interval in INTERVAL_MENU
        assert provider.recommended_interval in INTERVAL_MENU
        assert provider.recommended_interval >= max(provider.shortest_interval, RECOMMENDED_INTERVAL)

    def test_says_in_one_line_what_to_do(self, provider: Provider) -> None:
        assert provider.name
        assert 20 < len(provider.help) < 300
        assert provider.help.endswith(".")
        assert "\n" not in provider.help
        assert "  " not in provider.help

    def test_names_who_gives_tokens_exactly_where_it_takes_them(self, provider: Provider) -> None:
        assert (SignInMethod.OAUTH2 in provider.sign_in_methods) == (provider.oauth_provider is not None)

    def test_can_be_signed_in_to_where_it_has_servers(self, provider: Provider) -> None:
        assert bool(provider.sign_in_methods) == bool(provider.incoming or provider.outgoing)

    def test_is_found_by_all_its_names(self, provider: Provider) -> None:
        assert provider.domains or provider.mail_exchangers
        assert all(provider_of_domain(domain) is provider for domain in provider.domains)
        assert all(provider_of_mx(f"mx1.{name}") is provider for name in provider.mail_exchangers)
        if provider.incoming:
            found = provider_of_host(provider.incoming.host, own_domain=not provider.domains)
            assert found is provider


class TestTheTable:
    def test_has_every_name_once(self) -> None:
        for names in (
            [provider.id for provider in PROVIDERS],
            [provider.name for provider in PROVIDERS],
            [domain for provider in PROVIDERS for domain in provider.domains],
            [name for provider in PROVIDERS for name in provider.mail_exchangers],
        ):
            assert [name for name, times in Counter(names).items() if times > 1] == []

    def test_has_all_who_share_a_server_agree_on_its_interval(self) -> None:
        for provider in PROVIDERS:
            if provider.incoming:
                assert shortest_interval(provider.incoming.host) == provider.shortest_interval

    @pytest.mark.parametrize("identifier", ["gmail", "google_workspace"])
    def test_lets_gmail_have_10_minutes_and_no_plain_password(self, identifier: str) -> None:
        gmail = BY_ID[identifier]
        assert gmail.incoming == MailServer("pop.gmail.com", 995, Security.TLS)
        assert gmail.shortest_interval == gmail.recommended_interval == 10
        assert gmail.sign_in_methods == (SignInMethod.APP_PASSWORD, SignInMethod.OAUTH2)
        assert gmail.oauth_provider is OAuthProvider.GOOGLE
        assert "app password" in gmail.help

    @pytest.mark.parametrize(
        ("identifier", "smtp"),
        [("outlook_personal", "smtp-mail.outlook.com"), ("office365", "smtp.office365.com")],
    )
    def test_lets_microsoft_take_tokens_only(self, identifier: str, smtp: str) -> None:
        microsoft = BY_ID[identifier]
        assert microsoft.incoming == MailServer("outlook.office365.com", 995, Security.TLS)
        assert microsoft.outgoing == MailServer(smtp, 587, Security.STARTTLS)
        assert microsoft.sign_in_methods == (SignInMethod.OAUTH2,)
        assert microsoft.oauth_provider is OAuthProvider.MICROSOFT
        assert microsoft.shortest_interval == 15

    def test_lets_web_de_have_the_local_part_and_15_minutes(self) -> None:
        assert BY_ID["web_de"].username is UsernameForm.LOCAL_PART
        assert BY_ID["web_de"].username_of("anna.b@web.de") == "anna.b"
        assert BY_ID["web_de"].shortest_interval == 15

    def test_has_the_local_part_as_user_name_where_it_is(self) -> None:
        local = {provider.id for provider in PROVIDERS if provider.username is UsernameForm.LOCAL_PART}
        assert local == {"yahoo_jp", "web_de", "free_fr", "laposte", "wp_pl"}
        assert BY_ID["gmx_net"].username_of("Anna@gmx.de") == "Anna@gmx.de"

    def test_lets_spectrum_speak_tls_at_once_on_587(self) -> None:
        assert BY_ID["spectrum"].outgoing == MailServer("mobile.charter.net", 587, Security.TLS)

    def test_knows_who_has_no_pop(self) -> None:
        assert {provider.id for provider in PROVIDERS if provider.incoming is None} == {"icloud", "proton"}
        assert BY_ID["icloud"].outgoing == MailServer("smtp.mail.me.com", 587, Security.STARTTLS)
        assert BY_ID["icloud"].sign_in_methods == (SignInMethod.APP_PASSWORD,)
        assert BY_ID["proton"].outgoing is None
        assert "Bridge does not help" in BY_ID["proton"].help
        for identifier in ("icloud", "proton"):
            assert "no POP" in BY_ID[identifier].help
            assert "forward" in BY_ID[identifier].help

    @pytest.mark.parametrize("identifier", ["yahoo", "aol", "att", "mail_ru", "yandex"])
    def test_lets_these_have_app_passwords_only(self, identifier: str) -> None:
        assert BY_ID[identifier].sign_in_methods == (SignInMethod.APP_PASSWORD,)

    @pytest.mark.parametrize("identifier", ["qq", "netease_163"])
    def test_lets_these_have_a_code(self, identifier: str) -> None:
        assert BY_ID[identifier].sign_in_methods == (SignInMethod.AUTHORIZATION_CODE,)

    def test_lets_fastmail_give_its_own_tokens(self) -> None:
        assert BY_ID["fastmail"].oauth_provider is OAuthProvider.FASTMAIL

    @pytest.mark.parametrize("top", ["com", "eu", "in", "com.au", "jp"])
    def test_keeps_the_regions_of_zoho_apart(self, top: str) -> None:
        personal = provider_of_domain(f"zohomail.{top}")
        organisation = provider_of_mx(f"mx2.zoho.{top}")
        assert personal
        assert organisation
        assert personal.incoming == MailServer(f"pop.zoho.{top}", 995, Security.TLS)
        assert organisation.incoming == MailServer(f"poppro.zoho.{top}", 995, Security.TLS)
        assert organisation.outgoing == MailServer(f"smtppro.zoho.{top}", 465, Security.TLS)


class TestDomains:
    @pytest.mark.parametrize(
        ("domain", "provider"),
        [
            ("gmail.com", "gmail"),
            ("GMAIL.com.", "gmail"),
            ("yahoo.de", "yahoo"),
            ("yahoo.co.uk", "yahoo"),
            ("yahoo.com.br", "yahoo"),
            ("Yahoo.CO.IN", "yahoo"),
            ("yahoo.co.jp", "yahoo_jp"),
            ("yahoo.jp", None),
            ("yahoo.com.jp", None),
            ("yahoo", None),
            ("notyahoo.com", None),
            ("notyahoo.de", None),
            ("yahoo.evil.com", None),
            ("yahoo.de.example", None),
            ("mail.yahoo.de", None),
            ("yahoo.info", None),
            ("yahoo.com.evil", None),
            ("gmx.de", "gmx_net"),
            ("gmx.com", "gmx_com"),
            ("mail.gmail.com", None),
            ("notgmail.com", None),
            ("gmail.co.uk", None),
            ("gmail.com.evil.example", None),
            ("", None),
            (".", None),
        ],
    )
    def test_belong_to_their_provider(self, domain: str, provider: str | None) -> None:
        assert id_of(provider_of_domain(domain)) == provider


class TestMxHosts:
    @pytest.mark.parametrize(
        ("host", "provider"),
        [
            ("aspmx.l.google.com", "google_workspace"),
            ("ALT1.ASPMX.L.GOOGLE.COM.", "google_workspace"),
            ("smtp.google.com", "google_workspace"),
            ("aspmx2.googlemail.com", "google_workspace"),
            ("example-com.mail.protection.outlook.com", "office365"),
            ("example-com.a-v1.mx.microsoft", "office365"),
            ("hotmail-co-uk.olc.protection.outlook.com", "outlook_personal"),
            ("mx.zoho.eu", "zoho_organisation_eu"),
            ("in1-smtp.messagingengine.com", "fastmail"),
            ("mx01.mail.icloud.com", "icloud"),
            ("mail.protonmail.ch", "proton"),
            ("mx.yandex.net", "yandex"),
            ("emx.mail.ru", "mail_ru"),
            ("mx1.mail.ovh.net", "ovh"),
            ("ex5.mail.ovh.net", None),
            ("spool.mail.gandi.net", "gandi"),
            ("mx00.ionos.de", "ionos_de"),
            ("mx01.kundenserver.de", "ionos_de"),
            ("smtpin.rzone.de", "strato"),
            ("mta7.am0.yahoodns.net", "yahoo"),
            ("mx-aol.mail.gm0.yahoodns.net", "aol"),
            ("mx00.mail.com", "mail_com"),
            ("mx.notgoogle.com", None),
            ("google.com.evil.example", None),
            ("mail.protection.outlook.com.evil.example", None),
            ("microsoft", None),
            ("mx.example.com", None),
            ("", None),
        ],
    )
    def test_belong_to_their_provider(self, host: str, provider: str | None) -> None:
        assert id_of(provider_of_mx(host)) == provider


class TestHosts:
    @pytest.mark.parametrize(
        ("host", "provider", "for_own_domains"),
        [
            ("pop.gmail.com", "gmail", "google_workspace"),
            ("POP.Gmail.com.", "gmail", "google_workspace"),
            ("pop.googlemail.com", "gmail", "gmail"),
            ("outlook.office365.com", "outlook_personal", "office365"),
            ("pop.fastmail.com", "fastmail", "fastmail"),
            ("pop.ionos.de", "ionos_de", "ionos_de"),
            ("smtp.gmail.com", None, None),
            ("evil.pop.gmail.com", None, None),
            ("", None, None),
        ],
    )
    def test_belong_to_their_provider(self, host: str, provider: str | None, for_own_domains: str | None) -> None:
        assert id_of(provider_of_host(host)) == provider
        assert id_of(provider_of_host(host, own_domain=True)) == for_own_domains

    @pytest.mark.parametrize(
        ("host", "shortest", "recommended"),
        [
            ("pop.gmail.com", 10, 10),
            ("Pop.Gmail.Com.", 10, 10),
            ("pop-mail.outlook.com", 15, 15),
            ("outlook.office365.com", 15, 15),
            ("pop3.web.de", 15, 15),
            ("pop.gmx.net", 1, 5),
            ("pop.example.com", 1, 5),
            ("", 1, 5),
        ],
    )
    def test_have_their_intervals(self, host: str, shortest: int, recommended: int) -> None:
        assert (shortest_interval(host), recommended_interval(host)) == (shortest, recommended)

    def test_for_sending_are_known_too(self) -> None:
        assert is_providers_host("SMTP.gmail.com.")
        assert is_providers_host("pop.gmail.com")
        assert not is_providers_host("gmail.com")

    @pytest.mark.parametrize(
        ("host", "domain", "below"),
        [
            ("pop.example.com", "example.com", True),
            ("example.com", "Example.com.", True),
            ("POP.EXAMPLE.COM.", "example.com", True),
            ("notexample.com", "example.com", False),
            ("example.com", "pop.example.com", False),
            ("example.com.evil.example", "example.com", False),
        ],
    )
    def test_lie_below_a_domain_by_whole_labels(self, host: str, domain: str, below: bool) -> None:
        assert lies_below(host, domain) is below


@pytest.mark.parametrize(
    ("shortest", "recommended"), [(1, 5), (5, 5), (6, 10), (11, 15), (16, 20), (1440, 1440), (2000, 1440)]
)
def test_the_recommended_interval_is_the_next_on_the_menu(shortest: int, recommended: int) -> None:
    assert recommended_above(shortest) == recommended
