"""What is kept holds no secret: the scan finds one that is planted, and says where and not which."""

from pathlib import Path

import pytest

from infra import audit, secret_scan

# put together here, so that this file is not found itself
PLANTED = {
    "AWS Access Key": "aws = 'AKIA" + "IOSFODNN7SECRETS'",
    "Private Key": "-----BEGIN RSA PRIVATE" + " KEY-----",
    "GitHub Token": "token = 'ghp_" + "a1B2" * 9 + "'",
    "Basic Auth Credentials": "url = 'https://anna:geheim" + "nis@example.com/'",
    "Slack Token": "slack = 'xoxb-" + "1234567890-abcdefghijkl'",
}


@pytest.mark.parametrize(("kind", "line"), PLANTED.items(), ids=list(PLANTED))
def test_a_planted_secret_is_found_and_not_shown(tmp_path: Path, kind: str, line: str) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text(f"first = 1\n{line}\n")
    (told,) = set(secret_scan.secrets_in([planted]))
    assert told == f"{planted}:2: {kind}"


def test_what_only_looks_like_one_can_say_so(tmp_path: Path) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text(f"{PLANTED['AWS Access Key']}  # pragma: allowlist secret\n")
    assert list(secret_scan.secrets_in([planted])) == []


def test_a_secret_ends_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text(PLANTED["Private Key"])
    monkeypatch.setattr(secret_scan, "known_files", lambda: [planted])
    assert secret_scan.main() == 1
    planted.write_text("nothing = 1\n")
    assert secret_scan.main() == 0


def test_what_people_write_is_looked_at_and_what_tools_write_is_not() -> None:
    looked_at = {str(file.relative_to(secret_scan.ROOT)) for file in secret_scan.known_files()}
    assert {"template.yaml", "README.md", "infra/secret_scan.py", "tests/unit/infra/test_secret_scan.py"} <= looked_at
    assert not [name for name in looked_at if name.endswith(("package-lock.json", ".png")) or "/site/" in name]


def test_an_index_that_knows_of_nothing_is_no_audit(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "looks", lambda _: False)
    assert audit.main() == 2
    assert "Nothing was audited" in capsys.readouterr().err
