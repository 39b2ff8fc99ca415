"""What can be known without an account: the providers, the settings of an address, and the API's description."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext

from popfetch.api.description import read_description
from popfetch.api.fields import Email
from popfetch.api.provider_models import FoundSettingsOut, ProviderOut, ProvidersOut, address_of
from popfetch.api.resolver import answer, failures, json_answer, json_of, make_resolver, owner_of
from popfetch.domain.provider_table import PROVIDERS
from popfetch.notices.languages import language_accepted, provider_help
from popfetch.runtime.observability import new_journal
from popfetch.runtime.wiring_providers import look_up

journal = new_journal()
app = make_resolver(journal)


@app.get(
    "/providers",
    summary="The providers that are known",
    description=(
        "Their servers, how to sign in, how often to collect, and what to do first: in the language that "
        "Accept-Language asks for, where there is one."
    ),
    responses={**json_of(ProvidersOut, HTTPStatus.OK, "The providers."), **failures()},
    tags=["providers"],
)
def show_all() -> ProvidersOut:
    """All providers."""
    owner_of(app)
    language = language_accepted(app.current_event.headers.get("accept-language") or "")
    return ProvidersOut(
        providers=[ProviderOut.of(provider, provider_help(provider, language)) for provider in PROVIDERS]
    )


@app.get(
    "/providers/lookup",
    summary="The settings of an address",
    description=(
        "Looks at the operator's own servers, at the known providers, at the domain's SRV and MX records and at its "
        "autoconfig file, and takes the first that answers. Finding nothing is an answer too. It takes 8 seconds at "
        "the most, and stores nothing."
    ),
    responses={**json_of(FoundSettingsOut, HTTPStatus.OK, "What was found, and where."), **failures()},
    tags=["providers"],
)
def look_up_settings(email: Annotated[Email, Query(description="The address of the mailbox.")]) -> FoundSettingsOut:
    """The settings of an address."""
    owner_of(app)
    return FoundSettingsOut.of(email, look_up(address_of(email), journal))


@app.get(
    "/openapi.json",
    summary="The description of this API",
    description="OpenAPI 3.1. It is for everybody: no sign-in is asked for.",
    responses={HTTPStatus.OK.value: {"description": "The description."}},
    tags=["description"],
)
def describe() -> Response[Any]:
    """The description of the whole API."""
    return json_answer(read_description(), HTTPStatus.OK, {"Cache-Control": "public, max-age=300"})


@journal.logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request of the API."""
    return answer(app, journal, event, context)
