from collections.abc import Iterator

import pytest

from tests.builders.aws import Aws, aws


@pytest.fixture(scope="module")
def stack() -> Iterator[Aws]:
    with aws() as built:
        yield built
