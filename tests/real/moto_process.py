"""moto as a server in a process of its own, so that what it holds is in nobody else's memory.

Run as ``python -m tests.real.moto_process``: prints its port and serves until its input ends.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from tests.builders import aws as stack
from tests.real.server_process import ServerProcess, server_process

MOTO = "tests.real.moto_process"


def serve() -> None:
    """Serve until standard input ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    os._exit(0)


def environment(port: int) -> dict[str, str]:
    """What makes AWS clients talk to the server on ``port``."""
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": stack.REGION,
        "AWS_REGION": stack.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def stack_in_a_process(module: str = MOTO) -> Iterator[tuple[stack.Aws, dict[str, str]]]:
    """The stack's storage in a process of its own, and the environment that a function finds it by."""
    with server_process(module, quiet=True) as server, stack_on(server) as found:
        yield found


@contextmanager
def stack_on(server: ServerProcess, *, name: str = "popfetch") -> Iterator[tuple[stack.Aws, dict[str, str]]]:
    """The same on a server that is there already; a second stack there has a ``name`` of its own."""
    with pytest.MonkeyPatch.context() as patch:
        names = environment(server.port)
        for variable, value in names.items():
            patch.setenv(variable, value)
        patch.setattr(stack, "_client", boto3.client)  # those that tests share know another endpoint
        aws = stack._build(f"{name}-table", f"{name}-mail", f"{name}.fifo")
        dead_letters = aws.sqs.create_queue(QueueName=f"{name}-dead.fifo", Attributes={"FifoQueue": "true"})
        boto3.client("events").create_event_bus(Name=name)
        yield (
            aws,
            {
                **names,
                "POPFETCH_TABLE_NAME": aws.table,
                "POPFETCH_MAIL_BUCKET_NAME": aws.bucket,
                "POPFETCH_FETCH_QUEUE_URL": aws.queue_url,
                "POPFETCH_DEAD_LETTER_QUEUE_URL": dead_letters["QueueUrl"],
                "POPFETCH_EVENT_BUS_NAME": name,
                "POPFETCH_CREDENTIALS_KEY_ID": aws.key_id,
                "POPFETCH_OAUTH_CLIENTS_PARAMETER": "/popfetch/oauth-clients",
                "POPFETCH_ALLOW_PRIVATE_HOSTS": "true",
                "POWERTOOLS_SERVICE_NAME": "popfetch",
                "POWERTOOLS_METRICS_NAMESPACE": "popfetch",
                "POWERTOOLS_LOG_LEVEL": "WARNING",
            },
        )


if __name__ == "__main__":
    serve()
