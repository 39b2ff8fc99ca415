"""An account was deleted: erase what it leaves behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.event_models import AccountDeleted
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_accounts import account_remains
from popfetch.services.erase import ErasureUnfinished, erase_account

MARGIN = timedelta(seconds=15)
"""What is left of the function's time for deletes under way and for the answer."""

journal = new_journal()


@journal.logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Erase one account's remains. Raises ErasureUnfinished, so that the event comes again and goes on."""
    deleted = AccountDeleted.model_validate(event.get("detail"))
    until = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis()) - MARGIN
    if not erase_account(
        account_remains(), deleted.owner_id, deleted.account_id, erase_mail=deleted.erase_mail, until=until
    ):
        raise ErasureUnfinished(deleted.account_id)
    journal.info("account erased", **deleted.model_dump())
