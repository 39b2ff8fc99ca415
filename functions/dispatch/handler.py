"""Every minute: asks for a fetch of each account that is due."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.domain.errors import NotAScheduledEvent
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_dispatch import fetch_queue, wheel
from popfetch.services.dispatch import dispatch_due_accounts

journal = new_journal()


@journal.logger.inject_lambda_context(clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Dispatch the minute that a scheduled event names by its ``time``, and those before it that were missed."""
    done = dispatch_due_accounts(
        _time_of(event),
        wheel(),
        fetch_queue(),
        journal,
        lambda: context.get_remaining_time_in_millis() / 1000,
        correlation_id=_id_of(event, context),
    )
    return asdict(done)


def _id_of(event: Any, context: LambdaContext) -> str:
    """The event's own id, by which its requests and their cycles are found; of one without, the invocation's."""
    return str(event.get("id") or context.aws_request_id)


def _time_of(event: Any) -> datetime:
    try:
        at = datetime.fromisoformat(event["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise NotAScheduledEvent(
            "Dispatch goes by an event's time; invoke it with a scheduled event such as infra/events/dispatch.json."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
