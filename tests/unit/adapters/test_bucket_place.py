import pytest

from popfetch.adapters.bucket_place import BucketPlace, SigningKey


@pytest.mark.parametrize(
    ("place", "origin", "path"),
    [
        (BucketPlace("mail", "eu-west-1"), "https://mail.s3.eu-west-1.amazonaws.com", "/a/b.eml"),
        (BucketPlace("mail", "cn-north-1"), "https://mail.s3.cn-north-1.amazonaws.com.cn", "/a/b.eml"),
        (BucketPlace("mail", "eu-west-1", "http://127.0.0.1:4566/"), "http://127.0.0.1:4566", "/mail/a/b.eml"),
        (BucketPlace("mail", "eu-west-1", "https://s3.example"), "https://s3.example", "/mail/a/b.eml"),
    ],
)
def test_a_bucket_has_a_host_of_its_own_at_amazon_and_a_path_elsewhere(
    place: BucketPlace, origin: str, path: str
) -> None:
    assert (place.origin, place.path("a/b.eml")) == (origin, path)
    assert place.is_secure is origin.startswith("https")
    assert origin.endswith(f"//{place.host}")


def test_what_a_path_cannot_hold_is_quoted() -> None:
    assert BucketPlace("mail", "eu-west-1").path("a b/ü~?.eml") == "/a%20b/%C3%BC~%3F.eml"


def test_a_signing_key_does_not_show_its_secrets() -> None:
    assert "s3cret" not in repr(SigningKey("AKIA", "s3cret", "t0ken s3cret"))
