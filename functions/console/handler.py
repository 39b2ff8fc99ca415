"""The front page: where a browser lands that comes back from a sign-in at a provider."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.pages import html_of, page
from popfetch.api.resolver import answer, make_resolver
from popfetch.notices.consent_pages import front_page
from popfetch.notices.languages import language_accepted
from popfetch.runtime.observability import new_journal

journal = new_journal()
app = make_resolver(journal)


@app.get(
    "/",
    summary="The front page",
    description="Says how a sign-in at a provider went, where the browser comes back from one. It is for everybody.",
    responses=html_of(HTTPStatus.OK, "The page."),
    tags=["console"],
)
def show() -> Response[str]:
    """The front page."""
    query = app.current_event.query_string_parameters or {}
    language = language_accepted(app.current_event.headers.get("accept-language") or "")
    return page(HTTPStatus.OK, front_page(language, query.get("oauth") or "", query.get("code") or ""))


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, {**event, "body": None}, context)
