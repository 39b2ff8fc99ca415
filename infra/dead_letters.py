"""``python -m infra.dead_letters show|replay|discard``: what could not be done, why, and doing it again.

Nothing that an owner or a stranger has written is shown: of a body that is no request only its size. A letter is taken
from its queue only once its replay was accepted, so that nothing gets lost between the two; a replay that is accepted
twice does no harm; and what comes back while a run lasts is left for the next one, so that no run is endless::

    fetch request    the queue again, same group; admission drops what a later cycle has answered
    malformed        the queue again: fetch sets it aside once more, with its reason, and nothing repeats by itself
    event            its function again: dispatch, erase and notify do the same event twice without doing more
"""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from infra.deployed import Deployed, NoSuchStack, add_arguments, deployed
from popfetch.adapters.fetch_queue import SqsFetchQueue
from popfetch.domain.errors import NotAFetchRequest
from popfetch.domain.fetch_request import FetchRequest
from popfetch.ports.schedule import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

FETCH: Final = "FetchDeadLetters"
ALIAS: Final = "live"

QUEUES: Final = {
    FETCH: None,
    "DispatchDeadLetters": "DispatchFunction",
    "EraseDeadLetters": "EraseFunction",
    "NotifyDeadLetters": "NotifyFunction",
}
"""The queues, and the function that does an event of each again; fetch requests have their queue."""

HELD_SECONDS = 120
"""How long letters are held while they are looked at; then they are free again, whatever became of this program."""

_LONGEST_REASON = 200


def _let_pass(_: "Letter") -> None:
    """What is thrown away needs nobody's acceptance."""


type Say = Callable[[str], None]


@dataclass(frozen=True)
class Letter:
    """One dead letter: what it was, and what there is to know of it.

    ``event`` is what a function is to be invoked with once more, ``body`` what goes to the queue of requests.
    """

    queue: str
    message_id: str
    receipt: str
    group: str
    body: str
    sent_at: datetime
    what: str
    whose: str
    tries: str
    why: str
    replay: str
    event: dict[str, Any] | None = None

    def __str__(self) -> str:
        lines = [f"{self.queue} {self.message_id}, since {self.sent_at:%Y-%m-%d %H:%M:%S} UTC"]
        told = {"what": self.what, "whose": self.whose, "tried": self.tries, "why": self.why, "replay": self.replay}
        return "\n".join([*lines, *(f"  {name:<7} {said}" for name, said in told.items())])


