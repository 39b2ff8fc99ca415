"""The store of cycles against moto as a server, for OpenDAL's requests do not pass through botocore."""

import asyncio
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from moto.server import ThreadedMotoServer

from popfetch.adapters import opendal_mail_store
from popfetch.adapters.bucket_place import BucketPlace, SigningKey
from popfetch.adapters.mail_bucket import PART_OCTETS, MailBucket
from popfetch.adapters.opendal_mail_store import OpendalMailStore
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


def store_at(endpoint: str, aws: Aws, *, bucket: str = "", token: str | None = None) -> OpendalMailStore:
    return OpendalMailStore(
        BucketPlace(bucket or aws.bucket, REGION, endpoint),
        lambda: SigningKey("testing", "testing", token),
        lambda: MailBucket(aws.s3, aws.bucket),
    )


async def put(store: OpendalMailStore, content: bytes = OCTETS, **metadata: str) -> None:
    await store.put(KEY, content, sha256(content).digest(), metadata)


@contextmanager
def answers(*statuses: int | None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers each request by the next status, the last one for ever; and what it was sent.

    It says nothing where that is None.
    """
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses[min(len(seen), len(statuses) - 1)]
            seen.append({name.lower(): value for name, value in self.headers.items()} | {"path": self.path})
            if status is None:
                return
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


async def test_each_request_is_signed_and_carries_a_checksum_of_the_octets(aws: Aws) -> None:
    with answers(200) as (endpoint, seen):
        await put(store_at(endpoint, aws, token="session"))
    (request,) = seen
    assert request["path"] == f"/{aws.bucket}/{KEY}"
    assert request["x-amz-checksum-crc32c"] == "CkyCzQ=="
    assert request["x-amz-security-token"] == "session"
    assert f"/{REGION}/s3/aws4_request" in request["authorization"]
    assert "x-amz-checksum-crc32c" in request["authorization"]


async def test_requests_are_signed_with_the_key_of_their_time(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opendal_mail_store, "KEY_SECONDS", 0.0)
    signing = iter(["first", "first", "second"])
    with answers(200) as (endpoint, seen):
        place = BucketPlace(aws.bucket, REGION, endpoint)
        store = OpendalMailStore(
            place, lambda: SigningKey(next(signing), "testing", None), lambda: MailBucket(aws.s3, aws.bucket)
        )
        for _ in range(3):
            await put(store)
    signed_with = [request["authorization"].partition("Credential=")[2].partition("/")[0] for request in seen]
    assert signed_with == ["first", "first", "second"]


async def test_a_key_is_not_asked_for_at_each_put(aws: Aws) -> None:
    asked: list[SigningKey] = []

    def signing_key() -> SigningKey:
        asked.append(SigningKey("testing", "testing", None))
        return asked[-1]

    with answers(200) as (endpoint, seen):
        store = OpendalMailStore(
            BucketPlace(aws.bucket, REGION, endpoint), signing_key, lambda: MailBucket(aws.s3, aws.bucket)
        )
        await asyncio.gather(*(put(store) for _ in range(20)))
    assert (len(seen), len(asked)) == (20, 1)


async def test_a_key_that_cannot_be_had_is_storage_unavailable(aws: Aws) -> None:
    def signing_key() -> SigningKey:
        raise RuntimeError("no credentials: secret-of-the-endpoint")

    place = BucketPlace(aws.bucket, REGION, "http://127.0.0.1:1")
    store = OpendalMailStore(place, signing_key, lambda: MailBucket(aws.s3, aws.bucket))
    with pytest.raises(StorageUnavailable, match=r"failed \(RuntimeError\)"):
        await put(store)


async def test_a_panic_of_the_client_is_storage_unavailable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    class Panic(BaseException):
        """As pyo3's, which is no Exception."""

    def panics(*_: object) -> None:
        raise Panic("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(opendal_mail_store, "_client", panics)
    with pytest.raises(StorageUnavailable, match=r"failed \(Panic\)"):
        await put(store_at("http://127.0.0.1:1", aws))


async def test_no_key_of_the_environment_signs(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-environment")
    with answers(200) as (endpoint, seen):
        await put(store_at(endpoint, aws))
    assert "of-the-environment" not in str(seen)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_that_is_busy_is_asked_again(aws: Aws, status: int) -> None:
    with answers(status, 200) as (endpoint, seen):
        await put(store_at(endpoint, aws))
    assert len(seen) == 2


async def test_a_server_that_stays_busy_is_storage_unavailable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opendal_mail_store, "FIRST_PAUSE", 0.001)
    with answers(503) as (endpoint, seen), pytest.raises(StorageUnavailable, match=r"failed \(status: 503\)"):
        await put(store_at(endpoint, aws))
    assert len(seen) == 1 + opendal_mail_store.RETRIES


async def test_a_server_that_says_nothing_is_asked_again(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opendal_mail_store, "ATTEMPT_SECONDS", 0.05)
    monkeypatch.setattr(opendal_mail_store, "FIRST_PAUSE", 0.001)
    with answers(None, 200) as (endpoint, seen):
        await put(store_at(endpoint, aws))
    assert len(seen) == 2


async def test_a_bucket_that_is_gone_is_storage_unavailable(aws: Aws, endpoint: str) -> None:
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        await put(store_at(endpoint, aws, bucket="no-such-bucket"))


async def test_a_refusal_without_words_is_storage_unavailable(aws: Aws) -> None:
    with answers(403) as (endpoint, _), pytest.raises(StorageUnavailable, match=r"failed \(status: 403\)"):
        await put(store_at(endpoint, aws))


async def test_what_went_wrong_is_told_without_what_was_sent_or_answered(aws: Aws) -> None:
    with answers(403) as (endpoint, _), pytest.raises(StorageUnavailable) as failure:
        await put(store_at(endpoint, aws, token="session"))
    told = "".join(traceback.format_exception(failure.value))
    assert "Storing a message failed (status: 403); it is tried again with the next request." in told
    assert "mail/a/b" not in told
    assert "Context:" not in told


async def test_a_server_that_is_not_there_is_storage_unavailable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opendal_mail_store, "FIRST_PAUSE", 0.001)
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(StorageUnavailable, match="Connect"):
            await put(store_at(f"http://127.0.0.1:{unheard.getsockname()[1]}", aws))


async def test_a_put_that_is_given_up_may_arrive_at_once_and_never_later(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opendal_mail_store, "GIVEN_UP_AFTER_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        giving_up = asyncio.create_task(put(store_at(f"http://127.0.0.1:{port}", aws)))
        loop = asyncio.get_running_loop()
        connection, _ = await loop.sock_accept(_unblocked(silent))
        giving_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await giving_up
        with connection:
            while await loop.sock_recv(connection, 65536):
                """Reads to the end that the client makes."""


def _unblocked(listening: socket.socket) -> socket.socket:
    listening.setblocking(False)
    return listening


async def test_a_put_that_lasts_too_long_is_storage_unavailable(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opendal_mail_store, "PUT_SECONDS", 0.05)
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
