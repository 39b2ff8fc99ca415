"""What AWS asks for what popfetch uses: list prices, and the sum of a bill.

Region us-east-1, USD, as of November 2026; the free tier is not counted. ``dimension`` is the name by which the price
stands in AWS's price list, so that a price can be looked up again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

REGION: Final = "us-east-1"
AS_OF: Final = "2026-11"

SECONDS_A_MONTH: Final = 30 * 24 * 3600
MINUTES_A_MONTH: Final = SECONDS_A_MONTH // 60

GB: Final = 2**30
KB: Final = 2**10


@dataclass(frozen=True, slots=True)
class Price:
    """``usd`` for each ``per`` units of what ``unit`` names."""

    service: str
    dimension: str
    unit: str
    usd: float
    per: int = 1

    @property
    def each(self) -> float:
        """The price of one unit."""
        return self.usd / self.per


_MILLION = 1_000_000

PRICES: Final[Mapping[str, Price]] = {
    # requests
    "dynamodb.write": Price("DynamoDB", "WriteRequestUnits", "write unit of 1 KB", 0.625, _MILLION),
    "dynamodb.read": Price("DynamoDB", "ReadRequestUnits", "read unit of 4 KB", 0.125, _MILLION),
    "s3.put": Price("S3", "Requests-Tier1", "PUT, COPY, POST or LIST", 0.005, 1000),
    "s3.get": Price("S3", "Requests-Tier2", "GET and all others", 0.0004, 1000),
    "sqs.fifo": Price("SQS", "Requests-FIFO-Tier1", "request of 64 KB", 0.50, _MILLION),
    "kms.request": Price("KMS", "KMS-Requests", "request", 0.03, 10_000),
    "events.custom": Price("EventBridge", "Event-64K-Chunks", "event of 64 KB", 1.00, _MILLION),
    "lambda.request": Price("Lambda", "Request-ARM", "invocation", 0.20, _MILLION),
    "lambda.gb_second": Price("Lambda", "Lambda-GB-Second-ARM", "GB-second", 0.0000133334),
    "logs.octet": Price("CloudWatch Logs", "DataProcessing-Bytes", "octet taken in", 0.50, GB),
    "xray.trace": Price("X-Ray", "XRay-TracesStored", "trace recorded", 5.00, _MILLION),
    # by the month
    "logs.stored": Price("CloudWatch Logs", "TimedStorage-ByteHrs", "GB-month, compressed", 0.03),
    "cloudwatch.metric": Price("CloudWatch", "CW:MetricMonitorUsage", "metric and month", 0.30),
    "cloudwatch.alarm": Price("CloudWatch", "CW:AlarmMonitorUsage", "alarm and month", 0.10),
    "cloudwatch.dashboard": Price("CloudWatch", "DashboardsUsageHour", "dashboard and month", 3.00),
    "kms.key": Price("KMS", "KMS-Keys", "key version and month", 1.00),
    "dynamodb.stored": Price("DynamoDB", "TimedStorage-ByteHrs", "GB-month", 0.25),
    "dynamodb.pitr": Price("DynamoDB", "TimedPITRStorage-ByteHrs", "GB-month", 0.20),
    "s3.stored": Price("S3", "TimedStorage-ByteHrs", "GB-month", 0.023),
    "snapstart.cached": Price("Lambda", "SnapStart-Cached-GB-Second-ARM", "GB-second of a snapshot", 0.0000015046),
    "snapstart.restored": Price("Lambda", "SnapStart-Restored-GB-ARM", "GB restored", 0.0001397998),
}
"""Every price, by the name that counts use for it."""

type Counts = Mapping[str, float]
"""How many units of what; each name is one of ``PRICES``."""

type Bill = dict[str, float]
"""USD for each name of ``PRICES``."""


def bill(counts: Counts) -> Bill:
    """What counts cost, the largest part first. Raises KeyError for what has no price."""
    dollars = {name: count * PRICES[name].each for name, count in counts.items() if count}
    return dict(sorted(dollars.items(), key=lambda part: -part[1]))


def total(counts: Counts) -> float:
    """What counts cost, all together."""
    return sum(bill(counts).values())


def plus(*parts: Counts) -> dict[str, float]:
    """Counts together."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: sum(part.get(name, 0.0) for part in parts) for name in names}


def times(factor: float, counts: Counts) -> dict[str, float]:
    """Counts, so many times."""
    return {name: factor * count for name, count in counts.items()}
