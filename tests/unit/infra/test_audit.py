"""Nobody can be asked here; what the advisory services say is theirs to test."""

import pytest

from infra import audit


@pytest.mark.parametrize(("arguments", "exit_code"), [((), 2), ((audit.UNASKED_IS_NO_FAULT,), 0)])
def test_where_nobody_can_be_asked_it_is_said_and_fails_where_that_is_a_fault(
    arguments: tuple[str, ...], exit_code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "looks", lambda folder: False)
    assert audit.main(arguments) == exit_code
    assert "Nothing was audited" in capsys.readouterr().err
