"""Sending by postfix into dovecot's mailboxes: what arrives is what was handed over, below the server's own headers."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Security, Server
from popfetch.domain.draft import Envelope
from popfetch.domain.secret import Secret
from popfetch.ports.submission import Submission
from popfetch.smtp.errors import MessageTooLarge, RecipientRefused, Utf8NotOffered
from tests.real.dovecot import PASSWORD, Dovecot
from tests.real.relay import Relay
from tests.real.smtp_server import DOMAIN, SmtpServer

pytestmark = pytest.mark.real

ANNA, BERT = f"anna@{DOMAIN}", f"bert@{DOMAIN}"
MESSAGE = (
    b"From: anna@example.com\r\nTo: bert@example.com\r\nSubject: hello\r\nMessage-ID: <1@example.com>\r\n"
    b"Date: Mon, 2 Nov 2026 10:00:00 +0000\r\n\r\n"
    b"Hello, Bert.\r\n.\r\n..\r\n.leading\r\n\r\n  blanks \r\n\tand a tab\t\r\n" + b"x" * 998 + b"\r\n.\r\n"
)


@asynccontextmanager
async def opened(server: Server, ca_file: str | None) -> AsyncIterator[Submission]:
    dialer = SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file)
    submission = await dialer.open(server, Secret(PASSWORD), asyncio.get_running_loop().time() + 50)
    try:
        yield submission
        await submission.quit()
    finally:
        await submission.abandon()


def envelope(*recipients: str, octets: int = len(MESSAGE), needs_utf8: bool = False) -> Envelope:
    return Envelope(ANNA, recipients, octets, needs_utf8)


def mail_of(dovecot: Dovecot, user: str) -> list[bytes]:
    """What is in the mailbox of ``user``, as clients get it."""
    with dovecot.reader(user) as reader:
        messages = list(reader.messages().values())
        reader.quit()
    return messages


@pytest.mark.parametrize("security", list(Security))
async def test_a_message_arrives_byte_for_byte(smtp: SmtpServer, dovecot: Dovecot, security: Security) -> None:
    # when
    async with opened(smtp.submission("anna", security), smtp.ca_file) as submission:
        refused = await submission.begin(envelope(BERT))
        await submission.transmit(MESSAGE)

    # then
    assert refused == []
    smtp.await_delivery("bert")
    (arrived,) = mail_of(dovecot, "bert")
    assert arrived.endswith(MESSAGE)
    added = arrived.removesuffix(MESSAGE)
    assert added.startswith(b"Return-Path: <anna@example.com>\r\n")
    assert b"Hello" not in added
    smtp.await_log("mail=1 rcpt=1 data=1 quit=1")


async def test_one_message_goes_to_all_recipients_once(smtp: SmtpServer, dovecot: Dovecot) -> None:
    async with opened(smtp.submission("anna"), smtp.ca_file) as submission:
        assert await submission.begin(envelope(ANNA, BERT)) == []
        await submission.transmit(MESSAGE)

    for user in ("anna", "bert"):
        smtp.await_delivery(user)
        assert len(mail_of(dovecot, user)) == 1


async def test_an_unknown_recipient_is_refused_beside_a_good_one(smtp: SmtpServer, dovecot: Dovecot) -> None:
    # when
    async with opened(smtp.submission("anna"), smtp.ca_file) as submission:
        (refused,) = await submission.begin(envelope(f"nobody@{DOMAIN}", BERT))
        await submission.transmit(MESSAGE)

    # then
    assert refused.address == f"nobody@{DOMAIN}"
    assert type(refused.reason) is RecipientRefused
    assert "User unknown" in refused.reason.message
    smtp.await_delivery("bert")
    assert [message.endswith(MESSAGE) for message in mail_of(dovecot, "bert")] == [True]


async def test_a_message_that_is_too_large_is_not_begun(smtp_server_installed: None, dovecot: Dovecot) -> None:
    with SmtpServer(dovecot, largest=100_000) as server:
        async with opened(server.submission("anna"), server.ca_file) as submission:
            # when
            with pytest.raises(MessageTooLarge, match=r"has 100\.1 KB, and .* takes 100\.0 KB at most") as refusal:
                await submission.begin(envelope(BERT, octets=100_001))

        # then
        assert refusal.value.limit == 100_000
        server.await_log("disconnect from")
        assert "mail=" not in server.log


@pytest.mark.parametrize("octets", [200_000, 20_000_000])
async def test_a_message_that_grew_too_large_is_refused_by_the_server(
    smtp_server_installed: None, dovecot: Dovecot, octets: int
) -> None:
    # given an envelope that does not tell the truth
    with SmtpServer(dovecot, largest=100_000) as server:
        async with opened(server.submission("anna"), server.ca_file) as submission:
            await submission.begin(envelope(BERT, octets=1000))

            # when
            with pytest.raises(MessageTooLarge) as refusal:
                await submission.transmit(MESSAGE + b"more\r\n" * (octets // 6))

        # then
        assert refusal.value.server_text.startswith("5.3.4")
        server.await_log("disconnect from")
        assert "status=sent" not in server.log


async def test_a_message_that_is_cut_off_in_the_middle_is_not_delivered(smtp: SmtpServer) -> None:
    # given a caller that gives up while the message is on its way
    large = MESSAGE + b"more\r\n" * 5_000_000
    begun = asyncio.Event()

    def watch(data: bytes) -> bytes:
        if data.startswith(b"354"):
            begun.set()
        return data

    async with Relay(smtp.port, meddle=watch) as relay:
        settings = smtp.submission("anna", Security.NONE, port=relay.port)
        async with opened(settings, smtp.ca_file) as submission:
            await submission.begin(envelope(BERT, octets=len(large)))
            sending = asyncio.create_task(submission.transmit(large))
            await begun.wait()

            # when
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending

    # then
    smtp.await_log("lost connection after DATA")
    smtp.await_log("disconnect from")
    assert "status=sent" not in smtp.log


async def test_a_local_part_beyond_ascii_is_delivered_to(smtp_server_installed: None, dovecot: Dovecot) -> None:
    with SmtpServer(dovecot, users=["anna", "zoë"]) as server:
        content = MESSAGE.replace(b"bert", "zoë".encode()).replace(b"hello", "grüße".encode())

        # when
        async with opened(server.submission("anna"), server.ca_file) as submission:
            assert await submission.begin(envelope(f"zoë@{DOMAIN}", octets=len(content), needs_utf8=True)) == []
            await submission.transmit(content)

        # then
        server.await_log("status=sent")
        (arrived,) = [path.read_bytes() for path in dovecot.maildir("zoë").files()]
        assert arrived.endswith(content.replace(b"\r\n", b"\n"))


async def test_and_is_not_where_somebody_hid_that_the_server_can(smtp: SmtpServer) -> None:
    async with Relay(smtp.port, meddle=lambda data: data.replace(b"250-SMTPUTF8\r\n", b"")) as relay:
        settings = smtp.submission("anna", Security.NONE, port=relay.port)
        async with opened(settings, smtp.ca_file) as submission:
            with pytest.raises(Utf8NotOffered):
                await submission.begin(envelope(f"zoë@{DOMAIN}", needs_utf8=True))


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_large_message_takes_little_memory(smtp: SmtpServer, dovecot: Dovecot, security: Security) -> None:
    # given a message of 20 MB with dots to be doubled
    content = MESSAGE + b".a line that begins with a dot\r\n" * 625_000

    async with opened(smtp.submission("anna", security), smtp.ca_file) as submission:
        await submission.begin(envelope(BERT, octets=len(content)))
        tracemalloc.start()
        try:
            # when
            await submission.transmit(content)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    # then
    print(f"{len(content)} octets over {security}: {peak} octets of memory at most")
    assert peak < 2_000_000
    smtp.await_delivery("bert")
    (arrived,) = mail_of(dovecot, "bert")
    assert arrived.endswith(content)
