"""What the operator sees of dead letters, and what replaying does, on moto's queues."""

import json
from argparse import Namespace
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from infra import dead_letters
from infra.dead_letters import FETCH, QUEUES, DeadLetters, Letter
from infra.deployed import Deployed, NoSuchStack
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.domain.fetch_request import FetchRequest, Reason
from popfetch.ports.schedule import Delivery
from tests.builders import aws as stack
from tests.builders.accounts import NOON, OWNER
from tests.builders.aws import Aws
from tests.builders.deliveries import let_leases_end

SECRET = "hunter2-and-more"
REQUEST = FetchRequest(OWNER, "account1", Reason.SCHEDULE, NOON, "the-event")


class Invoked:
    """A Lambda client that keeps what it was asked to invoke, or refuses it."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Any]] = []
        self.refuses = False

    def invoke(self, FunctionName: str, Qualifier: str, InvocationType: str, Payload: bytes) -> None:  # noqa: N803
        assert InvocationType == "Event"
        if self.refuses:
            raise RuntimeError("throttled")
        self.events.append((FunctionName, Qualifier, json.loads(Payload)))


class Stack:
    """The queues of a stack, its dead letters and what is invoked."""

    def __init__(self, aws: Aws) -> None:
        self.sqs = aws.sqs
        fifo = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
        self.urls = {"FetchQueue": aws.queue_url}
        for name in QUEUES:
            attributes = fifo if name == FETCH else {}
            suffix = ".fifo" if name == FETCH else ""
            self.urls[name] = aws.sqs.create_queue(QueueName=f"{name}{suffix}", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
        self.invoked = Invoked()
        functions = {function: function.lower() for function in QUEUES.values() if function}
        self.deployed = Deployed(
            sqs=aws.sqs,
            functions=self.invoked,  # type: ignore[arg-type]
            dynamodb=aws.dynamodb,
            s3=aws.s3,
            events=stack._client("events"),
            resources={**self.urls, **functions},
        )
        self.letters = DeadLetters(self.deployed, wait_seconds=0)

    async def set_aside(self, body: str) -> None:
        """Put a message where fetch puts what is no request, with the reason that it finds."""
        queue = SqsFetchQueue(self.sqs, self.urls["FetchQueue"], self.urls[FETCH])
        delivery = Delivery("delivery-1", "", OWNER, body)
        await queue.set_aside(delivery, "The message's body is no JSON.")

    def give_up_on(self, request: FetchRequest) -> None:
        """Put a request where the queue puts what was tried too often."""
        SqsFetchQueue(self.sqs, self.urls[FETCH]).send([request])

    def keep(self, queue: str, body: Any, **attributes: str) -> None:
        self.sqs.send_message(
            QueueUrl=self.urls[queue],
            MessageBody=json.dumps(body),
            MessageAttributes={name: {"DataType": "String", "StringValue": said} for name, said in attributes.items()},
        )

    def waiting(self, queue: str) -> list[dict[str, Any]]:
        """What a queue has, taken from it."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(
            QueueUrl=self.urls[queue], MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                found.append(dict(message))
                self.sqs.delete_message(QueueUrl=self.urls[queue], ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def stack_() -> Iterator[Stack]:
    with stack.aws() as aws:
        yield Stack(aws)


def an_event(name: str = "AccountDeleted") -> dict[str, Any]:
    detail = {"owner_id": OWNER, "account_id": "account1", "erase_mail": True, "server_said": SECRET}
    return {"id": "e1", "detail-type": name, "time": "2026-11-23T12:00:00Z", "detail": detail}


def a_failure(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responsePayload": {"errorType": "StorageUnavailable", "errorMessage": "The table is gone.", "stackTrace": []},
    }


def shown(stack_: Stack) -> Letter:
    (letter,) = stack_.letters.show()
    return letter


class TestShowing:
    def test_a_request_that_failed_too_often(self, stack_: Stack) -> None:
        stack_.give_up_on(REQUEST)
        letter = shown(stack_)
        assert letter.what == "a fetch, schedule, due 2026-11-23 12:00:00 UTC, asked for by the-event"
        assert letter.whose == f"account account1 of owner {OWNER}"
        assert "the log of fetch says why" in letter.why

    async def test_what_is_no_request_with_the_reason_that_was_kept_and_without_its_content(
        self, stack_: Stack
    ) -> None:
        await stack_.set_aside(f"password={SECRET}")
        letter = shown(stack_)
        assert letter.why == "The message's body is no JSON."
        assert letter.tries == "once"
        assert "no request" in letter.what
        assert SECRET not in str(letter)

    @pytest.mark.parametrize("queue", [name for name, function in QUEUES.items() if function])
    def test_an_event_that_a_function_failed_on(self, stack_: Stack, queue: str) -> None:
        stack_.keep(queue, a_failure(an_event()))
        letter = shown(stack_)
        assert letter.what == "AccountDeleted of 2026-11-23T12:00:00Z, id e1"
        assert letter.whose == f"account account1 of owner {OWNER}"
        assert letter.tries == "3 times, by Lambda"
        assert letter.why == "RetriesExhausted; StorageUnavailable: The table is gone."
        assert SECRET not in str(letter)

    def test_an_event_that_a_rule_could_not_deliver(self, stack_: Stack) -> None:
        stack_.keep(
            "NotifyDeadLetters",
            an_event("AccountAuthFailed"),
            ERROR_CODE="NO_PERMISSIONS",
            ERROR_MESSAGE="not allowed",
            RETRY_ATTEMPTS="20",
        )
        letter = shown(stack_)
        assert letter.why == "NO_PERMISSIONS; not allowed"
        assert letter.tries == "20 times more, by the rule"
        assert SECRET not in str(letter)

    @pytest.mark.parametrize("body", ["text", ["a list"], {"requestPayload": "text"}, {"detail": 7}, {}])
    def test_whatever_lies_there_is_shown(self, stack_: Stack, body: Any) -> None:
        stack_.keep("EraseDeadLetters", body)
        assert str(shown(stack_))

    def test_it_leaves_everything_where_it_is(self, stack_: Stack) -> None:
        stack_.give_up_on(REQUEST)
        stack_.keep("EraseDeadLetters", a_failure(an_event()))
        assert [str(letter) for letter in stack_.letters.show()] == [str(letter) for letter in stack_.letters.show()]
        assert sum(stack_.letters.counts().values()) == 2


class TestReplaying:
    def test_a_request_goes_back_to_its_owners_lane_and_is_gone_from_the_dead_letters(self, stack_: Stack) -> None:
        stack_.give_up_on(REQUEST)
        assert len(stack_.letters.replay()) == 1
        assert stack_.letters.show() == []
        (message,) = stack_.waiting("FetchQueue")
        assert message["Attributes"]["MessageGroupId"] == OWNER
        queue = SqsFetchQueue(stack_.sqs, stack_.urls["FetchQueue"])
        assert queue.read(Delivery("1", "", OWNER, message["Body"])) == REQUEST

    def test_the_queue_does_not_swallow_it_though_it_had_the_same_request_just_before(self, stack_: Stack) -> None:
        SqsFetchQueue(stack_.sqs, stack_.urls["FetchQueue"]).send([REQUEST])
        stack_.waiting("FetchQueue")
        stack_.give_up_on(REQUEST)
        stack_.letters.replay()
        assert len(stack_.waiting("FetchQueue")) == 1

    def test_a_letter_whose_removal_was_lost_is_not_queued_twice(
        self, stack_: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stack_.give_up_on(REQUEST)
        with monkeypatch.context() as broken:
            broken.setattr(stack_.sqs, "delete_message", lost)
            with pytest.raises(RuntimeError):
                stack_.letters.replay()
        let_leases_end()
        assert len(stack_.letters.replay()) == 1
        assert len(stack_.waiting("FetchQueue")) == 1

    def test_an_owners_requests_keep_their_order(self, stack_: Stack) -> None:
        requests = [FetchRequest(OWNER, f"account{n:02}", Reason.SCHEDULE, NOON) for n in range(25)]
        for request in requests:
            stack_.give_up_on(request)
        assert len(stack_.letters.replay()) == 25
        assert [json.loads(m["Body"])["account_id"] for m in stack_.waiting("FetchQueue")] == [
            request.account_id for request in requests
        ]

    @pytest.mark.parametrize("queue", [name for name, function in QUEUES.items() if function])
    @pytest.mark.parametrize("wrapped", [True, False])
    def test_an_event_is_invoked_again_as_it_was(self, stack_: Stack, queue: str, wrapped: bool) -> None:
        stack_.keep(queue, a_failure(an_event()) if wrapped else an_event())
        assert len(stack_.letters.replay()) == 1
        assert stack_.invoked.events == [((QUEUES[queue] or "").lower(), "live", an_event())]
        assert stack_.letters.show() == []

    def test_what_is_not_accepted_stays(self, stack_: Stack) -> None:
        stack_.keep("EraseDeadLetters", a_failure(an_event()))
        stack_.invoked.refuses = True
        with pytest.raises(RuntimeError):
            stack_.letters.replay()
        let_leases_end()
        assert len(stack_.letters.show()) == 1

    async def test_a_malformed_one_that_comes_back_at_once_is_left_for_the_next_run(
        self, stack_: Stack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await stack_.set_aside("poison")
        began = stack_.letters._now() - timedelta(minutes=1)
        monkeypatch.setattr(stack_.letters, "_begin", lambda: began)
        assert stack_.letters.replay() == []
        assert len(stack_.letters.show()) == 1

    def test_only_what_is_named_is_replayed(self, stack_: Stack) -> None:
        for number in range(3):
            stack_.give_up_on(FetchRequest(f"owner{number}", f"account{number}", Reason.SCHEDULE, NOON))
        chosen = stack_.letters.show()[1]
        assert [letter.message_id for letter in stack_.letters.replay(only=[chosen.message_id])] == [chosen.message_id]
        assert len(stack_.letters.show()) == 2


def lost(**_: Any) -> None:
    raise RuntimeError("the connection broke")


def test_what_is_named_is_thrown_away_and_nothing_else(stack_: Stack) -> None:
    for number in range(2):
        stack_.give_up_on(FetchRequest(f"owner{number}", f"account{number}", Reason.SCHEDULE, NOON))
    first, second = stack_.letters.show()
    assert [letter.message_id for letter in stack_.letters.discard([first.message_id])] == [first.message_id]
    assert [letter.message_id for letter in stack_.letters.show()] == [second.message_id]
    assert stack_.waiting("FetchQueue") == []


class TestTheCommand:
    @pytest.fixture(autouse=True)
    def here(self, stack_: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        def found(chosen: Namespace) -> Deployed:
            if chosen.stack != "popfetch":
                raise NoSuchStack(f"{chosen.stack} is no stack of popfetch's.")
            return stack_.deployed

        monkeypatch.setattr(dead_letters, "deployed", found)
        monkeypatch.setattr(dead_letters, "DeadLetters", lambda _: stack_.letters)

    def test_it_shows_replays_and_says_how_many(self, stack_: Stack) -> None:
        stack_.give_up_on(REQUEST)
        said: list[str] = []
        assert dead_letters.main(["show"], said.append) == 0
        assert said[-1] == "1 dead letters."
        assert dead_letters.main(["replay", "--queue", FETCH], said.append) == 0
        assert said[-1] == "1 dead letters replayed."
        assert dead_letters.main(["show"], said.append) == 0
        assert said[-1] == "0 dead letters."

    def test_nothing_is_thrown_away_by_mistake(self, stack_: Stack) -> None:
        with pytest.raises(SystemExit):
            dead_letters.main(["discard"])

    def test_another_stack_is_refused_in_clear_words(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert dead_letters.main(["show", "--stack", "other"]) == 1
        assert "no stack of popfetch's" in capsys.readouterr().err
