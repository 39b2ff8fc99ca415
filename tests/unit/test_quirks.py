"""The catalogue of quirks: every one of them has a test, and no test is about one that is not in it."""

from tests.quirks import PROVIDERS, QUIRKS, known_parts, shown


def test_there_are_28() -> None:
    assert list(QUIRKS) == list(range(1, 29))


def test_every_part_of_every_quirk_has_a_test() -> None:
    assert known_parts() - {(mark.number, mark.part) for mark in shown()} == set()


def test_every_provider_has_a_test() -> None:
    assert PROVIDERS.keys() - {mark.provider for mark in shown()} == set()


def test_every_mark_names_something_that_is_known() -> None:
    for mark in shown():
        assert mark.provider in PROVIDERS or (mark.number, mark.part) in known_parts(), mark
