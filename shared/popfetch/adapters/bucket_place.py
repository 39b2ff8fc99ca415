"""Where a bucket is reached, at Amazon's S3 or at another that stands in for it, and what requests are signed with."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A bucket and its region; ``endpoint`` is the URL of another S3, empty for Amazon's."""

    bucket: str
    region: str
    endpoint: str = ""

    @property
    def has_own_host(self) -> bool:
        """Whether the bucket's name is part of the host's; at another S3 paths begin with it."""
        return not self.endpoint

    @property
    def service(self) -> str:
        """Scheme and host of the S3 that the bucket is at, with the port if it is not the scheme's own."""
        if self.endpoint:
            parts = urlsplit(self.endpoint)
            return f"{parts.scheme}://{parts.netloc}"
        return f"https://s3.{self.region}.{self.suffix}"

    @property
    def origin(self) -> str:
        """The same of the bucket itself, as browsers know it."""
        return f"https://{self.bucket}.s3.{self.region}.{self.suffix}" if self.has_own_host else self.service

    @property
    def suffix(self) -> str:
        """The domain of the partition that the region is in."""
        return "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What requests are signed with."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
