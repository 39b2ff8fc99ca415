"""Looking settings up: which source wins, what its answer says, and that no step harms another."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from popfetch.domain.account import Security
from popfetch.domain.errors import LookupFailed
from popfetch.domain.mail_settings import NOTHING_FOUND, FoundServer, FoundSettings, MailAddress, Source
from popfetch.domain.provider import OAuthProvider, SignInMethod
from popfetch.ports.settings_lookup import Autoconfig, MailExchanger, ServiceRecord
from popfetch.services.settings_lookup import LookupLimits, SettingsLookup
from tests.builders.journals import RecordingJournal

HANGS = "hangs"
type Trouble = Exception | str

ANNA = MailAddress("Anna@example.com", "example.com")
POP3S, POP3, SUBMISSIONS, SUBMISSION = ("_pop3s._tcp", "_pop3._tcp", "_submissions._tcp", "_submission._tcp")
NOT_OFFERED = [ServiceRecord("", 0, 0, 0)]


def at(host: str, port: int = 995, priority: int = 0, weight: int = 0) -> ServiceRecord:
    return ServiceRecord(host, port, priority, weight)


async def given[T](prepared: T | Trouble) -> T:
    if prepared == HANGS:
        await asyncio.Event().wait()
    if isinstance(prepared, Exception):
        raise prepared
    assert not isinstance(prepared, str)
    return prepared


@dataclass
class PreparedDns:
    """A DNS with these records, or these troubles."""

    srv: Mapping[str, list[ServiceRecord] | Trouble] = field(default_factory=dict)
    mx: list[MailExchanger] | Trouble = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def services(self, service: str, domain: str) -> list[ServiceRecord]:
        self.asked.append(f"{service}.{domain}")
        return await given(self.srv.get(service, []))

    async def mail_exchangers(self, domain: str) -> list[MailExchanger]:
        self.asked.append(domain)
        return await given(self.mx)


@dataclass
class PreparedFile:
    """A web server with this file, or this trouble."""

    file: Autoconfig | Trouble = field(default_factory=lambda: LookupFailed("There is no file."))
    asked: list[str] = field(default_factory=list)
    cancelled: bool = False

    async def read(self, address: MailAddress) -> Autoconfig:
        self.asked.append(address.text)
        try:
            return await given(self.file)
        except asyncio.CancelledError:
            self.cancelled = True
            raise


@dataclass
class World:
    dns: PreparedDns = field(default_factory=PreparedDns)
    web: PreparedFile = field(default_factory=PreparedFile)
    journal: RecordingJournal = field(default_factory=RecordingJournal)
    limits: LookupLimits = field(default_factory=lambda: LookupLimits(dns_seconds=0.05, autoconfig_seconds=0.05))

    async def find(self, address: MailAddress = ANNA) -> FoundSettings:
        found = await SettingsLookup(self.dns, self.web, self.journal, self.limits).find(address)
        assert len(asyncio.all_tasks()) == 1
        return found


def a_file(
    host: str | None = "pop.example.com",
    smtp: str | None = None,
    security: Security = Security.TLS,
    methods: tuple[SignInMethod, ...] = (SignInMethod.PASSWORD,),
) -> Autoconfig:
    return Autoconfig(
        incoming=FoundServer(host, 995, security, "anna.from.file") if host else None,
        outgoing=FoundServer(smtp, 465, security, "anna.from.file") if smtp else None,
        sign_in_methods=methods,
    )


async def by_srv(address: MailAddress = ANNA, **records: list[ServiceRecord]) -> FoundSettings:
    return await World(dns=PreparedDns(srv={f"_{name}._tcp": found for name, found in records.items()})).find(address)


class TestAPreset:
    async def test_asks_nobody(self) -> None:
        world = World()
        found = await world.find(MailAddress("Anna.B@gmail.com", "gmail.com"))
        assert found.source is Source.PRESET
        assert found.provider
        assert found.provider.id == "gmail"
        assert found.incoming == FoundServer("pop.gmail.com", 995, Security.TLS, "Anna.B@gmail.com")
        assert found.outgoing == FoundServer("smtp.gmail.com", 465, Security.TLS, "Anna.B@gmail.com")
        assert (found.shortest_interval, found.recommended_interval) == (10, 10)
        assert found.oauth_provider is OAuthProvider.GOOGLE
        assert found.help == found.provider.help
        assert not found.needs_confirmation
        assert world.dns.asked == world.web.asked == []

    async def test_fills_in_the_local_part_where_that_is_the_user_name(self) -> None:
        found = await World().find(MailAddress("anna@web.de", "web.de"))
        assert found.incoming
        assert found.outgoing
        assert found.incoming.username == found.outgoing.username == "anna"
        assert found.shortest_interval == 15

    async def test_without_pop_says_so_and_still_sends(self) -> None:
        found = await World().find(MailAddress("anna@icloud.com", "icloud.com"))
        assert found.incoming is None
        assert found.outgoing == FoundServer("smtp.mail.me.com", 587, Security.STARTTLS, "anna@icloud.com")
        assert "no POP" in found.help
        assert found.shortest_interval is found.recommended_interval is None


class TestTheOperatorsOwnFile:
    async def test_comes_before_a_preset(self) -> None:
        own = PreparedFile(a_file("mail.own.example"))
        lookup = SettingsLookup(PreparedDns(), PreparedFile(), RecordingJournal(), own=own)
        found = await lookup.find(MailAddress("anna@gmail.com", "gmail.com"))
        assert found.source is Source.OPERATOR
        assert found.incoming
        assert found.incoming.host == "mail.own.example"

    async def test_needs_nobodys_agreement(self) -> None:
        lookup = SettingsLookup(
            PreparedDns(), PreparedFile(), RecordingJournal(), own=PreparedFile(a_file("elsewhere.example.net"))
        )
        assert not (await lookup.find(ANNA)).needs_confirmation

    async def test_that_says_nothing_leaves_it_to_the_others(self) -> None:
        lookup = SettingsLookup(PreparedDns(), PreparedFile(), RecordingJournal(), own=PreparedFile())
        found = await lookup.find(MailAddress("anna@gmail.com", "gmail.com"))
        assert found.source is Source.PRESET


class TestSrvRecords:
    async def test_are_asked_for_all_four_services(self) -> None:
        world = World()
        await world.find()
        names = [f"{service}.example.com" for service in (POP3S, POP3, SUBMISSIONS, SUBMISSION)]
        assert sorted(world.dns.asked) == sorted([*names, "example.com"])

    async def test_below_the_own_domain_are_taken(self) -> None:
        found = await by_srv(pop3s=[at("pop.example.com")], submissions=[at("smtp.example.com", 465)])
        assert found.source is Source.SRV
        assert found.provider is None
        assert found.incoming == FoundServer("pop.example.com", 995, Security.TLS, "Anna@example.com")
        assert found.outgoing == FoundServer("smtp.example.com", 465, Security.TLS, "Anna@example.com")
        assert found.sign_in_methods == (SignInMethod.PASSWORD,)
        assert (found.shortest_interval, found.recommended_interval) == (1, 5)
        assert not found.needs_confirmation
        assert found.help

    async def test_prefer_tls_and_never_propose_less_than_starttls(self) -> None:
        both = await by_srv(pop3=[at("a.example.com", 110)], pop3s=[at("b.example.com", 995, priority=50)])
        assert both.incoming == FoundServer("b.example.com", 995, Security.TLS, ANNA.text)
        plain = await by_srv(pop3=[at("a.example.com", 110)], submission=[at("a.example.com", 587)])
        assert plain.incoming == FoundServer("a.example.com", 110, Security.STARTTLS, ANNA.text)
        assert plain.outgoing == FoundServer("a.example.com", 587, Security.STARTTLS, ANNA.text)

    async def test_go_by_priority_then_by_weight(self) -> None:
        records = [
            at("late.example.com", priority=20, weight=99),
            at("light.example.com", priority=10, weight=1),
            at("heavy.example.com", priority=10, weight=60),
        ]
        for order in (records, records[::-1]):
            found = await by_srv(pop3s=order)
            assert found.incoming
            assert found.incoming.host == "heavy.example.com"

    async def test_elsewhere_need_the_owners_word(self) -> None:
        found = await by_srv(pop3s=[at("pop.hoster.example")])
        assert found.needs_confirmation
        assert "pop.hoster.example is no part of example.com" in found.help
        sending = await by_srv(pop3s=[at("pop.example.com")], submissions=[at("smtp.hoster.example", 465)])
        assert sending.needs_confirmation
        assert "smtp.hoster.example" in sending.help

    async def test_at_a_known_provider_bring_its_facts(self) -> None:
        found = await by_srv(pop3s=[at("pop.gmail.com")])
        assert found.provider
        assert found.provider.id == "google_workspace"
        assert found.sign_in_methods == (SignInMethod.APP_PASSWORD, SignInMethod.OAUTH2)
        assert found.shortest_interval == 10
        assert found.help == found.provider.help
        assert found.outgoing == FoundServer("smtp.gmail.com", 465, Security.TLS, ANNA.text)
        assert not found.needs_confirmation

    async def test_that_deny_pop_are_an_answer(self) -> None:
        dns = PreparedDns(srv={POP3S: NOT_OFFERED, POP3: NOT_OFFERED, SUBMISSION: [at("smtp.example.com", 587)]})
        found = await World(dns=dns, web=PreparedFile(a_file())).find()
        assert (found.source, found.incoming) == (Source.SRV, None)
        assert "example.com offers no POP" in found.help
        assert found.outgoing
        assert found.outgoing.host == "smtp.example.com"

    async def test_that_deny_plain_pop_only_leave_the_other(self) -> None:
        found = await by_srv(pop3s=[at("pop.example.com")], pop3=NOT_OFFERED)
        assert found.incoming
        open_question = World(dns=PreparedDns(srv={POP3: NOT_OFFERED}), web=PreparedFile(a_file()))
        assert (await open_question.find()).source is Source.AUTOCONFIG

    async def test_for_sending_only_are_second_best(self) -> None:
        dns = PreparedDns(srv={SUBMISSIONS: [at("smtp.example.com", 465)]})
        alone = await World(dns=dns).find()
        assert (alone.source, alone.incoming) == (Source.SRV, None)
        assert alone.outgoing == FoundServer("smtp.example.com", 465, Security.TLS, ANNA.text)
        assert "ask the provider" in alone.help.lower()
        assert (await World(dns=dns, web=PreparedFile(a_file())).find()).source is Source.AUTOCONFIG

    async def test_win_over_mx_and_autoconfig(self) -> None:
        dns = PreparedDns({POP3S: [at("pop.example.com")]}, mx=[MailExchanger("aspmx.l.google.com", 1)])
        assert (await World(dns=dns, web=PreparedFile(a_file("b.example.com"))).find()).source is Source.SRV


class TestMxRecords:
    async def test_at_a_known_provider_bring_its_settings(self) -> None:
        dns = PreparedDns(mx=[MailExchanger("example-com.mail.protection.outlook.com", 0)])
        found = await World(dns=dns, web=PreparedFile(a_file())).find()
        assert found.source is Source.MX
        assert found.provider
        assert found.provider.id == "office365"
        assert found.incoming == FoundServer("outlook.office365.com", 995, Security.TLS, ANNA.text)
        assert found.sign_in_methods == (SignInMethod.OAUTH2,)
        assert not found.needs_confirmation

    async def test_that_are_less_preferred_do_not_count(self) -> None:
        dns = PreparedDns(mx=[MailExchanger("aspmx.l.google.com", 20), MailExchanger("filter.example.net", 10)])
        assert await World(dns=dns).find() == NOTHING_FOUND

    async def test_at_a_provider_without_pop_say_so(self) -> None:
        found = await World(dns=PreparedDns(mx=[MailExchanger("mail.protonmail.ch", 10)])).find()
        assert (found.source, found.incoming, found.outgoing) == (Source.MX, None, None)
        assert "no POP" in found.help


class TestAutoconfig:
    async def test_is_taken_with_its_user_name(self) -> None:
        world = World(web=PreparedFile(a_file(smtp="smtp.example.com")))
        found = await world.find()
        assert found.source is Source.AUTOCONFIG
        assert found.incoming == FoundServer("pop.example.com", 995, Security.TLS, "anna.from.file")
        assert found.outgoing == FoundServer("smtp.example.com", 465, Security.TLS, "anna.from.file")
        assert not found.needs_confirmation
        assert world.web.asked == [ANNA.text]

    async def test_elsewhere_needs_the_owners_word(self) -> None:
        assert (await World(web=PreparedFile(a_file("pop.hoster.example"))).find()).needs_confirmation

    async def test_at_a_known_provider_brings_its_facts(self) -> None:
        found = await World(web=PreparedFile(a_file("outlook.office365.com"))).find()
        assert found.provider
        assert found.provider.id == "office365"
        assert found.sign_in_methods == (SignInMethod.OAUTH2,)
        assert found.shortest_interval == 15
        assert not found.needs_confirmation

    async def test_says_what_an_unknown_provider_accepts(self) -> None:
        found = await World(web=PreparedFile(a_file(methods=(SignInMethod.OAUTH2,)))).find()
        assert found.sign_in_methods == (SignInMethod.OAUTH2,)
        assert found.oauth_provider is None

    async def test_for_imap_only_says_that_there_is_no_pop(self) -> None:
        found = await World(web=PreparedFile(a_file(None, "smtp.example.com"))).find()
        assert (found.source, found.incoming) == (Source.AUTOCONFIG, None)
        assert found.outgoing
        assert "offers no POP" in found.help

    async def test_without_encryption_warns(self) -> None:
        found = await World(web=PreparedFile(a_file(security=Security.NONE))).find()
        assert "anyone on the way could read the password" in found.help


class TestNothing:
    async def test_is_an_answer_with_advice(self) -> None:
        found = await World().find()
        assert found == NOTHING_FOUND
        assert (found.source, found.provider, found.incoming, found.outgoing) == (None, None, None, None)
        assert found.sign_in_methods == ()
        assert found.shortest_interval is found.recommended_interval is None
        assert "POP server" in found.help


class TestTrouble:
    @pytest.mark.parametrize("trouble", [LookupFailed("No."), HANGS, ValueError("a bug")])
    async def test_everywhere_finds_nothing(self, trouble: Trouble) -> None:
        services = (POP3S, POP3, SUBMISSIONS, SUBMISSION)
        dns = PreparedDns(srv=dict.fromkeys(services, trouble), mx=trouble)
        world = World(dns=dns, web=PreparedFile(trouble))
        assert await world.find() == NOTHING_FOUND
        assert {str(fields["asked"]) for _, _, fields in world.journal.lines} == {
            "_pop3s",
            "_pop3",
            "_submissions",
            "_submission",
            "mx",
            "autoconfig",
        }

    @pytest.mark.parametrize("trouble", [LookupFailed("No."), HANGS, ValueError("a bug")])
    async def test_in_one_step_leaves_the_others(self, trouble: Trouble) -> None:
        file = PreparedFile(a_file())
        assert (await World(dns=PreparedDns(mx=trouble), web=file).find()).source is Source.AUTOCONFIG
        services = dict.fromkeys((POP3S, POP3, SUBMISSIONS, SUBMISSION), trouble)
        google = [MailExchanger("aspmx.l.google.com", 1)]
        assert (await World(dns=PreparedDns(srv=services, mx=google), web=file).find()).source is Source.MX

    @pytest.mark.parametrize("trouble", [LookupFailed("No."), HANGS])
    async def test_with_one_service_leaves_the_others(self, trouble: Trouble) -> None:
        dns = PreparedDns(srv={POP3S: [at("pop.example.com")], POP3: trouble, SUBMISSIONS: trouble})
        found = await World(dns=dns).find()
        assert found.incoming
        assert found.incoming.host == "pop.example.com"

    async def test_nobody_foresaw_is_told_to_the_operator(self) -> None:
        world = World(web=PreparedFile(ValueError("a bug")))
        await world.find()
        assert ("error", "a look-up failed in a way nobody foresaw", {"asked": "autoconfig"}) in world.journal.lines

    async def test_with_one_question_does_not_keep_the_others_from_being_asked(self) -> None:
        services = dict.fromkeys((POP3S, POP3, SUBMISSIONS, SUBMISSION), HANGS)
        world = World(PreparedDns(srv=services, mx=HANGS), PreparedFile(HANGS), limits=LookupLimits(30, 30))
        finding = asyncio.create_task(world.find())
        async with asyncio.timeout(2):
            while len(world.dns.asked) < 5 or not world.web.asked:  # noqa: ASYNC110 - nobody else could tell
                await asyncio.sleep(0)  # gives the steps their turn
        finding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await finding
        assert world.web.cancelled

    async def test_in_a_later_step_does_not_hold_the_answer_back(self) -> None:
        world = World(
            PreparedDns(srv={POP3S: [at("pop.example.com")]}, mx=HANGS),
            PreparedFile(HANGS),
            limits=LookupLimits(dns_seconds=30, autoconfig_seconds=30),
        )
        async with asyncio.timeout(2):
            assert (await world.find()).source is Source.SRV
        assert world.web.cancelled

    def test_is_bounded_within_8_seconds(self) -> None:
        assert max(LookupLimits().dns_seconds, LookupLimits().autoconfig_seconds) < 8
