import pytest

from popfetch.adapters.bucket_place import BucketPlace, SigningKey

AMAZON, CHINA = "s3.eu-west-1.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn"


@pytest.mark.parametrize(
    ("place", "service", "origin"),
    [
        (BucketPlace("mail", "eu-west-1"), f"https://{AMAZON}", f"https://mail.{AMAZON}"),
        (BucketPlace("mail", "cn-north-1"), f"https://{CHINA}", f"https://mail.{CHINA}"),
    ],
)
def test_a_bucket_at_amazon_has_a_host_of_its_own(place: BucketPlace, service: str, origin: str) -> None:
    assert (place.has_own_host, place.service, place.origin) == (True, service, origin)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:4566/", "https://s3.example"])
def test_a_bucket_elsewhere_has_the_host_of_its_service(endpoint: str) -> None:
    place = BucketPlace("mail", "eu-west-1", endpoint)
    assert (place.has_own_host, place.service) == (False, endpoint.rstrip("/"))
    assert place.origin == place.service


def test_a_signing_key_does_not_show_its_secrets() -> None:
    assert "s3cret" not in repr(SigningKey("AKIA", "s3cret", "t0ken s3cret"))
