"""Signing in to postfix by every way there is, and being kept out of it; nobody else gets to see a password."""

import asyncio
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
import trustme

from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Security, Server
from popfetch.domain.secret import Secret
from popfetch.smtp.errors import SignInRefused, TlsFailed
from tests.real.dovecot import PASSWORD, Dovecot
from tests.real.relay import Relay
from tests.real.smtp_server import DOMAIN, SmtpServer

pytestmark = pytest.mark.real

ALL = ("plain", "login", "cram-md5")


async def sign_in(server: Server, ca_file: str | None, password: str = PASSWORD) -> None:
    dialer = SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file)
    await dialer.sign_in(server, Secret(password), asyncio.get_running_loop().time() + 20)


def tells_the_password(sent: bytes) -> bool:
    """True when the password, plain or encoded with or without the user, is in what was sent."""
    encoded = (b64encode(PASSWORD.encode()), b64encode(f"\0anna\0{PASSWORD}".encode()))
    return any(form in sent for form in (PASSWORD.encode(), *encoded))


@pytest.mark.parametrize("security", list(Security))
async def test_signs_in_over_every_kind_of_connection(smtp: SmtpServer, security: Security) -> None:
    async with Relay(smtp.tls_port if security is Security.TLS else smtp.port) as relay:
        # when
        await sign_in(smtp.submission("anna", security, port=relay.port), smtp.ca_file)

    # then
    smtp.await_log("auth=1 quit=1")
    assert not tells_the_password(relay.last.sent)
    if security is Security.NONE:
        hello, auth, _proof, farewell = relay.last.commands
        assert (hello, auth, farewell) == ("EHLO [127.0.0.1]", "AUTH CRAM-MD5", "QUIT")


@pytest.mark.parametrize(
    ("mechanism", "security"),
    [("plain", Security.STARTTLS), ("login", Security.TLS), ("login", Security.NONE), ("cram-md5", Security.STARTTLS)],
)
async def test_signs_in_by_every_mechanism(
    smtp_server_installed: None, dovecot: Dovecot, mechanism: str, security: Security
) -> None:
    with SmtpServer(dovecot, mechanisms=[mechanism]) as server:
        await sign_in(server.submission("anna", security), server.ca_file)
        server.await_log("auth=1 quit=1")


@pytest.mark.parametrize(
    ("mechanisms", "security"),
    [(ALL, Security.TLS), (ALL, Security.STARTTLS), (ALL, Security.NONE), (["cram-md5"], Security.TLS)],
)
async def test_a_wrong_password_is_refused_and_tried_once(
    smtp_server_installed: None, dovecot: Dovecot, mechanisms: Sequence[str], security: Security
) -> None:
    with SmtpServer(dovecot, mechanisms=mechanisms) as server:
        with pytest.raises(SignInRefused) as refusal:
            await sign_in(server.submission("anna", security), server.ca_file, "not-the-one")
        assert refusal.value.explicit
        assert "not-the-one" not in str(refusal.value)
        server.await_log("disconnect from .* auth=0/1")
        assert server.log.count("authentication failed") == 1


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_an_unknown_authority_gets_no_credentials(smtp: SmtpServer, tmp_path: Path, security: Security) -> None:
    # given a client that trusts somebody else
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))

    # when
    for ca_file in (str(other), None):
        with pytest.raises(TlsFailed, match="authority that is not trusted"):
            await sign_in(smtp.submission("anna", security), ca_file)

    # then
    smtp.await_log("disconnect from", 3)
    assert "auth=" not in smtp.log


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_certificate_for_another_name_gets_no_credentials(
    smtp_server_installed: None, dovecot: Dovecot, security: Security
) -> None:
    with SmtpServer(dovecot, names=["smtp.example.com"]) as server:
        with pytest.raises(TlsFailed, match="is for another name"):
            await sign_in(server.submission("anna", security), server.ca_file)
        server.await_log("disconnect from", 2)
        assert "auth=" not in server.log


async def test_where_starttls_is_required_nothing_goes_without(smtp_server_installed: None, dovecot: Dovecot) -> None:
    with SmtpServer(dovecot, tls="encrypt") as server:
        with pytest.raises(TlsFailed, match="choose STARTTLS"):
            await sign_in(server.submission("anna", Security.NONE), server.ca_file)
        await sign_in(server.submission("anna", Security.STARTTLS), server.ca_file)
        server.await_log("starttls=1 auth=1 quit=1")


async def test_a_stripped_starttls_gets_no_password(smtp: SmtpServer) -> None:
    # given somebody in between who hides STARTTLS
    async with Relay(smtp.port, meddle=lambda data: data.replace(b"250-STARTTLS\r\n", b"")) as relay:
        # when
        with pytest.raises(TlsFailed):
            await sign_in(smtp.submission("anna", Security.STARTTLS, port=relay.port), smtp.ca_file)

    # then
    assert relay.last.commands == ["EHLO [127.0.0.1]"]


async def test_octets_slipped_in_behind_starttls_count_for_nothing(smtp: SmtpServer) -> None:
    # given somebody in between who lets the go-ahead be followed by a welcome in the clear
    go_ahead = b"220 2.0.0 Ready to start TLS\r\n"
    slipped = go_ahead + b"250-x\r\n250 AUTH PLAIN\r\n235 2.7.0 welcome\r\n"
    async with Relay(smtp.port, meddle=lambda data: slipped if data == go_ahead else data) as relay:
        # when
        with pytest.raises(SignInRefused):
            await sign_in(smtp.submission("anna", Security.STARTTLS, port=relay.port), smtp.ca_file, "not-the-one")


def test_the_server_delivers_into_dovecots_mailboxes(dovecot: Dovecot, smtp: SmtpServer) -> None:
    # given
    trusted = ssl.create_default_context(cafile=smtp.ca_file)

    # when
    with smtplib.SMTP_SSL("localhost", smtp.tls_port, context=trusted) as client:
        client.login("anna", PASSWORD)
        client.sendmail(f"anna@{DOMAIN}", [f"bert@{DOMAIN}"], b"Subject: hello\r\n\r\nHello, Bert.\r\n")

    # then
    smtp.await_delivery("bert")
    with dovecot.reader("bert") as reader:
        (message,) = reader.messages().values()
        assert message.endswith(b"\r\nHello, Bert.\r\n")
        reader.quit()
