"""The owner's accounts: add, show and delete them."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response, content_types
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.account_models import AccountIn, AccountOut, AccountsOut, ErasureOut, MailFate
from popfetch.api.resolver import answer, failures, json_of, make_resolver, owner_of
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_accounts import accounts_service

journal = new_journal()
app = make_resolver(journal)


@app.post(
    "/accounts",
    summary="Add an account",
    description="Tests the sign-in first, unless verify is false; nothing is stored when it fails.",
    status_code=HTTPStatus.CREATED,
    responses={
        **json_of(AccountOut, HTTPStatus.CREATED, "The account; Location has its path."),
        **failures(HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    },
    tags=["accounts"],
)
def add(account: AccountIn) -> Response[AccountOut]:
    """Add an account."""
    service = accounts_service()
    added = AccountOut.of(service.add(account.to_command(owner_of(app))), service.clock())
    path = app.current_event.request_context.path or app.current_event.path
    return Response(
        status_code=HTTPStatus.CREATED,
        content_type=content_types.APPLICATION_JSON,
        headers={"Location": f"{path.rstrip('/')}/{added.id}"},
        body=added,
    )


@app.get(
    "/accounts",
    summary="The accounts, in the owner's order",
    responses={**json_of(AccountsOut, HTTPStatus.OK, "The accounts, the default one marked."), **failures()},
    tags=["accounts"],
)
def show_all() -> AccountsOut:
    """All accounts of who asks."""
    service = accounts_service()
    now = service.clock()
    return AccountsOut(accounts=[AccountOut.of(record, now) for record in service.of_owner(owner_of(app))])


@app.get(
    "/accounts/<account_id>",
    summary="One account",
    responses={**json_of(AccountOut, HTTPStatus.OK, "The account."), **failures(HTTPStatus.NOT_FOUND)},
    tags=["accounts"],
)
def show(account_id: str) -> AccountOut:
    """One account of who asks."""
    service = accounts_service()
    return AccountOut.of(service.get(owner_of(app), account_id), service.clock())


@app.delete(
    "/accounts/<account_id>",
    summary="Delete an account",
    description="The account is gone at once, and what it left is erased; stored mail is kept by default.",
    status_code=HTTPStatus.NO_CONTENT,
    responses={
        204: {"description": "Deleted, and all that was to be erased is."},
        **json_of(ErasureOut, HTTPStatus.ACCEPTED, "Deleted; the rest is erased in the background."),
        **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
    tags=["accounts"],
)
def delete(
    account_id: str,
    mail: Annotated[MailFate, Query(description="What becomes of the mail that is stored.")] = MailFate.KEEP,
) -> Response[Any]:
    """Delete an account of who asks."""
    if accounts_service().remove(owner_of(app), account_id, erase_mail=mail is MailFate.DELETE):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return Response(
        status_code=HTTPStatus.ACCEPTED,
        content_type=content_types.APPLICATION_JSON,
        body=ErasureOut(id=account_id),
    )


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, event, context)
