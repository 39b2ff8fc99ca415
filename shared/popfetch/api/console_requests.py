"""What of a request counts at the console, which is for everybody and for whatever their browsers send along."""

from collections.abc import Mapping
from typing import Any

_UNANNOUNCED = "application/octet-stream"


def as_asked(event: Mapping[str, Any]) -> dict[str, Any]:
    """A request without all that does not count for it, so that nothing of that is refused for its form.

    A page is shown whatever its address says. A body is read only where it is announced: what nothing is announced for
    is any octets (RFC 9110, section 8.3), and what other sites may send comes so or as a form.
    """
    if event.get("resource") == "/":
        return {**event, "body": None, "queryStringParameters": None, "multiValueQueryStringParameters": None}
    headers = event.get("headers") or {}
    if event.get("body") and "content-type" not in {name.lower() for name in headers}:
        return {**event, "headers": {**headers, "Content-Type": _UNANNOUNCED}}
    return dict(event)
