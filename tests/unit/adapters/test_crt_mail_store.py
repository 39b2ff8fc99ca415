"""The store of cycles against moto as a server, for the CRT's requests do not pass through botocore."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from moto.server import ThreadedMotoServer

from popfetch.adapters import crt_mail_store
from popfetch.adapters.bucket_place import BucketPlace, SigningKey
from popfetch.adapters.crt_mail_store import CrtMailStore
from popfetch.adapters.mail_bucket import PART_OCTETS, MailBucket
from popfetch.domain.errors import StorageUnavailable
from tests.builders.aws import REGION, Aws

KEY = "mail/a/b/2026/01/02/01abc.eml"
OCTETS = b"Subject: one\r\n\r\n\x00\xff"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """moto as a server in this process: it serves what the stack's own clients see."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def store_at(endpoint: str, aws: Aws, *, bucket: str = "", token: str | None = None) -> CrtMailStore:
    return CrtMailStore(
        BucketPlace(bucket or aws.bucket, REGION, endpoint),
        lambda: SigningKey("testing", "testing", token),
        lambda: MailBucket(aws.s3, aws.bucket),
    )


async def put(store: CrtMailStore, content: bytes = OCTETS, **metadata: str) -> None:
    await store.put(KEY, content, sha256(content).digest(), metadata)


@contextmanager
def answers(*statuses: int) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers each request by the next status, the last one for ever; and what it was sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses[min(len(seen), len(statuses) - 1)]
            seen.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_message_is_stored_with_its_type_its_metadata_and_its_checksum(aws: Aws, endpoint: str) -> None:
    await put(store_at(endpoint, aws), uid="1 %22")
    found = aws.s3.get_object(Bucket=aws.bucket, Key=KEY)
    assert found["Body"].read() == OCTETS
    assert found["ContentType"] == "message/rfc822"
    assert found["Metadata"] == {"uid": "1 %22", "sha256": sha256(OCTETS).hexdigest()}


@pytest.mark.parametrize("content", [b"", b"x", b"x" * PART_OCTETS], ids=["empty", "one octet", "a whole part"])
async def test_messages_of_any_size_up_to_a_part_are_one_object(aws: Aws, endpoint: str, content: bytes) -> None:
    await put(store_at(endpoint, aws), content)
    assert aws.s3.get_object(Bucket=aws.bucket, Key=KEY)["Body"].read() == content
    assert len(aws.s3.list_object_versions(Bucket=aws.bucket)["Versions"]) == 1


async def test_many_messages_go_up_side_by_side(aws: Aws, endpoint: str) -> None:
    store = store_at(endpoint, aws)
    contents = [b"%d" % number for number in range(200)]
    await asyncio.gather(*(store.put(c.decode(), c, sha256(c).digest(), {}) for c in contents))
    found = [aws.s3.get_object(Bucket=aws.bucket, Key=c.decode())["Body"].read() for c in contents]
    assert found == contents


async def test_each_request_is_signed_and_carries_the_checksum_of_the_octets(aws: Aws) -> None:
    with answers(200) as (endpoint, seen):
        await put(store_at(endpoint, aws, token="session"))
    (request,) = seen
    assert request["path"] == f"/{aws.bucket}/{KEY}"
    assert request["x-amz-checksum-sha256"] == "joPwK0oypCYeS3dcTCa6YIsNxJPyoX3crjYxr+oqg+Y="
    assert request["x-amz-security-token"] == "session"
    assert f"/{REGION}/s3/aws4_request" in request["authorization"]
    assert "x-amz-checksum-sha256" in request["authorization"]


async def test_a_server_that_is_busy_is_asked_again(aws: Aws) -> None:
    with answers(503, 200) as (endpoint, seen):
        await put(store_at(endpoint, aws))
    assert len(seen) == 2


async def test_a_bucket_that_is_gone_is_storage_unavailable(aws: Aws, endpoint: str) -> None:
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        await put(store_at(endpoint, aws, bucket="no-such-bucket"))


async def test_a_refusal_without_words_is_storage_unavailable(aws: Aws) -> None:
    with answers(403) as (endpoint, _), pytest.raises(StorageUnavailable, match="AWS_ERROR_S3_INVALID_RESPONSE_STATUS"):
        await put(store_at(endpoint, aws))


async def test_an_error_that_is_not_the_runtimes_own_is_storage_unavailable(
    aws: Aws, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(endpoint, aws)

    def breaks(*_: object, **__: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(type(store._client), "make_request", breaks)
    with pytest.raises(StorageUnavailable, match="BrokenPipeError"):
        await put(store)


async def test_a_put_that_is_given_up_ends_its_request(aws: Aws) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        giving_up = asyncio.create_task(put(store_at(f"http://127.0.0.1:{port}", aws)))
        connection, _ = await asyncio.get_running_loop().sock_accept(_unblocked(silent))
        giving_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await giving_up
        connection.close()


def _unblocked(listening: socket.socket) -> socket.socket:
    listening.setblocking(False)
    return listening


async def test_a_put_that_lasts_too_long_is_storage_unavailable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crt_mail_store, "PUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StorageUnavailable, match="Timeout"):
            await put(store_at(f"http://127.0.0.1:{port}", aws))


async def test_a_large_message_goes_up_in_parts(aws: Aws, endpoint: str) -> None:
    upload = await store_at(endpoint, aws).begin_upload(KEY, {"uid": "1"})
    await upload.write(b"a" * PART_OCTETS)
    await upload.write(b"b")
    await upload.complete()
    assert aws.s3.get_object(Bucket=aws.bucket, Key=KEY)["Body"].read() == b"a" * PART_OCTETS + b"b"
