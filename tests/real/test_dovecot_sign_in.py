"""Signing in to dovecot by every way there is, and being kept out of it; nobody else gets to see a password."""

import asyncio
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
import trustme

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.pop3_dialer import Pop3Dialer
from popfetch.adapters.pop3_maildrop import Pop3Maildrop
from popfetch.domain.account import Security, Server
from popfetch.domain.secret import Secret
from popfetch.pop3.errors import MaildropBusy, SignInRefused, TlsFailed
from popfetch.ports.maildrop import DialAdvice
from tests.real.dovecot import PASSWORD, Dovecot
from tests.real.mixed_mail import a_header
from tests.real.relay import Relay

pytestmark = pytest.mark.real

ALL = ("plain", "login", "cram-md5", "apop")


async def sign_in(server: Server, ca_file: str | None, password: str = PASSWORD) -> Pop3Maildrop:
    dialer = Pop3Dialer(HostGuard(allow_private=True), ca_file=ca_file)
    deadline = asyncio.get_running_loop().time() + 20
    return await dialer.open(server, Secret(password), DialAdvice(), deadline)


def tells_the_password(sent: bytes) -> bool:
    """True when the password, plain or encoded with or without the user, is in what was sent."""
    encoded = (b64encode(PASSWORD.encode()), b64encode(f"\0anna\0{PASSWORD}".encode()))
    return any(form in sent for form in (PASSWORD.encode(), *encoded))


@pytest.mark.parametrize("security", list(Security))
async def test_signs_in_over_every_kind_of_connection(dovecot: Dovecot, security: Security) -> None:
    # given
    dovecot.maildir("anna").deliver(a_header(1) + b"Hello.\r\n")

    # when
    maildrop = await sign_in(dovecot.mailbox("anna", security).server, dovecot.ca_file)

    # then
    assert (await maildrop.stat()).count == 1
    assert await maildrop.quit()
    assert (f"{'TLS, ' if security is not Security.NONE else 'secured, '}session=") in dovecot.log


@pytest.mark.parametrize(
    ("mechanisms", "security", "method"),
    [
        (["plain"], Security.TLS, "PLAIN"),
        (["login"], Security.TLS, "LOGIN"),
        (["cram-md5"], Security.TLS, "CRAM-MD5"),
        (ALL, Security.TLS, "PLAIN"),
        (ALL, Security.STARTTLS, "PLAIN"),
        (["apop"], Security.NONE, "APOP"),
        (["plain", "apop"], Security.NONE, "APOP"),
        (["cram-md5"], Security.NONE, "CRAM-MD5"),
        (ALL, Security.NONE, "CRAM-MD5"),
    ],
)
async def test_signs_in_by_the_mechanism_that_fits_the_connection(
    dovecot_installed: None, mechanisms: Sequence[str], security: Security, method: str
) -> None:
    # given
    with Dovecot(mechanisms=mechanisms) as server:
        server.maildir("anna")
        async with Relay(server.tls_port if security is Security.TLS else server.port) as relay:
            # when
            maildrop = await sign_in(server.mailbox("anna", security, port=relay.port).server, server.ca_file)

            # then
            assert await maildrop.quit()
            assert f"user=<anna>, method={method}," in server.log
            assert not tells_the_password(relay.last.sent)


@pytest.mark.parametrize(
    ("mechanisms", "security"),
    [
        (["plain"], Security.TLS),
        (["plain"], Security.STARTTLS),
        (["plain"], Security.NONE),
        (["cram-md5"], Security.NONE),
        (["apop"], Security.NONE),
        (ALL, Security.TLS),
        (ALL, Security.NONE),
    ],
)
async def test_a_wrong_password_is_refused_and_tried_once(
    dovecot_installed: None, mechanisms: Sequence[str], security: Security
) -> None:
    with Dovecot(mechanisms=mechanisms) as server:
        server.maildir("anna")
        async with Relay(server.tls_port if security is Security.TLS else server.port) as relay:
            mailbox = server.mailbox("anna", security, port=relay.port)
            with pytest.raises(SignInRefused) as refusal:
                await sign_in(mailbox.server, server.ca_file, "not-the-one")
        assert refusal.value.explicit
        assert "not-the-one" not in str(refusal.value)
        assert server.log.count("assword mismatch") <= 1
        if security is Security.NONE:
            tries = [line for line in relay.last.commands if line[:4] in {"PASS", "AUTH", "APOP"}]
            assert len(tries) == 1


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_an_unknown_authority_gets_no_credentials(dovecot: Dovecot, tmp_path: Path, security: Security) -> None:
    # given a client that trusts somebody else
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    dovecot.maildir("anna")
    async with Relay(dovecot.tls_port if security is Security.TLS else dovecot.port) as relay:
        mailbox = dovecot.mailbox("anna", security, port=relay.port)

        # when
        with pytest.raises(TlsFailed):
            await sign_in(mailbox.server, str(other))
        with pytest.raises(TlsFailed):
            await sign_in(mailbox.server, None)

    # then
    assert "Login:" not in dovecot.log
    assert "auth failed" not in dovecot.log
    for conversation in relay.conversations:
        assert not tells_the_password(conversation.sent)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_certificate_for_another_name_gets_no_credentials(dovecot_installed: None, security: Security) -> None:
    with Dovecot(names=["pop.example.com"]) as server:
        server.maildir("anna")
        with pytest.raises(TlsFailed):
            await sign_in(server.mailbox("anna", security).server, server.ca_file)
        assert "Login:" not in server.log
        assert "auth failed" not in server.log


@pytest.mark.parametrize("secured", ["yes", "required"])
async def test_an_stls_that_somebody_hides_is_used_all_the_same(dovecot_installed: None, secured: str) -> None:
    # given somebody in between who takes STLS out of the capabilities
    with Dovecot(tls=secured) as server:
        server.maildir("anna")
        async with Relay(server.port, meddle=lambda data: data.replace(b"STLS\r\n", b"")) as relay:
            # when
            mailbox = server.mailbox("anna", Security.STARTTLS, port=relay.port)
            maildrop = await sign_in(mailbox.server, server.ca_file)

            # then
            assert await maildrop.quit()
        assert "TLS, session=" in server.log
        assert not tells_the_password(relay.last.sent)


async def test_a_stripped_stls_gets_no_password(dovecot: Dovecot) -> None:
    # given somebody in between who hides STLS, and answers it for the server
    dovecot.maildir("anna")

    def refuse(data: bytes) -> bytes:
        return b"-ERR Unknown command.\r\n" if b"Begin TLS" in data else data.replace(b"STLS\r\n", b"")

    async with Relay(dovecot.port, meddle=refuse) as relay:
        # when
        with pytest.raises(TlsFailed):
            await sign_in(dovecot.mailbox("anna", Security.STARTTLS, port=relay.port).server, dovecot.ca_file)

    # then
    for conversation in relay.conversations:
        assert not tells_the_password(conversation.sent)
        assert not [line for line in conversation.commands if line[:4].upper() in {"USER", "PASS", "AUTH", "APOP"}]


async def test_a_maildrop_that_somebody_else_has_open_is_busy(dovecot_installed: None) -> None:
    # given
    with Dovecot(lock_session=True) as server:
        server.maildir("anna").deliver(a_header(1) + b"Hello.\r\n")
        with server.reader("anna") as other:
            # when
            with pytest.raises(MaildropBusy):
                await sign_in(server.mailbox("anna").server, server.ca_file)
            other.quit()

        # then it is free again
        maildrop = await sign_in(server.mailbox("anna").server, server.ca_file)
        assert (await maildrop.stat()).count == 1
        assert await maildrop.quit()
