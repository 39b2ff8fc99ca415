"""The address that replies to an account's mail go to, and how it proves itself.

An address is used only once whoever reads its mail has said so. Until a new one is verified, the one before it stays
in force. A question that was asked is answered once, in time, and only by who has its token; of a token nothing but
its hash is kept.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hmac import compare_digest

from popfetch.domain.errors import ReplyToLinkInvalid
from popfetch.domain.rate_limit import Limit
from popfetch.domain.secret import hash_of_token

LINK_LIFETIME = timedelta(hours=24)
"""How long a question can be answered."""

MAILS_OF_ACCOUNT = Limit(10, within=timedelta(hours=24))
"""How often an account may ask, whatever the address."""

MAILS_TO_ADDRESS = Limit(5, within=timedelta(hours=24))
"""How often an address may be asked, whoever asks."""


@dataclass(frozen=True, slots=True)
class Question:
    """An address was asked by mail whether it wants the replies; ``token_hash`` is what the answer must match."""

    address: str
    token_hash: bytes = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """What is in force, empty for none, and what was asked and is not answered yet."""

    in_force: str = ""
    question: Question | None = None


NO_REPLY_TO = ReplyTo()


@dataclass(frozen=True, slots=True)
class ReplyToLink:
    """What a link leads to: whose account asked, and the language of the mail that it came with."""

    owner_id: str
    account_id: str
    language: str
    expires_at: datetime


def hash_of(token: str) -> bytes:
    """What is kept of a token (SHA-256). Raises ReplyToLinkInvalid for a text that cannot be one."""
    hashed = hash_of_token(token)
    if hashed is None:
        raise ReplyToLinkInvalid
    return hashed


def asked(reply_to: ReplyTo, question: Question) -> ReplyTo:
    """After a question was asked: it takes the place of any before it, and nobody asks for what is in force."""
    if question.address == reply_to.in_force:
        return withdrawn(reply_to)
    return replace(reply_to, question=question)


def withdrawn(reply_to: ReplyTo) -> ReplyTo:
    """After an open question was withdrawn: what is in force stays so."""
    return replace(reply_to, question=None)


def taken_back(reply_to: ReplyTo, question: Question, before: ReplyTo) -> ReplyTo:
    """After ``question`` could not be mailed: the one of ``before`` stands again, unless others came since."""
    return replace(reply_to, question=before.question) if reply_to.question == question else reply_to


def question_of(reply_to: ReplyTo, token_hash: bytes, now: datetime) -> Question:
    """The open question that a token answers.

    Raises ReplyToLinkInvalid where there is none: it is another's token, it came too late, or not for the first time.
    """
    question = reply_to.question
    if question is None or not compare_digest(question.token_hash, token_hash) or now >= question.expires_at:
        raise ReplyToLinkInvalid
    return question


def confirmed(reply_to: ReplyTo, token_hash: bytes, now: datetime) -> ReplyTo:
    """After an answer: the address of the question is in force. Raises ReplyToLinkInvalid as ``question_of`` does."""
    return ReplyTo(in_force=question_of(reply_to, token_hash, now).address)


def mailbox_of(address: str) -> str:
    """The mailbox that an address most likely leads to, for counting: without its tag, in lower case (RFC 5233)."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"
