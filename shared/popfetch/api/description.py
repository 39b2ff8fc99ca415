"""The API's description, as it ships: ``infra/openapi.py`` puts it together from the routes of all functions."""

import json
from functools import cache
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).with_name("openapi.json")


@cache
def read_description() -> dict[str, Any]:
    """The description (OpenAPI 3.1)."""
    description: dict[str, Any] = json.loads(DESCRIPTION.read_text())
    return description
