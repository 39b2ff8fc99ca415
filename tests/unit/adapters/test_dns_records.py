"""SRV and MX records, asked of a real DNS server on this machine that answers well, badly or not at all."""

import asyncio

import pytest

from popfetch.adapters.dns_records import DnsRecords
from popfetch.domain.errors import LookupFailed
from popfetch.ports import settings_lookup
from popfetch.ports.settings_lookup import MailExchanger, ServiceRecord
from tests.builders.dns_server import DnsServer, Misbehaviour, Zone

POP3S = "_pop3s._tcp"
NAME = "_pop3s._tcp.example.com"


def asking(server: DnsServer) -> DnsRecords:
    return DnsRecords(nameservers=["127.0.0.1"], port=server.port, try_seconds=0.1, lookup_seconds=0.2)


async def services(zone: Zone, domain: str = "example.com", *, truncates: bool = False) -> list[ServiceRecord]:
    async with DnsServer(zone, truncates=truncates) as server:
        return await asking(server).services(POP3S, domain)


async def exchangers(zone: Zone, domain: str = "example.com") -> list[MailExchanger]:
    async with DnsServer(zone) as server:
        return await asking(server).mail_exchangers(domain)


class TestServices:
    async def test_come_with_priority_and_weight(self) -> None:
        found = await services({NAME: ["SRV 10 5 995 POP.Example.com.", "SRV 20 0 1995 pop.backup.example."]})
        assert sorted(found, key=lambda record: record.priority) == [
            ServiceRecord("pop.example.com", 995, priority=10, weight=5),
            ServiceRecord("pop.backup.example", 1995, priority=20, weight=0),
        ]

    async def test_that_are_decidedly_not_offered_have_no_host(self) -> None:
        assert await services({NAME: ["SRV 0 0 0 ."]}) == [ServiceRecord("", 0, priority=0, weight=0)]

    async def test_of_a_name_that_does_not_exist_are_none(self) -> None:
        assert await services({}) == []

    async def test_of_a_name_with_other_records_are_none(self) -> None:
        assert await services({NAME: ["TXT hello"]}) == []

    @pytest.mark.parametrize(
        "target",
        [
            "127.0.0.1.",
            "pop.",
            r"pop\032mail.example.com.",
            r"pop\.dot/slash.example.com.",
            "0x7f.1.",
            "*.example.com.",
        ],
    )
    async def test_at_what_is_no_public_name_are_left_out(self, target: str) -> None:
        found = await services({NAME: [f"SRV 1 1 995 {target}", "SRV 2 1 995 pop.example.com."]})
        assert [record.host for record in found] == ["pop.example.com"]

    async def test_at_port_0_are_left_out(self) -> None:
        assert await services({NAME: ["SRV 1 1 0 pop.example.com."]}) == []

    async def test_are_asked_for_again_by_tcp_where_the_answer_is_too_long(self) -> None:
        async with DnsServer({NAME: ["SRV 1 1 995 pop.example.com."]}, truncates=True) as server:
            found = await asking(server).services(POP3S, "example.com")
            assert server.asked_by_tcp == 1
        assert [record.host for record in found] == ["pop.example.com"]

    async def test_are_asked_for_by_the_domains_ascii_form_and_in_no_search_domain(self) -> None:
        async with DnsServer({}) as server:
            await asking(server).services(POP3S, "Müller.example")
            assert server.asked == [("_pop3s._tcp.xn--mller-kva.example", "SRV")]


class TestMailExchangers:
    async def test_come_with_their_preference(self) -> None:
        found = await exchangers({"example.com": ["MX 20 mx2.example.com.", "MX 10 MX1.example.com."]})
        assert sorted(found, key=lambda record: record.preference) == [
            MailExchanger("mx1.example.com", 10),
            MailExchanger("mx2.example.com", 20),
        ]

    async def test_of_a_domain_that_takes_no_mail_are_none(self) -> None:
        assert await exchangers({"example.com": ["MX 0 ."]}) == []

    async def test_of_a_domain_that_does_not_exist_are_none(self) -> None:
        assert await exchangers({}) == []

    async def test_at_addresses_are_left_out(self) -> None:
        assert await exchangers({"example.com": ["MX 0 192.0.2.1."]}) == []


class TestFailures:
    @pytest.mark.parametrize("how", Misbehaviour)
    async def test_of_the_server_are_one_failure(self, how: Misbehaviour) -> None:
        with pytest.raises(LookupFailed):
            await services({NAME: how})

    async def test_to_reach_the_server_are_too(self) -> None:
        async with DnsServer({}) as server:
            pass
        with pytest.raises(LookupFailed):
            await asking(server).services(POP3S, "example.com")

    @pytest.mark.parametrize("how", [Misbehaviour.SILENCE, Misbehaviour.GARBAGE])
    async def test_are_bounded_in_time(self, how: Misbehaviour) -> None:
        async with DnsServer({NAME: how}) as server:
            async with asyncio.timeout(2):
                with pytest.raises(LookupFailed):
                    await asking(server).services(POP3S, "example.com")

    async def test_of_one_question_leave_another_alone(self) -> None:
        async with DnsServer({NAME: Misbehaviour.SILENCE, "example.com": ["MX 1 mx.example.com."]}) as server:
            records = asking(server)
            hung = asyncio.create_task(records.services(POP3S, "example.com"))
            assert await records.mail_exchangers("example.com") == [MailExchanger("mx.example.com", 1)]
            with pytest.raises(LookupFailed):
                await hung

    @pytest.mark.parametrize("domain", ["localhost", "192.0.2.1", "2001:db8::1", "", "exa mple.com"])
    async def test_for_want_of_a_domain_ask_nobody(self, domain: str) -> None:
        async with DnsServer({}) as server:
            with pytest.raises(LookupFailed):
                await asking(server).mail_exchangers(domain)
            assert server.asked == []

    async def test_for_a_name_that_grows_too_long_are_no_surprise(self) -> None:
        longest = ".".join(["a" * 62] * 3) + "." + "b" * 60
        with pytest.raises(LookupFailed):
            await services({}, longest)


def test_the_records_fulfil_their_port() -> None:
    records: settings_lookup.DnsRecords = DnsRecords()
    assert callable(records.services)
