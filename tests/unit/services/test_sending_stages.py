"""A server that closes, falls silent or refuses at every stage: what is answered each time, and never two copies.

Everything but the bucket's and the table's service is real: the service, the dialer, the sockets, the TLS.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest

from popfetch.adapters.dynamodb_items import to_wire
from popfetch.adapters.host_guard import HostGuard
from popfetch.adapters.keys import account_partition
from popfetch.adapters.smtp_dialer import SmtpDialer
from popfetch.domain.account import Direction
from popfetch.domain.draft import Correspondent, Draft
from popfetch.domain.errors import PopfetchError
from popfetch.domain.message import DeliveryState, StoredMessage
from popfetch.domain.secret import Secret
from popfetch.services.sending import Sending, SendMail
from popfetch.smtp.limits import DEFAULT_LIMITS, Limits
from tests.builders.accounts import OWNER, an_account
from tests.builders.aws import Aws, empty
from tests.builders.aws import aws as aws_stack
from tests.builders.journals import RecordingJournal
from tests.builders.kept_accounts import KeptAccounts
from tests.builders.scripted_pop3_server import DEFAULT, Close, Hang, authority_file
from tests.builders.scripted_smtp_server import Action, After, ScriptedSmtpServer

ACCOUNT_ID = an_account().account_id
QUICK = Limits(connect_seconds=1, greeting_seconds=0.3, reply_seconds=0.3, end_seconds=0.3, quit_seconds=0.2)
LATER = b"451 4.3.0 later\r\n"
NEVER = b"554 5.7.1 never\r\n"
NONSENSE = b"hello?\r\n"


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return authority_file(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws_stack() as built:
        yield built


@pytest.fixture
def aws(stack: Aws) -> Iterator[Aws]:
    yield stack
    empty(stack)


@dataclass
class Scene:
    """An account whose outgoing server is the scripted one, and everything that is kept of it."""

    kept: KeptAccounts
    sending: Sending
    server: ScriptedSmtpServer

    async def send(self) -> StoredMessage:
        mail = SendMail(
            OWNER,
            ACCOUNT_ID,
            Draft((Correspondent("bert", "example.org"),), "Hello", "Hello.\n" * 3),
            key="k",
            fingerprint="f",
        )
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000)
        return await asyncio.to_thread(self.sending.send, mail, lambda account_id: self.kept.once(context, account_id))

    @property
    def ends_seen(self) -> int:
        """How often the server saw the end of a message, over all connections."""
        return sum(session.ends for session in self.server.sessions)

    def left(self) -> tuple[int, int]:
        """How many copies are kept, and how many records."""
        stack = self.kept.stack
        objects = stack.s3.list_objects_v2(Bucket=stack.bucket).get("KeyCount", 0)
        items = stack.dynamodb.query(
            TableName=stack.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_wire({":pk": account_partition(ACCOUNT_ID)}),
        )["Count"]
        return objects, items


def a_scene(
    aws: Aws, server: ScriptedSmtpServer, ca_file: str, *, seconds: float = 10, limits: Limits = QUICK
) -> Scene:
    kept = KeptAccounts(aws)
    sealed = kept.vault.seal(Secret(server.password), OWNER, ACCOUNT_ID, Direction.OUTGOING)
    kept.table.add(an_account(outgoing=server.account_server(), outgoing_secret=sealed))
    dialer = SmtpDialer(HostGuard(allow_private=True), ca_file=ca_file, limits=limits)
    sending = kept.sending(RecordingJournal())
    sending = replace(sending, sessions=replace(sending.sessions, dialer=dialer), seconds=seconds)
    return Scene(kept, sending, server)


NOT_SENT: list[tuple[str, Action, str]] = [
    ("greeting", Close(), "cannot_connect"),
    ("greeting", Hang(), "cannot_connect"),
    ("greeting", b"421 4.3.2 later\r\n", "server_error"),
    ("greeting", NEVER, "server_error"),
    ("greeting", NONSENSE, "cannot_connect"),
    ("EHLO", Close(), "cannot_connect"),
    ("EHLO", Hang(), "cannot_connect"),
    ("EHLO", LATER, "server_error"),
    ("EHLO", NEVER, "server_error"),
    ("AUTH", Close(), "cannot_connect"),
    ("AUTH", Hang(), "cannot_connect"),
    ("AUTH", b"454 4.7.0 later\r\n", "server_error"),
    ("AUTH", b"535 5.7.8 no\r\n", "sign_in_refused"),
    ("MAIL", Close(), "connection_lost"),
    ("MAIL", Hang(), "connection_lost"),
    ("MAIL", LATER, "temporary"),
    ("MAIL", b"553 5.7.1 not yours\r\n", "sender_refused"),
    ("MAIL", NONSENSE, "not_sent"),
    ("RCPT", Close(), "connection_lost"),
    ("RCPT", Hang(), "connection_lost"),
    ("RCPT", LATER, "recipients_refused"),
    ("RCPT", b"550 5.1.1 unknown\r\n", "recipients_refused"),
    ("RCPT", b"421 4.3.2 shutting down\r\n", "temporary"),
    ("RCPT", NONSENSE, "not_sent"),
    ("DATA", Close(), "connection_lost"),
    ("DATA", Hang(), "connection_lost"),
    ("DATA", LATER, "temporary"),
    ("DATA", NEVER, "message_refused"),
    ("DATA", NONSENSE, "not_sent"),
    ("content", LATER, "temporary"),
    ("content", NEVER, "message_refused"),
    ("content", b"552 5.3.4 too large\r\n", "message_too_large"),
]
"""The stage, what the server does there, and what its owner is told: nothing was sent."""

NOBODY_KNOWS: list[tuple[str, Action]] = [
    ("content", Close()),
    ("content", Hang()),
    ("content", Hang(b"25")),
    ("content", NONSENSE),
    ("content", b"354 go on\r\n"),
]
"""What a server does with a whole message in its hands, so that nobody but it knows whether it took it."""


@pytest.mark.parametrize(("stage", "action", "code"), NOT_SENT)
async def test_before_the_server_has_taken_it_nothing_is_sent_or_kept(
    aws: Aws, ca_file: str, stage: str, action: Action, code: str
) -> None:
    async with ScriptedSmtpServer(on={stage: [action, DEFAULT]}) as server:
        scene = a_scene(aws, server, ca_file)

        # when
        with pytest.raises(PopfetchError) as told:
            await scene.send()

        # then it is told, and nothing is left behind
        assert told.value.code == code
        assert "open sesame" not in told.value.message
        assert scene.left() == (0, 0)
        refused_at_the_end = stage == "content"
        assert scene.ends_seen == (1 if refused_at_the_end else 0)

        # and the same request again sends it, once
        copy = await scene.send()
        assert copy.delivery is not None
        assert copy.delivery.state is DeliveryState.SENT
        assert scene.ends_seen == (2 if refused_at_the_end else 1)
        assert len([m for session in server.sessions for m in session.messages if m.content]) == scene.ends_seen


@pytest.mark.parametrize("octets", [0, 9, 200])
async def test_cut_off_in_the_middle_of_the_message_nothing_is_sent_or_kept(
    aws: Aws, ca_file: str, octets: int
) -> None:
    async with ScriptedSmtpServer(on={"content": [After(octets, Close()), DEFAULT]}) as server:
        scene = a_scene(aws, server, ca_file)
        first = await outcome(scene)
        # a message of this size may be on its way to the end before the loss is seen: then nobody knows
        if first == "unconfirmed":
            assert await outcome(scene) == "unconfirmed"
            assert scene.ends_seen == 0
        else:
            assert first == "connection_lost"
            assert scene.left() == (0, 0)
            assert await outcome(scene) == "sent"
            assert scene.ends_seen == 1


@pytest.mark.parametrize(("stage", "action"), NOBODY_KNOWS)
async def test_with_the_whole_message_in_its_hands_nobody_knows_and_nothing_is_repeated(
    aws: Aws, ca_file: str, stage: str, action: Action
) -> None:
    async with ScriptedSmtpServer(on={stage: [action, DEFAULT]}) as server:
        scene = a_scene(aws, server, ca_file)
        assert [await outcome(scene) for _ in range(3)] == ["unconfirmed"] * 3
        assert scene.ends_seen == 1
        assert len(server.sessions) == 1
        assert scene.left()[0] == 1


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("greeting", "cannot_connect"),
        ("EHLO", "cannot_connect"),
        ("AUTH", "cannot_connect"),
        ("MAIL", "connection_lost"),
        ("RCPT", "connection_lost"),
        ("DATA", "connection_lost"),
        ("content", "unconfirmed"),
    ],
)
async def test_when_the_time_is_over_the_answer_is_the_same_as_for_silence(
    aws: Aws, ca_file: str, stage: str, answer: str
) -> None:
    async with ScriptedSmtpServer(on={stage: [Hang(), DEFAULT]}) as server:
        scene = a_scene(aws, server, ca_file, seconds=1, limits=DEFAULT_LIMITS)
        assert await outcome(scene) == answer
        assert scene.ends_seen == (1 if stage == "content" else 0)


@pytest.mark.parametrize("action", [Close(), Hang(), NEVER])
async def test_a_farewell_that_fails_changes_nothing(aws: Aws, ca_file: str, action: Action) -> None:
    async with ScriptedSmtpServer(on={"QUIT": action}) as server:
        scene = a_scene(aws, server, ca_file)
        assert [await outcome(scene) for _ in range(2)] == ["sent"] * 2
        assert scene.ends_seen == 1


async def outcome(scene: Scene) -> str:
    """What an owner is answered, in one word."""
    try:
        copy = await scene.send()
    except PopfetchError as error:
        return error.code
    assert copy.delivery is not None
    return str(copy.delivery.state)
