"""What the template tells a function through its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


class SettingMissing(RuntimeError):
    """An environment variable that the template should have set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment of a function; each attribute ``x`` is read from ``POPFETCH_X``.

    A function is given only what it needs, so all are optional here and ``require`` names what is missing.
    """

    table_name: str = ""
    mail_bucket_name: str = ""
    fetch_queue_url: str = ""
    dead_letter_queue_url: str = ""
    event_bus_name: str = ""
    credentials_key_id: str = ""
    allow_private_hosts: bool = False
    ca_file: str = ""
    autoconfig_file: str = ""
    wheel_shards: int = 1
    sender_address: str = ""
    user_pool_id: str = ""
    user_pool_client_id: str = ""
    oauth_clients_parameter: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings. Raises SettingMissing for a value that is no such thing."""
        values: dict[str, str | bool | int] = {}
        for setting in fields(cls):
            name = f"POPFETCH_{setting.name.upper()}"
            text = environment.get(name, "").strip()
            if not text:
                continue
            if setting.type is bool:
                if text.lower() not in {"true", "false"}:
                    raise SettingMissing(f"{name} must be true or false.")
                values[setting.name] = text.lower() == "true"
            elif setting.type is int:
                if not text.isdigit() or int(text) < 1:
                    raise SettingMissing(f"{name} must be a whole number above zero.")
                values[setting.name] = int(text)
            else:
                values[setting.name] = text
        return cls(**values)  # type: ignore[arg-type]

    def require(self, name: str) -> str:
        """A setting that this function cannot do without. Raises SettingMissing."""
        value = getattr(self, name)
        if not value:
            raise SettingMissing(f"POPFETCH_{name.upper()} is not set; the template sets it for this function.")
        return str(value)
