"""The commands that tell of a message: their words, and addresses that must never become more than that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.smtp.commands import announced_limit, mail_from, rcpt_to
from popfetch.smtp.errors import RecipientRefused, SenderRefused


@pytest.mark.parametrize(
    ("parameter", "limit"),
    [
        ("35882577", 35_882_577),
        (" 1000 ", 1000),
        ("1000 more", 1000),
        ("00012", 12),
        ("0", 0),
        ("", 0),
        ("none", 0),
        ("-5", 0),
        ("1e9", 0),
        ("\u0661\u0662", 0),
        ("9" * 20, int("9" * 20)),
        ("9" * 21, 0),
        ("9" * 9_000, 0),
    ],
)
def test_a_size_that_is_no_number_sets_no_limit(parameter: str, limit: int) -> None:
    assert announced_limit(parameter) == limit


@pytest.mark.parametrize(
    ("octets", "utf8", "words"),
    [
        (None, False, b"MAIL FROM:<anna@example.com>"),
        (1234, False, b"MAIL FROM:<anna@example.com> SIZE=1234"),
        (None, True, b"MAIL FROM:<anna@example.com> BODY=8BITMIME SMTPUTF8"),
        (1234, True, b"MAIL FROM:<anna@example.com> SIZE=1234 BODY=8BITMIME SMTPUTF8"),
    ],
)
def test_mail_tells_what_the_server_wants_to_know(octets: int | None, utf8: bool, words: bytes) -> None:
    assert b" ".join(mail_from("anna@example.com", octets=octets, utf8=utf8)) == words


def test_addresses_are_sent_as_utf_8() -> None:
    assert b" ".join(rcpt_to("zoë@example.com")) == "RCPT TO:<zoë@example.com>".encode()


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", " ", "\t", "<", ">", "\x7f", "\x1b", "\ud800", "\r\nDATA\r\n"])
@pytest.mark.parametrize("address", ["{}anna@example.com", "an{}na@example.com", "anna@example.com{}", "{}"])
def test_an_address_never_breaks_out_of_its_place(address: str, bad: str) -> None:
    with pytest.raises(SenderRefused) as sender:
        mail_from(address.format(bad), octets=None, utf8=False)
    with pytest.raises(RecipientRefused) as recipient:
        rcpt_to(address.format(bad))
    assert bad not in sender.value.message.replace(" ", "") + recipient.value.message.replace(" ", "")


def test_nobody_is_no_address() -> None:
    with pytest.raises(SenderRefused):
        mail_from("", octets=None, utf8=False)
    with pytest.raises(RecipientRefused):
        rcpt_to("")


@given(st.text())
def test_whatever_the_address_a_command_is_one_line_with_one_path(address: str) -> None:
    try:
        words = rcpt_to(address)
    except RecipientRefused:
        return
    line = b" ".join(words)
    assert line == b"RCPT TO:<" + address.encode() + b">"
    assert line.count(b" ") == line.count(b"<") == line.count(b">") == 1
    assert not any(octet < 32 for octet in line)
