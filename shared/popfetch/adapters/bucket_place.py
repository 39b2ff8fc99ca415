"""Where a bucket is reached, at Amazon's S3 or at another that stands in for it, and what requests are signed with."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A bucket and its region; ``endpoint`` is the URL of another S3, empty for Amazon's."""

    bucket: str
    region: str
    endpoint: str = ""

    @property
    def origin(self) -> str:
        """Scheme and host, with the port if it is not the scheme's own."""
        if self.endpoint:
            parts = urlsplit(self.endpoint)
            return f"{parts.scheme}://{parts.netloc}"
        return f"https://{self.bucket}.s3.{self.region}.{self.suffix}"

    @property
    def suffix(self) -> str:
        """The domain of the partition that the region is in."""
        return "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken there."""
        return self.origin.startswith("https://")

    @property
    def host(self) -> str:
        """What the Host header says."""
        return urlsplit(self.origin).netloc

    def path(self, key: str) -> str:
        """The path of an object; another S3 has no host for each bucket, so there the path begins with its name."""
        path = quote(key, safe="/~")
        return f"/{self.bucket}/{path}" if self.endpoint else f"/{path}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What requests are signed with."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
