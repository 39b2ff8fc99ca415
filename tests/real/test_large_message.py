"""A message of 200 MB passes through a process that never holds it."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from tests.real.dovecot import Dovecot
from tests.real.fetch_process import FetchProcess
from tests.real.mixed_mail import a_header
from tests.real.moto_process import stack_in_a_process
from tests.real.stack import Collector

pytestmark = pytest.mark.real

SECONDS = 180
OCTETS = 200_000_000
MAY_GROW = 100_000_000


async def test_takes_a_message_of_200_mb_within_100_mb_of_memory(
    dovecot: Dovecot, record_property: Callable[[str, object], None]
) -> None:
    # given a small message, that warms the process up, and a large one in another mailbox
    dovecot.maildir("small").deliver(a_header(1) + b"Hello.\r\n")
    line = b"All work and no play makes Jack a dull boy, and so on and so forth, 76\r\n.\r\n"
    content = bytearray(a_header(2))
    content += line * ((OCTETS - len(content)) // len(line) + 1)
    expected = sha256(content).hexdigest()
    dovecot.maildir("large").deliver(bytes(content))
    octets = len(content)
    del content
    with stack_in_a_process() as (aws, environment):
        async with FetchProcess({**environment, "POPFETCH_CA_FILE": dovecot.ca_file}) as processes:
            small = Collector.add(aws, dovecot.mailbox("small"), 1)
            large = Collector.add(aws, dovecot.mailbox("large"), 2)
            events = []
            for collector in (small, large):
                collector.ask()
                events.append(collector.next_event())
            assert None not in events

            # when
            run = await processes.run(*[event for event in events if event])

        # then
        print(f"{octets / 1e6:.0f} MB message: memory grew by {run.growth[1] / 1e6:.1f} MB")
        record_property("growth_octets", run.growth[1])
        assert run.answers == [{"batchItemFailures": []}] * 2
        assert large.object_digests() == [expected]
        assert large.indexed() == large.object_keys()
        assert run.growth[1] < MAY_GROW
