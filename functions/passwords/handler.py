"""The passwords of an account's two servers, each changed on its own."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.account_answers import AccountOut
from popfetch.api.account_models import PasswordIn
from popfetch.api.resolver import AccountInPath, answer, failures, json_of, make_resolver, owner_of
from popfetch.domain.account import Direction
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_accounts import account_changes

journal = new_journal()
app = make_resolver(journal)


@app.put(
    "/accounts/<account_id>/password/incoming",
    summary="Change the password of the incoming server",
    description=(
        "Tries it first, unless verify is false, and keeps the old one when that fails. An account that had stopped "
        "is put back on schedule, and is checked at once."
    ),
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account as it is now."),
        **failures(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        ),
    },
    tags=["passwords"],
)
def change_incoming(account_id: AccountInPath, password: PasswordIn) -> AccountOut:
    """Change the incoming password of an account of who asks."""
    return _change(account_id, Direction.INCOMING, password)


@app.put(
    "/accounts/<account_id>/password/outgoing",
    summary="Change the password of the outgoing server",
    description="Tries it first, unless verify is false, and keeps the old one when that fails.",
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account as it is now."),
        **failures(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        ),
    },
    tags=["passwords"],
)
def change_outgoing(account_id: AccountInPath, password: PasswordIn) -> AccountOut:
    """Change the outgoing password of an account of who asks."""
    return _change(account_id, Direction.OUTGOING, password)


def _change(account_id: str, direction: Direction, password: PasswordIn) -> AccountOut:
    service = account_changes(journal)
    record = service.change_password(owner_of(app), account_id, direction, password.to_secret(), verify=password.verify)
    return AccountOut.of(record, service.clock())


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, event, context)
