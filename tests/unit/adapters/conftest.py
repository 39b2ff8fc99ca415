from collections.abc import Iterator

import pytest

from tests.builders import aws as stack
from tests.builders.aws import Aws


@pytest.fixture
def aws() -> Iterator[Aws]:
    with stack.aws() as built:
        yield built
