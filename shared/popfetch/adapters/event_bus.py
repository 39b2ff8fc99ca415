"""popfetch's event bus: what happened, for whoever wants to know."""

import json
from typing import TYPE_CHECKING

from popfetch.adapters.dynamodb_items import translated
from popfetch.domain.errors import StorageUnavailable

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "popfetch"


class EventBridgeBus:
    """``EventBus`` on EventBridge; the event's detail type is its name."""

    def __init__(self, client: "EventBridgeClient", bus_name: str) -> None:
        self._client = client
        self._bus_name = bus_name

    def publish(self, name: str, detail: dict[str, object]) -> None:
        """Publish one event. Raises StorageUnavailable."""
        with translated(f"Publishing {name}"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "EventBusName": self._bus_name,
                        "Source": SOURCE,
                        "DetailType": name,
                        "Detail": json.dumps(detail),
                    }
                ]
            )
        if answer.get("FailedEntryCount"):
            code = answer["Entries"][0].get("ErrorCode", "unknown")
            raise StorageUnavailable(f"Publishing {name} failed ({code}).")
