"""The address that replies to an account's mail go to, and the pages on which its reader confirms it."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.account_answers import AccountOut
from popfetch.api.account_models import ReplyToIn
from popfetch.api.etags import tagged
from popfetch.api.pages import html_of, page
from popfetch.api.public_url import public_url
from popfetch.api.resolver import AccountInPath, answer, failures, json_of, make_resolver, owner_of
from popfetch.domain.errors import AccountChanged, ReplyToLinkInvalid, StorageUnavailable
from popfetch.notices.languages import language_accepted
from popfetch.notices.reply_to_pages import confirmed_page, invalid_link_page, question_page, try_again_page
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_reply_to import reply_to_addresses
from popfetch.services.reply_to import OpenedLink

CONFIRM = "/reply-to/confirm"

TokenInQuery = Annotated[str, Query(description="What the link in the mail holds.")]

_ASKED_TOO_OFTEN: Any = {
    "description": "Too many requests at once, or this account or this address had too many mails.",
    "headers": {
        "Retry-After": {
            "description": "Seconds to wait, as in details.retry_after_seconds; not there for too many at once.",
            "schema": {"type": "integer"},
        }
    },
}

journal = new_journal()
app = make_resolver(journal)


@app.put(
    "/accounts/<account_id>/reply-to",
    summary="Change where replies go",
    description=(
        "Sends the address a mail with a link, and uses it once its reader has confirmed there; until then the one "
        "before stays in force. The link works once and for 24 hours. The same address again gets a new link. At most "
        "10 mails a day go out for an account, and 5 a day to an address."
    ),
    responses={
        **json_of(AccountOut, HTTPStatus.OK, "The account as it is now; ETag has its version."),
        **failures(
            HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        ),
        429: _ASKED_TOO_OFTEN,
    },
    tags=["reply-to"],
)
def ask(account_id: AccountInPath, reply_to: ReplyToIn) -> Response[AccountOut]:
    """Ask for a reply address of an account of who asks."""
    confirm_at = f"{public_url(app.current_event.raw_event)}{CONFIRM}"
    service = reply_to_addresses(journal)
    record = service.ask_for(owner_of(app), account_id, reply_to.address, lambda token: f"{confirm_at}?token={token}")
    return tagged(AccountOut.of(record, service.clock()))


@app.delete(
    "/accounts/<account_id>/reply-to",
    summary="Take the reply address away",
    description="Replies go to the account's own address again, and a link that is still open does not work any more.",
    status_code=HTTPStatus.NO_CONTENT,
    responses={
        204: {"description": "There is no reply address."},
        **failures(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    },
    tags=["reply-to"],
)
def remove(account_id: AccountInPath) -> Response[Any]:
    """Take the reply address of an account of who asks away."""
    reply_to_addresses(journal).remove(owner_of(app), account_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@app.get(
    CONFIRM,
    summary="The page that a link in a verification mail opens",
    description="It asks, and changes nothing, as programs open links too. It is for everybody who has the link.",
    responses={
        **html_of(HTTPStatus.OK, "The question, with a button that posts to the same address."),
        **html_of(HTTPStatus.GONE, "The link is not valid, or not any more."),
        **html_of(HTTPStatus.SERVICE_UNAVAILABLE, "Storage did not answer; the link may work in a moment."),
    },
    tags=["reply-to"],
)
def show_question(token: TokenInQuery = "") -> Response[str]:
    """The question of a link."""
    return _opened(reply_to_addresses(journal).look_at, token, question_page)


@app.post(
    CONFIRM,
    summary="Confirm a reply address",
    description="Puts the address into force to which the link was sent; once, and within 24 hours.",
    responses={
        **html_of(HTTPStatus.OK, "The address is in force."),
        **html_of(HTTPStatus.GONE, "The link is not valid, or not any more."),
        **html_of(HTTPStatus.SERVICE_UNAVAILABLE, "Storage did not answer; the link may work in a moment."),
    },
    tags=["reply-to"],
)
def confirm(token: TokenInQuery = "") -> Response[str]:
    """Answer the question of a link."""
    return _opened(reply_to_addresses(journal).confirm, token, confirmed_page)


def _opened(verb: Callable[[str], OpenedLink], token: str, page_of: Callable[[str, str, str], str]) -> Response[str]:
    accepted = language_accepted(app.current_event.headers.get("accept-language") or "")
    try:
        link = verb(token)
    except ReplyToLinkInvalid as error:
        return page(HTTPStatus.GONE, invalid_link_page(error.language or accepted))
    except (StorageUnavailable, AccountChanged) as error:
        journal.warning("request not carried out", error=error.code, reason=error.for_the_log)
        return page(HTTPStatus.SERVICE_UNAVAILABLE, try_again_page(accepted))
    return page(HTTPStatus.OK, page_of(link.address, link.account_email, link.language))


def _only_the_token(event: dict[str, Any]) -> dict[str, Any]:
    """A visit to a link without all that could be refused for its form: people are answered by pages.

    A form that posts has a body, which says nothing; where there are several tokens, there is none.
    """
    tokens = (event.get("multiValueQueryStringParameters") or {}).get("token") or []
    token = tokens[0] if len(tokens) == 1 else ""
    return {
        **event,
        "body": None,
        "queryStringParameters": {"token": token},
        "multiValueQueryStringParameters": {"token": [token]},
    }


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@journal.flushed
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, _only_the_token(event) if event.get("resource") == CONFIRM else event, context)
