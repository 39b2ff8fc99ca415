"""What AWS allows: quotas as they are by default.

Quotas that differ by region are those of eu-central-1; each is an account's and a region's unless it says otherwise.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """A limit, what of it is used, and what is to be done when it is reached."""

    name: str
    limit: float
    unit: str
    remedy: str


CONCURRENCY = Quota("Lambda: executions at once", 1_000, "", "ask for more: Service Quotas")
POLLERS = Quota(
    "SQS event source: MaximumConcurrency", 1_000, "", "provisioned mode (20,000), in place of ScalingConfig"
)
DISPATCH_SMALL = Quota("one dispatch a minute, 512 MB", 55_000, "due/min", "DispatchMemory=1769")
DISPATCH_LARGE = Quota(
    "one dispatch a minute, 1,769 MB", 170_000, "due/min", "a second stack; or a dispatch per shards"
)
IN_FLIGHT = Quota("SQS FIFO: messages in flight, of a queue", 120_000, "", "ask for more: support")
SQS_CALLS = Quota("SQS FIFO, high throughput: calls of one kind", 19_000, "/s", "ask for more: Service Quotas")
TABLE_READS = Quota("DynamoDB: read units of a table", 40_000, "/s", "ask for more: Service Quotas")
TABLE_WRITES = Quota("DynamoDB: write units of a table", 40_000, "/s", "ask for more: Service Quotas")
NEW_TABLE_WRITES = Quota("DynamoDB: write units of a new table", 4_000, "/s", "grow over hours; or warm throughput")
PARTITION_READS = Quota("DynamoDB: read units of a wheel partition", 3_000, "/s", "WheelShards")
PUT_EVENTS = Quota("EventBridge: PutEvents", 2_400, "/s", "ask for more: Service Quotas")
KMS_CALLS = Quota("KMS: symmetric operations", 20_000, "/s", "ask for more: Service Quotas")
LOG_CALLS = Quota("CloudWatch Logs: PutLogEvents", 5_000, "/s", "ask for more: Service Quotas")
