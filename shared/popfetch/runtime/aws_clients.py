"""AWS clients, one of each service per execution environment, made on first use; and what others sign and ask with."""

import os
from functools import cache
from typing import Any

from popfetch.adapters.bucket_place import BucketPlace, SigningKey

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
            # A third of what writing an index entry costs; mypy and boto3's stubs have looked at the parameters before.
            parameter_validation=False,
            # In some regions addresses would otherwise be signed by the old rules, which bind no length.
            signature_version="s3v4" if service == "s3" else None,
        ),
    )


def bucket_place(bucket_name: str) -> BucketPlace:
    """Where a bucket of the stack's region is reached: at S3, or at the endpoint that the environment names."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return BucketPlace(bucket_name, os.environ["AWS_REGION"], endpoint)


def signing_key() -> SigningKey:
    """What requests are signed with now, as boto3 signs them; renewed by boto3 where it is about to expire."""
    frozen = _credentials().get_frozen_credentials()
    return SigningKey(frozen.access_key, frozen.secret_key, frozen.token)


@cache
def _credentials() -> Any:
    import boto3

    return boto3.session.Session().get_credentials()
