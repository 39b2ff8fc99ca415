import itertools
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.message_identity import (
    BODY_IN_IDENTITY,
    HEADER_LIMIT,
    HeaderFields,
    MessageDigest,
    read_header_fields,
)

HEADER = (
    b"Received: from a by b; Sun, 01 Nov 2026 08:26:00 +0100\r\n"
    b"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.net>\r\n"
    b"Subject: one\r\n two\r\nMessage-ID: <1@example.net>\r\nDate: Sat, 31 Oct 2026 23:00:00 -0500\r\n\r\n"
)


def digest_of(message: bytes, cuts: list[int] | None = None) -> MessageDigest:
    digest = MessageDigest()
    edges = [0, *sorted(cut % (len(message) + 1) for cut in cuts or []), len(message)]
    for start, end in itertools.pairwise(edges):
        digest.feed(message[start:end])
    digest.finish()
    return digest


def id_of(message: bytes, uid: bytes = b"1", account: str = "account") -> str:
    return digest_of(message).message_id(account, uid)


MESSAGES = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\r\n", b"\n", b"Status: RO", b"Subject: x", b" folded", b"\x00", b"."])).map(b"".join),
)


@given(MESSAGES, st.lists(st.integers(min_value=0, max_value=10_000), max_size=20))
def test_how_a_message_arrives_in_pieces_never_shows(message: bytes, cuts: list[int]) -> None:
    whole, pieces = digest_of(message), digest_of(message, cuts)
    assert whole.sha256 == pieces.sha256 == sha256(message).digest()
    assert whole.content == pieces.content
    assert whole.message_id("a", b"u") == pieces.message_id("a", b"u")
    assert whole.octets == len(message)


@pytest.mark.parametrize("size", [HEADER_LIMIT - 1, HEADER_LIMIT, HEADER_LIMIT + 1, HEADER_LIMIT * 2])
def test_a_header_that_does_not_end_is_bounded(size: int) -> None:
    message = b"X: " + b"y" * size + b"\r\n\r\nbody"
    assert digest_of(message).content == digest_of(message, list(range(0, size, 7777))).content


def test_a_large_message_is_known_before_it_has_ended() -> None:
    digest = MessageDigest()
    digest.feed(HEADER + b"x" * BODY_IN_IDENTITY)
    assert digest.ready
    early = digest.message_id("a", b"u")
    digest.feed(b"and more")
    digest.finish()
    assert digest.message_id("a", b"u") == early


@pytest.mark.parametrize(
    "other",
    [
        {"uid": b"2"},
        {"account": "another"},
        {"message": HEADER.replace(b"one", b"two") + b"body"},
        {"message": HEADER + b"another body"},
    ],
)
def test_account_uid_header_and_body_tell_messages_apart(other: dict[str, object]) -> None:
    first: dict[str, object] = {"message": HEADER + b"body", "uid": b"1", "account": "account"}
    assert id_of(**first) != id_of(**{**first, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize("rewritten", [b"Status: RO\r\n", b"X-UIDL: abc\r\n more\r\n", b"content-length: 4\r\n"])
def test_fields_that_servers_rewrite_change_nothing(rewritten: bytes) -> None:
    assert id_of(rewritten + HEADER + b"body") == id_of(HEADER + b"body")
    assert digest_of(rewritten + HEADER).content == digest_of(HEADER).content
    assert digest_of(rewritten + HEADER).sha256 != digest_of(HEADER).sha256


def test_ids_sort_by_arrival_and_are_short() -> None:
    earlier = id_of(b"Date: Sun, 01 Nov 2026 08:00:00 +0000\r\n\r\n")
    later = id_of(b"Date: Sun, 01 Nov 2026 09:30:00 +0100\r\n\r\n")
    undated = id_of(b"Subject: none\r\n\r\n")
    assert undated < earlier < later
    assert {len(earlier), len(later), len(undated)} == {26}
    assert earlier.isalnum()


def test_the_index_sees_decoded_fields() -> None:
    fields = read_header_fields(HEADER)
    assert fields == HeaderFields(
        dated=datetime(2026, 11, 1, 4, tzinfo=UTC),
        arrived=datetime(2026, 11, 1, 7, 26, tzinfo=UTC),
        sender="Jörg <joerg@example.net>",
        subject="one two",
        message_id="<1@example.net>",
    )


@pytest.mark.parametrize(
    "date",
    [
        b"yesterday",
        b"",
        b"Mon, 99 Foo 2026 99:99:99 +9999",
        b"Mon, 01 Jan 1601 00:00:00 +0000",
        b"Fri, 31 Dec 9999 23:59:59 -1200",
        b"\xff\xfe",
        b"1" * 5000,
    ],
)
def test_absurd_dates_are_none(date: bytes) -> None:
    assert read_header_fields(b"Date: " + date + b"\r\n").dated is None


@given(st.binary(max_size=500))
def test_bad_headers_are_never_an_error(block: bytes) -> None:
    for name in (b"Date: ", b"Subject: =?utf-8?b?", b"From: =?x-unknown?q?", b"Received: ; "):
        fields = read_header_fields(name + block)
        assert all(
            character.isprintable() or character == "\ufffd" or ord(character) > 159 for character in fields.subject
        )
