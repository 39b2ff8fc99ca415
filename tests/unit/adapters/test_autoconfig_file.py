"""Autoconfig files: what is taken out of good ones, and that bad ones do no harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.adapters.autoconfig_file import read_autoconfig
from popfetch.domain.account import Security
from popfetch.domain.errors import LookupFailed
from popfetch.domain.mail_settings import FoundServer, MailAddress
from popfetch.domain.provider import SignInMethod
from popfetch.ports.settings_lookup import Autoconfig
from tests.builders.autoconfig_files import a_file, a_server

ANNA = MailAddress("Anna@example.com", "example.com")


def read(*servers: str, address: MailAddress = ANNA) -> Autoconfig:
    return read_autoconfig(a_file(*servers), address)


def incoming(*servers: str, address: MailAddress = ANNA) -> FoundServer:
    found = read(*servers, address=address).incoming
    assert found
    return found


class TestServers:
    def test_are_taken_as_they_are(self) -> None:
        found = read(a_server("imap"), a_server(), a_server("smtp", "smtp.example.com", "465"))
        assert found == Autoconfig(
            incoming=FoundServer("pop.example.com", 995, Security.TLS, "Anna@example.com"),
            outgoing=FoundServer("smtp.example.com", 465, Security.TLS, "Anna@example.com"),
            sign_in_methods=(SignInMethod.PASSWORD,),
        )

    @pytest.mark.parametrize(
        ("order", "best"),
        [
            (("plain", "STARTTLS", "SSL"), Security.TLS),
            (("plain", "STARTTLS"), Security.STARTTLS),
            (("plain",), Security.NONE),
        ],
    )
    def test_with_better_protection_come_first(self, order: tuple[str, ...], best: Security) -> None:
        found = read(*(a_server(kind, security=security) for security in order for kind in ("pop3", "smtp")))
        assert found.incoming
        assert found.outgoing
        assert found.incoming.security is found.outgoing.security is best

    def test_with_the_same_protection_keep_their_order(self) -> None:
        assert incoming(a_server(host="b.example.com"), a_server(host="a.example.com")).host == "b.example.com"

    @pytest.mark.parametrize(
        "unusable",
        [
            {"host": ""},
            {"host": "localhost"},
            {"host": "127.0.0.1"},
            {"host": "[::1]"},
            {"host": "2130706433"},
            {"host": "pop.example.com/path"},
            {"host": "%UNKNOWN%"},
            {"port": ""},
            {"port": "0"},
            {"port": "65536"},
            {"port": "-995"},
            {"port": "٩٩٥"},
            {"port": "9" * 5000},
            {"port": "995x"},
            {"security": ""},
            {"security": "TLSv9"},
        ],
    )
    def test_that_make_no_sense_are_passed_over(self, unusable: dict[str, str]) -> None:
        assert incoming(a_server(**unusable), a_server(host="other.example.com")).host == "other.example.com"
        with pytest.raises(LookupFailed, match="no incoming server"):
            read(a_server(**unusable), a_server("imap"))

    def test_may_write_white_space_around_everything(self) -> None:
        found = incoming(a_server(host="\n pop.example.com\n", port=" 995 ", security=" ssl ", username="\n anna \n"))
        assert found == FoundServer("pop.example.com", 995, Security.TLS, "anna")

    def test_only_for_imap_say_that_there_is_no_pop(self) -> None:
        found = read(a_server("imap"), a_server("smtp"))
        assert found.incoming is None
        assert found.outgoing

    def test_only_for_sending_say_nothing(self) -> None:
        with pytest.raises(LookupFailed):
            read(a_server("smtp"))

    @pytest.mark.parametrize(
        ("ways", "methods"),
        [
            (("OAuth2",), (SignInMethod.OAUTH2,)),
            (("OAuth2", "password-cleartext"), (SignInMethod.PASSWORD,)),
            ((), (SignInMethod.PASSWORD,)),
        ],
    )
    def test_tell_when_they_take_no_password(self, ways: tuple[str, ...], methods: tuple[SignInMethod, ...]) -> None:
        more = "".join(f"<authentication>{way}</authentication>" for way in ways)
        assert read(a_server(more=more)).sign_in_methods == methods


class TestPlaceholders:
    @pytest.mark.parametrize(
        ("template", "username"),
        [
            ("%EMAILADDRESS%", "Anna@example.com"),
            ("%EMAILLOCALPART%", "Anna"),
            ("%EMAILLOCALPART%.%EMAILDOMAIN%", "Anna.example.com"),
            ("fixed", "fixed"),
            ("", "Anna@example.com"),
            ("%CUSTOMER%", "Anna@example.com"),
            ("x" * 300, "Anna@example.com"),
            ("an&#9;na", "Anna@example.com"),
        ],
    )
    def test_in_user_names_are_filled_in(self, template: str, username: str) -> None:
        assert incoming(a_server(username=template)).username == username

    def test_in_hosts_are_filled_in_with_the_ascii_domain(self) -> None:
        address = MailAddress("anna@müller.example", "xn--mller-kva.example")
        found = incoming(a_server(host="pop.%EMAILDOMAIN%", username="%EMAILDOMAIN%"), address=address)
        assert found.host == "pop.xn--mller-kva.example"
        assert found.username == "müller.example"

    def test_leave_percent_signs_of_the_address_alone(self) -> None:
        odd = MailAddress("50%off@example.com", "example.com")
        assert incoming(a_server(username="%EMAILLOCALPART%"), address=odd).username == "50%off"

    def test_that_the_address_itself_holds_are_no_placeholders(self) -> None:
        odd = MailAddress("%EMAILDOMAIN%@example.com", "example.com")
        assert incoming(a_server(), address=odd).username == odd.text


BOMB = b'<!DOCTYPE a [<!ENTITY b "%s"><!ENTITY c "%s">]><clientConfig>&c;</clientConfig>' % (b"x" * 1000, b"&b;" * 1000)
EXTERNAL = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><clientConfig>&b;</clientConfig>'


class TestFilesThatAreNone:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html><body>Not found</body></html>",
            b"<!DOCTYPE html><html></html>",
            b"<clientConfig",
            b"<clientConfig/>",
            BOMB,
            EXTERNAL,
            b"\xff\xfe\x00",
            b"\0" * 100,
            b'<?xml version="1.0" encoding="utf-8"?><clientConfig>\xff</clientConfig>',
            b'<?xml version="1.0" encoding="no-such-thing"?><clientConfig/>',
            b'<?xml version="1.0" encoding="utf-7"?><clientConfig/>',
            b'<?xml version="1.0" encoding="shift-jis"?><clientConfig/>',
            b"<clientConfig>" * 9000,
            b"<a>" * 18_000 + b"</a>" * 18_000,
        ],
    )
    def test_are_one_failure(self, content: bytes) -> None:
        with pytest.raises(LookupFailed):
            read_autoconfig(content, ANNA)

    def test_in_another_encoding_are_read(self) -> None:
        content = a_file(a_server()).decode().replace("UTF-8", "UTF-16").encode("utf-16")
        assert read_autoconfig(content, ANNA).incoming

    @given(content=st.binary(max_size=200))
    def test_of_any_octets_are_decided(self, content: bytes) -> None:
        with pytest.raises(LookupFailed):
            read_autoconfig(content, ANNA)

    @given(
        host=st.text(max_size=40), port=st.text(max_size=8), security=st.text(max_size=8), username=st.text(max_size=40)
    )
    def test_with_any_text_are_decided(self, host: str, port: str, security: str, username: str) -> None:
        try:
            read(a_server(host=host, port=port, security=security, username=username))
        except LookupFailed:
            return
