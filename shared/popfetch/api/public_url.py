"""Where the API is reached from outside, for links that people open: never what a request's Host header says."""

from collections.abc import Mapping
from typing import Any

from popfetch.runtime.settings import SettingMissing

STAGE_VARIABLE = "publicUrl"
"""The variable of the API's stage that says where it is reached; the stack's parameter PublicUrl sets it."""


def public_url(event: Mapping[str, Any]) -> str:
    """The API's address of a request, without a slash at its end. Raises SettingMissing where nothing says it.

    The stage variable counts first, then the domain by which API Gateway has found the API, which is one of its own,
    with what comes before the route: a stage, or the mapping of a custom domain.
    """
    named = (event.get("stageVariables") or {}).get(STAGE_VARIABLE)
    if named:
        return str(named).rstrip("/")
    context = event.get("requestContext") or {}
    if not context.get("domainName"):
        raise SettingMissing(
            f"Nothing says where this API is reached: set the stack's parameter PublicUrl (stage variable "
            f"{STAGE_VARIABLE})."
        )
    route, path = _parts(event["resource"]), _parts(context.get("path") or "")
    before = path[: len(path) - len(route)]
    return "/".join((f"https://{context['domainName']}", *before))


def _parts(path: str) -> list[str]:
    """What stands between the slashes of a path; of the root there is nothing."""
    return [part for part in path.split("/") if part]
