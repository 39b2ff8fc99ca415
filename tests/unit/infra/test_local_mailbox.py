"""The demo mailbox is the same at every run, and as varied as it claims to be."""

from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

from infra.local.mailbox import FIRST_DELIVERY, LATER_DELIVERY, first_delivery, later_delivery


def test_same_mail_every_time() -> None:
    assert first_delivery() == first_delivery()
    assert later_delivery(FIRST_DELIVERY) == later_delivery(FIRST_DELIVERY)


def test_no_two_messages_are_alike() -> None:
    messages = first_delivery() + later_delivery(FIRST_DELIVERY)
    assert len(set(messages)) == FIRST_DELIVERY + LATER_DELIVERY


def test_lines_end_as_pop3_sends_them() -> None:
    for message in first_delivery():
        assert message.endswith(b"\r\n")
        assert b"\n" not in message.replace(b"\r\n", b"")
        assert b"\r" not in message.replace(b"\r\n", b"")


def test_messages_are_dated_and_in_order() -> None:
    dates = [parsedate_to_datetime(message_from_bytes(message)["Date"]) for message in first_delivery()]
    assert dates == sorted(dates)


def test_kinds_are_all_there() -> None:
    raw = first_delivery()
    parsed = [message_from_bytes(message, policy=policy.default) for message in raw]
    types = {part.get_content_type() for message in parsed for part in message.walk()}
    assert types >= {"text/plain", "text/html", "application/pdf", "image/png", "text/csv", "message/rfc822"}
    subjects = " ".join(message["Subject"] for message in parsed)
    assert "Chúc mừng" in subjects
    assert "打ち合わせ" in subjects
    assert any(max(map(len, message.split(b"\r\n"))) > 998 for message in raw)
    assert any(b"\r\n." in message for message in raw)
    assert any(not message.partition(b"\r\n\r\n")[2] for message in raw)
    assert any(not message.isascii() for message in raw)


def test_no_defects_where_none_are_meant() -> None:
    for message in first_delivery():
        assert not message_from_bytes(message, policy=policy.default).defects
