from random import Random

import pytest

from tests.chaos import maildrops
from tests.chaos.maildrops import Change, LivingMaildrop, Manners


@pytest.mark.parametrize("sizes", [1.0, 2.0])
def test_a_uid_that_is_given_again_is_never_of_a_message_of_the_same_size(
    sizes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = (Change.ARRIVAL, Change.TAKEN, Change.REUSED, Change.TWIN, Change.REWRITTEN)
    monkeypatch.setattr(maildrops, "_CHANGES", tuple((1, change) for change in changes))
    maildrop = LivingMaildrop(Manners("any", sizes=sizes), 1)
    bearers: dict[tuple[bytes, int], set[int]] = {}
    random = Random(7)
    for _ in range(1000):
        maildrop.live(random)
        for mail in maildrop.present():
            bearers.setdefault((mail.uid, len(mail.content)), set()).add(maildrop.number_of(mail.content))
    assert maildrop.done[Change.REUSED] > 100
    assert [numbers for numbers in bearers.values() if len(numbers) > 1] == []
