"""AWS clients, one of each service per execution environment, made on first use."""

from functools import cache
from typing import Any

CONNECTIONS = 64
"""At most as many requests of one service are under way at once as a batch has threads."""


@cache
def aws_client(service: str, *, read_seconds: int = 30, attempts: int = 5) -> Any:
    """The client of a service: short timeouts, attempts with back-off, enough connections for a batch."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,  # type: ignore[call-overload]
        config=Config(
            connect_timeout=5,
            read_timeout=read_seconds,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # In some regions addresses would otherwise be signed by the old rules, which bind no length.
            signature_version="s3v4" if service == "s3" else None,
        ),
    )
