"""Fetches the accounts that a batch of queue messages asks for."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.domain.errors import NotAQueueBatch
from popfetch.ports.schedule import Delivery
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_fetch import fetch_batch

journal = new_journal()


@journal.logger.inject_lambda_context(clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Fetch, and answer which messages are to come again."""
    failed = fetch_batch(_deliveries(event), context.get_remaining_time_in_millis() / 1000, journal)
    return {"batchItemFailures": [{"itemIdentifier": delivery_id} for delivery_id in failed]}


def _deliveries(event: Any) -> list[Delivery]:
    try:
        return [
            Delivery(
                delivery_id=record["messageId"],
                receipt=record["receiptHandle"],
                group=record["attributes"].get("MessageGroupId", ""),
                body=record["body"],
            )
            for record in event["Records"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise NotAQueueBatch(
            "Fetch is invoked by its queue; by hand, send it a batch such as infra/events/fetch.json."
        ) from error
