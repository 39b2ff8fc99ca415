"""A DNS server for tests: real messages over UDP and TCP on a loopback port, and every way to misbehave.

``zone`` maps names to records in the zone file's own words, or to what the server does instead::

    DnsServer({
        "example.com": ["MX 10 mx.example.com."],
        "_pop3s._tcp.example.com": ["SRV 10 1 995 pop.example.com."],
        "_pop3._tcp.example.com": Misbehaviour.SERVFAIL,
    })

Names that are not there do not exist; those with records of other types have no answer.
"""

import asyncio
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class Misbehaviour(Enum):
    """What the server does instead of answering."""

    SERVFAIL = auto()
    REFUSED = auto()
    SILENCE = auto()
    GARBAGE = auto()
    CUT_SHORT = auto()
    ANOTHER_QUESTION = auto()


type Zone = Mapping[str, Sequence[str] | Misbehaviour]


class DnsServer:
    """A DNS server on 127.0.0.1; use it as an asynchronous context manager.

    ``truncates`` answers over UDP that there is more, as large answers do, so that TCP is needed.
    """

    def __init__(self, zone: Zone, *, truncates: bool = False) -> None:
        self.zone = {name.lower(): records for name, records in zone.items()}
        self.truncates = truncates
        self.port = 0
        self.asked: list[tuple[str, str]] = []
        self.asked_by_tcp = 0
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._tcp = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        self.port = self._tcp.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), ("127.0.0.1", self.port))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._udp
        assert self._tcp
        self._udp.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        octets = int.from_bytes(await reader.readexactly(2))
        self.asked_by_tcp += 1
        reply = self.reply(await reader.readexactly(octets), by_udp=False)
        if reply is not None:
            writer.write(len(reply).to_bytes(2) + reply)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    def reply(self, wire: bytes, *, by_udp: bool) -> bytes | None:
        """The octets that answer a query, if any do."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        records = self.zone.get(name)
        response = dns.message.make_response(query)
        if isinstance(records, Misbehaviour):
            return _misbehaving(records, response)
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif by_udp and self.truncates:
            response.flags |= dns.flags.TC
        else:
            fitting = [text.partition(" ")[2] for text in records if text.startswith(f"{kind} ")]
            if fitting:
                response.answer = [dns.rrset.from_text(question.name, 60, "IN", kind, *fitting)]
        return response.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.reply(data, by_udp=True)
        if reply is not None:
            self._transport.sendto(reply, addr)


def _misbehaving(how: Misbehaviour, response: dns.message.Message) -> bytes | None:
    if how is Misbehaviour.SILENCE:
        return None
    if how is Misbehaviour.GARBAGE:
        return response.to_wire()[:2] + b"\xc0\xff garbage"
    if how is Misbehaviour.CUT_SHORT:
        return response.to_wire()[:-3]
    if how is Misbehaviour.ANOTHER_QUESTION:
        other = dns.message.make_query("another.example", "SRV", id=response.id)
        return dns.message.make_response(other).to_wire()
    response.set_rcode(dns.rcode.SERVFAIL if how is Misbehaviour.SERVFAIL else dns.rcode.REFUSED)
    return response.to_wire()
