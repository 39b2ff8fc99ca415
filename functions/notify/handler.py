"""An account needs its owner's hand: tell them by mail, once."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.event_models import read_stop
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_notify import notice_parts
from popfetch.services.notify_owner import notify_owner

journal = new_journal()


@journal.logger.inject_lambda_context(clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Tell the owner of the account that an event is about, and answer what became of the notice."""
    return {"outcome": str(notify_owner(read_stop(event), notice_parts(context), journal))}
