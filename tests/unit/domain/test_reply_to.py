"""Reply addresses: none is in force but those whose own token came back in time."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from popfetch.domain.errors import ReplyToLinkInvalid
from popfetch.domain.reply_to import (
    LINK_LIFETIME,
    NO_REPLY_TO,
    Question,
    ReplyTo,
    asked,
    confirmed,
    hash_of,
    mailbox_of,
    question_of,
    taken_back,
    withdrawn,
)
from popfetch.domain.secret import TOKEN_OCTETS
from tests.builders.accounts import NOON


def a_hash(number: int = 1) -> bytes:
    return sha256(bytes([number])).digest()


def a_question(address: str = "new@example.com", number: int = 1, at: datetime = NOON) -> Question:
    return Question(address, a_hash(number), at + LINK_LIFETIME)


class TestAsking:
    def test_what_is_in_force_stays_until_the_answer(self) -> None:
        assert asked(ReplyTo("old@example.com"), a_question()) == ReplyTo("old@example.com", a_question())

    def test_a_new_question_takes_the_place_of_the_old(self) -> None:
        first, second = a_question(number=1), a_question(number=2)
        assert asked(asked(NO_REPLY_TO, first), second) == ReplyTo(question=second)

    def test_nobody_asks_for_what_is_in_force(self) -> None:
        open_one = ReplyTo("old@example.com", a_question())
        assert asked(open_one, a_question("old@example.com", 2)) == ReplyTo("old@example.com")
        assert withdrawn(open_one) == ReplyTo("old@example.com")

    def test_what_could_not_be_mailed_leaves_what_was_before(self) -> None:
        before = ReplyTo("old@example.com", a_question(number=1))
        after = asked(before, a_question("other@example.com", 2))
        assert taken_back(after, a_question("other@example.com", 2), before) == before
        assert taken_back(NO_REPLY_TO, a_question("other@example.com", 2), before) == NO_REPLY_TO
        newer = asked(after, a_question(number=3))
        assert taken_back(newer, a_question("other@example.com", 2), before) == newer


class TestAnswering:
    def test_the_right_token_in_time_puts_the_address_in_force_once(self) -> None:
        after = confirmed(ReplyTo("old@example.com", a_question()), a_hash(), NOON)
        assert after == ReplyTo("new@example.com")
        with pytest.raises(ReplyToLinkInvalid):
            confirmed(after, a_hash(), NOON)

    @pytest.mark.parametrize("token_hash", [a_hash(2), b"", a_hash()[:-1], a_hash() + b"\0"])
    def test_another_token_does_not(self, token_hash: bytes) -> None:
        with pytest.raises(ReplyToLinkInvalid):
            confirmed(ReplyTo(question=a_question()), token_hash, NOON)

    def test_the_last_moment_is_before_the_end(self) -> None:
        just_before = NOON + LINK_LIFETIME - timedelta(microseconds=1)
        assert question_of(ReplyTo(question=a_question()), a_hash(), just_before) == a_question()
        with pytest.raises(ReplyToLinkInvalid):
            question_of(ReplyTo(question=a_question()), a_hash(), NOON + LINK_LIFETIME)


class TestTokens:
    def test_a_token_is_kept_as_its_hash(self) -> None:
        token = secrets.token_urlsafe(TOKEN_OCTETS)
        assert hash_of(token) == sha256(token.encode()).digest()
        assert repr(hash_of(token)) not in repr(Question("a@example.com", hash_of(token), NOON))

    @pytest.mark.parametrize(
        "text", ["", "x", "x" * 42, "x" * 44, "x" * 42 + "=", "é" * 43, "\udfff" * 43, "x" * 43 + "\n"]
    )
    def test_what_cannot_be_a_token_is_none(self, text: str) -> None:
        with pytest.raises(ReplyToLinkInvalid):
            hash_of(text)


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Anna@Example.com", "anna@example.com"),
        ("anna+popfetch@example.com", "anna@example.com"),
        ("anna+a+b@example.com", "anna@example.com"),
        ("+anna@example.com", "+anna@example.com"),
    ],
)
def test_tags_and_case_make_no_other_mailbox(address: str, mailbox: str) -> None:
    assert mailbox_of(address) == mailbox


class AnySequence(RuleBasedStateMachine):
    """Asks, answers with any token ever made, removals, and time that passes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.reply_to = NO_REPLY_TO
        self.now = NOON
        self.asked: list[Question] = []
        self.answered: set[bytes] = set()
        self.earned = ""

    @rule(address=st.sampled_from(["a@example.com", "b@example.com", "c@example.com"]), mailed=st.booleans())
    def ask(self, address: str, mailed: bool) -> None:
        before = self.reply_to
        question = Question(address, sha256(str(len(self.asked)).encode()).digest(), self.now + LINK_LIFETIME)
        self.asked.append(question)
        self.reply_to = asked(before, question)
        if not mailed:
            self.reply_to = taken_back(self.reply_to, question, before)
            assert self.reply_to == (withdrawn(before) if address == before.in_force else before)
        assert self.reply_to.in_force == before.in_force

    @precondition(lambda self: self.asked)
    @rule(pick=st.integers(min_value=0))
    def answer(self, pick: int) -> None:
        question = self.asked[-1 - pick % min(len(self.asked), 4)]
        before = self.reply_to
        try:
            self.reply_to = confirmed(self.reply_to, question.token_hash, self.now)
        except ReplyToLinkInvalid:
            assert self.reply_to == before
            return
        assert question.token_hash not in self.answered, "a token worked twice"
        assert self.now < question.expires_at, "a token worked too late"
        assert before.question == question, "a token worked though it was replaced"
        self.answered.add(question.token_hash)
        self.earned = question.address
        assert self.reply_to == ReplyTo(question.address)

    @rule()
    def remove(self) -> None:
        self.reply_to = NO_REPLY_TO
        self.earned = ""

    @rule(hours=st.integers(1, 30))
    def pass_time(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @invariant()
    def only_what_was_confirmed_is_in_force(self) -> None:
        assert self.reply_to.in_force == self.earned


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=30)
