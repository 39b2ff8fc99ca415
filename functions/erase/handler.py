"""An account was deleted: erase what it leaves behind."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.event_models import AccountDeleted
from popfetch.runtime.wiring_accounts import account_remains
from popfetch.services.erase import ErasureUnfinished, erase_account

MARGIN = timedelta(seconds=15)
"""What is left of the function's time for deletes under way and for the answer."""

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Erase one account's remains. Raises ErasureUnfinished, so that the event comes again and goes on."""
    deleted = AccountDeleted.model_validate(event["detail"])
    logger.append_keys(owner_id=deleted.owner_id, account_id=deleted.account_id)
    until = datetime.now(UTC) + timedelta(milliseconds=context.get_remaining_time_in_millis()) - MARGIN
    if not erase_account(
        account_remains(), deleted.owner_id, deleted.account_id, erase_mail=deleted.erase_mail, until=until
    ):
        raise ErasureUnfinished(deleted.account_id)
    logger.info("account_erased", erase_mail=deleted.erase_mail)