class DeadLetters:
    """The dead letters of a stack; ``wait_seconds`` is how long a queue is asked for more before it counts as empty."""

    def __init__(self, stack: Deployed, *, wait_seconds: int = 1) -> None:
        self._stack = stack
        self._wait_seconds = wait_seconds
        self._requests = SqsFetchQueue(stack.sqs, stack.named("FetchQueue"))

    def counts(self) -> dict[str, int]:
        """About how many letters each queue has."""
        found = {}
        for queue in QUEUES:
            attributes = self._stack.sqs.get_queue_attributes(
                QueueUrl=self._stack.named(queue), AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            found[queue] = int(attributes["ApproximateNumberOfMessages"])
        return found

    def show(self, queues: Collection[str] = QUEUES) -> list[Letter]:
        """The letters as they lie there, which is where they stay.

        Of an owner's fetch requests ten are seen at most: the rest of a group stays hidden while some of it is held.
        """
        letters = [letter for queue in queues for batch in self._batches(queue) for letter in batch]
        for letter in letters:
            self._let_go(letter)
        return letters

    def replay(self, queues: Collection[str] = QUEUES, only: Collection[str] = ()) -> list[Letter]:
        """Do letters again, those with the ids of ``only`` where it names any; returns those that were accepted."""
        return self._take(queues, only, self._accept)

    def discard(self, only: Collection[str], queues: Collection[str] = QUEUES) -> list[Letter]:
        """Throw away the letters with these ids; returns those that there were."""
        return self._take(queues, only, _let_pass)

    def _take(self, queues: Collection[str], only: Collection[str], accept: Callable[[Letter], None]) -> list[Letter]:
        taken: list[Letter] = []
        left: list[Letter] = []
        began = self._begin()
        try:
            for queue in queues:
                for batch in self._batches(queue):
                    for letter in batch:
                        if (only and letter.message_id not in only) or letter.sent_at >= began:
                            left.append(letter)
                            continue
                        accept(letter)
                        self._stack.sqs.delete_message(QueueUrl=self._stack.named(queue), ReceiptHandle=letter.receipt)
                        taken.append(letter)
        finally:
            for letter in left:
                self._let_go(letter)
        return taken

    def _begin(self) -> datetime:
        """A moment, by the clock that letters are stamped by, that is after all letters there are and before a replay.

        The clock is told in whole seconds, so that the next one is waited for.
        """
        first = self._now()
        while (now := self._now()) == first:
            time.sleep(0.05)
        return now

    def _now(self) -> datetime:
        """The time by the clock that letters are stamped by, to the second where a service tells it."""
        answer = self._stack.sqs.get_queue_attributes(QueueUrl=self._stack.named(FETCH), AttributeNames=["QueueArn"])
        said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return parsedate_to_datetime(said) if said else datetime.now(UTC)

    def _accept(self, letter: Letter) -> None:
        function = QUEUES[letter.queue]
        if function is None:
            self._stack.sqs.send_message(
                QueueUrl=self._stack.named("FetchQueue"),
                MessageBody=letter.body,
                MessageGroupId=letter.group,
                # not the request's own, which the queue may remember; and the same for the same letter, so that it is
                # queued once though its removal was lost
                MessageDeduplicationId=f"replay.{letter.message_id}",
            )
        else:
            self._stack.functions.invoke(
                FunctionName=self._stack.named(function),
                Qualifier=ALIAS,
                InvocationType="Event",
                Payload=json.dumps(letter.event).encode(),
            )

    def _batches(self, queue: str) -> Iterator[list[Letter]]:
        """The letters of a queue, a few at a time, each held and seen once."""
        seen: set[str] = set()
        while True:
            messages = self._stack.sqs.receive_message(
                QueueUrl=self._stack.named(queue),
                MaxNumberOfMessages=10,
                VisibilityTimeout=HELD_SECONDS,
                WaitTimeSeconds=self._wait_seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            fresh = [message for message in messages if message["MessageId"] not in seen]
            if not fresh:
                return
            seen |= {message["MessageId"] for message in fresh}
            yield [self._read(queue, message) for message in fresh]

    def _let_go(self, letter: Letter) -> None:
        self._stack.sqs.change_message_visibility(
            QueueUrl=self._stack.named(letter.queue), ReceiptHandle=letter.receipt, VisibilityTimeout=0
        )

    def _read(self, queue: str, message: "MessageTypeDef") -> Letter:
        return self._read_request(message) if QUEUES[queue] is None else _read_event(queue, message)

    def _read_request(self, message: "MessageTypeDef") -> Letter:
        attributes = message.get("Attributes", {})
        body = message["Body"]
        group = attributes.get("MessageGroupId", "unknown")
        set_aside = _said(message, "why")
        told = {
            **_common(FETCH, message),
            "tries": "once" if set_aside else "as often as the queue allows, 5 times",
            "why": set_aside or "each try failed; the log of fetch says why, in the lines of this account",
        }
        try:
            request = self._requests.read(Delivery(message["MessageId"], "", group, body))
        except NotAFetchRequest as error:
            return Letter(
                **told | {"why": set_aside or error.message},
                what=f"no request of popfetch's, {len(body.encode())} octets",
                whose=f"unknown, in the group {group[:128]}",
                replay="comes back here with the same reason, unless a newer version can read it",
            )
        whose = f"account {request.account_id} of owner {request.owner_id}"
        if not isinstance(request, FetchRequest):
            return Letter(**told, what="an erasure", whose=whose, replay="erases what the deleted account left")
        by = f", asked for by {request.correlation_id}" if request.correlation_id else ""
        return Letter(
            **told,
            what=f"a fetch, {request.reason}, due {request.due_at:%Y-%m-%d %H:%M:%S} UTC{by}",
            whose=whose,
            replay="fetches, unless a cycle that ended later has answered it: then it is dropped",
        )


def _common(queue: str, message: "MessageTypeDef") -> dict[str, Any]:
    attributes = message.get("Attributes", {})
    return {
        "queue": queue,
        "message_id": message["MessageId"],
        "receipt": message["ReceiptHandle"],
        "group": attributes.get("MessageGroupId", ""),
        "body": message["Body"],
        "sent_at": datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
    }


def _read_event(queue: str, message: "MessageTypeDef") -> Letter:
    """A letter of a function's: Lambda wraps the event in a record, a rule's is the event with attributes beside it."""
    told = _common(queue, message)
    try:
        found = json.loads(message["Body"])
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Letter(
            **told, what="no event", whose="unknown", tries="unknown", why="nothing that popfetch or AWS wrote",
            replay="the function refuses it, and it comes back here", event={},
        )  # fmt: skip
    if "requestPayload" in found:
        context, answer = found.get("requestContext") or {}, found.get("responsePayload") or {}
        event = found["requestPayload"]
        tries = f"{context.get('approximateInvokeCount', '?')} times, by Lambda"
        failure = f"{answer.get('errorType', '')}: {answer.get('errorMessage', '')}" if answer else ""
        why = f"{context.get('condition', 'failed')}; {failure or 'it did not answer'}"
    else:
        event = found
        tries = f"{_said(message, 'RETRY_ATTEMPTS') or 0} times more, by the rule"
        why = f"{_said(message, 'ERROR_CODE') or 'undelivered'}; {_said(message, 'ERROR_MESSAGE')}"
    event = event if isinstance(event, dict) else {}
    detail = event.get("detail")
    detail = detail if isinstance(detail, dict) else {}
    owner, account = detail.get("owner_id"), detail.get("account_id")
    return Letter(
        **told,
        what=f"{event.get('detail-type', 'an event')} of {event.get('time', 'an unknown time')}, id {event.get('id')}",
        whose=f"account {account} of owner {owner}" if account else "no single account's",
        tries=tries,
        why=_one_line(why),
        replay=f"invokes {QUEUES[queue]} with the same event",
        event=event,
    )


def _said(message: "MessageTypeDef", name: str) -> str:
    attribute = message.get("MessageAttributes", {}).get(name)
    return _one_line(attribute.get("StringValue", "")) if attribute else ""


def _one_line(text: str) -> str:
    return " ".join(str(text).split())[:_LONGEST_REASON]


def main(arguments: Sequence[str] | None = None, say: Say = print) -> int:
    """Do what was asked; 1 with the reason when it did not work."""
    parser = ArgumentParser(
        prog="python -m infra.dead_letters", description="What could not be done, and doing it again"
    )
    parser.add_argument("action", choices=["show", "replay", "discard"])
    parser.add_argument("message_ids", nargs="*", metavar="ID", help="only the letters with these ids")
    parser.add_argument("--queue", choices=sorted(QUEUES), action="append", help="only this queue, or these")
    add_arguments(parser)
    chosen = parser.parse_args(arguments)
    if chosen.action == "discard" and not chosen.message_ids:
        parser.error("name the letters that are to be thrown away; `show` has their ids")
    try:
        letters = DeadLetters(deployed(chosen))
        queues = chosen.queue or list(QUEUES)
        if chosen.action == "show":
            found = letters.show(queues)
            for letter in found:
                say(str(letter))
            hidden = sum(letters.counts()[queue] for queue in queues) - len(found)
            say(f"{len(found)} dead letters." + (f" About {hidden} more are behind them." if hidden > 0 else ""))
        elif chosen.action == "replay":
            done = letters.replay(queues, chosen.message_ids)
            for letter in done:
                say(f"{letter.queue} {letter.message_id}: accepted, {letter.replay}")
            say(f"{len(done)} dead letters replayed.")
        else:
            say(f"{len(letters.discard(chosen.message_ids, queues))} dead letters discarded.")
    except (NoSuchStack, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
