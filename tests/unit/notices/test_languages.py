"""In every language the same is said, and nothing of another; and everybody gets the one that suits them."""

import inspect
import re
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popfetch.domain.account import Account, AuthMethod, Security
from popfetch.domain.notice import StoppedAccount
from popfetch.domain.provider import Provider
from popfetch.domain.provider_table import PROVIDERS
from popfetch.notices.languages import LANGUAGES, Language, language_accepted, language_for, mail_about, mail_asking
from popfetch.notices.letter import Letter
from popfetch.notices.page import Page
from popfetch.notices.vietnamese_providers import HELP
from tests.builders.accounts import a_server, an_account
from tests.builders.html_reader import ATTRIBUTES, ELEMENTS, Shown, loads_nothing
from tests.builders.notices import A_GRANT, STOPS, a_question, a_stop


def an_account_at(provider: Provider, auth: AuthMethod = AuthMethod.PASSWORD) -> Account:
    assert provider.incoming
    email = f"anna@{provider.domains[0] if provider.domains else 'example.com'}"
    return an_account(1, name="X", email=email, incoming=a_server(host=provider.incoming.host, auth=auth))


HOME = an_account(1, name="X")
BY_TOKEN = an_account(1, name="X", incoming=a_server(auth=AuthMethod.OAUTH2), incoming_secret=None, grant=A_GRANT)
ACCOUNTS = [
    HOME,
    BY_TOKEN,
    an_account(1, name="X", incoming=a_server(host="mail.example.net", port=110, security=Security.NONE)),
    an_account(1, name="X", outgoing=a_server(host="smtp.example.com", auth=AuthMethod.OAUTH2)),
    *(an_account_at(provider) for provider in PROVIDERS if provider.incoming),
    *(an_account_at(provider, auth=AuthMethod.OAUTH2) for provider in PROVIDERS if provider.oauth_provider),
]

ENGLISH = re.compile(
    r"\b(the|and|your|you|is|are|was|not|no|with|of|if|it|its|this|that|from|has|have|been|will|can|must|mail server|"
    r"password|account|mailbox|server|user|name|sign|please|open|new|link|address|page|reply|replies|settings|port|"
    r"security|none|does|says|check)\b",
    re.IGNORECASE,
)
NAMES = re.compile(
    r"[\w.+-]+@[\w.-]+|\b[\w-]+(\.[\w-]+)+\b|secure mail key|" + "|".join(re.escape(p.name) for p in PROVIDERS)
)
"""Addresses, hosts, and what providers and their pages are called."""


def stop_letter(language: Language, stop: StoppedAccount, account: Account) -> Letter:
    if stop.code == "network":
        return language.server_unreachable(account, stop)
    if stop.code == "secret_unreadable":
        return language.password_unreadable(account, stop)
    if stop.code == "permanent":
        return language.mailbox_out_of_order(account, stop)
    if stop.code == "consent_needed":
        return language.consent_needed(account, stop)
    return language.sign_in_refused(account, stop)


def letters(language: Language) -> Iterator[Letter]:
    yield from (stop_letter(language, stop, account) for stop in STOPS for account in ACCOUNTS)
    yield language.confirm_reply_to(a_question())


def pages(language: Language) -> Iterator[Page]:
    yield language.reply_to_asked("a@example.org", "b@example.com")
    yield language.reply_to_confirmed("a@example.org", "b@example.com")
    yield language.link_invalid()
    yield language.try_again()
    yield language.consent_not_waited_for()
    yield language.consent_in_other_browser()
    yield language.consent_try_again()


def everything(language: Language) -> list[Letter | Page]:
    return [*letters(language), *pages(language)]


def words_of(said: Letter | Page) -> list[str]:
    """Each heading, paragraph, label and step by itself."""
    words = [said.heading, said.opening, *(label for label, _ in said.facts), *said.closing]
    if isinstance(said, Page):
        return [*words, said.title, *([said.button] if said.button else [])]
    steps = [said.steps_heading, *said.steps] if said.steps else []
    return [*words, said.subject, *steps, *([said.action.label] if said.action else [])]


def shape_of(said: Letter | Page) -> tuple[object, ...]:
    if isinstance(said, Page):
        return len(said.facts), bool(said.button), len(said.closing)
    return len(said.facts), bool(said.action), len(said.steps), len(said.closing)


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_every_language_has_all_functions_with_the_same_parameters(name: str) -> None:
    for function, expected in inspect.getmembers(Language, inspect.isfunction):
        if function.startswith("_"):
            continue
        written = inspect.signature(getattr(LANGUAGES[name], function))
        assert [*inspect.signature(expected).parameters][1:] == [*written.parameters]


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_everything_says_which_language_it_is_in(name: str) -> None:
    language = LANGUAGES[name]
    assert {said.language for said in everything(language)} == {name}


def test_every_language_says_as_much_as_english() -> None:
    expected = [shape_of(said) for said in everything(LANGUAGES["en"])]
    for language in LANGUAGES.values():
        assert [shape_of(said) for said in everything(language)] == expected


def facts_of_any_language(text: str) -> list[str]:
    """What has to be in every language: numbers, hosts, addresses, and what is called the same everywhere."""
    found: list[str] = re.findall(
        r"[\w.+-]+@[\w.-]*\w|\b[a-z0-9-]+(?:\.[a-z0-9-]+)+\b|\b(?:POP3?|SMTP|IMAP|TLS|STARTTLS|UTC|\d{2,5})\b", text
    )
    return sorted(set(found))


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.code)
def test_the_same_facts_are_told_in_every_language(stop: StoppedAccount) -> None:
    for account in ACCOUNTS:
        english, *others = (
            stop_letter(language, stop, account)
            for language in (LANGUAGES["en"], *(LANGUAGES[name] for name in LANGUAGES if name != "en"))
        )
        for other in others:
            for mine, theirs in zip((english.opening, *english.steps), (other.opening, *other.steps), strict=True):
                assert set(facts_of_any_language(mine)) <= set(facts_of_any_language(theirs))
            values, told = dict(english.facts), dict(other.facts)
            assert len(values) == len(told)
            for value in (account.email, account.incoming.host, account.incoming.username, stop.server_said):
                assert value in " ".join(told.values()).replace("\u200b", "")


def test_nothing_is_in_english_where_vietnamese_is_spoken() -> None:
    vietnamese = LANGUAGES["vi"]
    for said in everything(vietnamese):
        told = [value.replace("\u200b", "") for _, value in said.facts]
        told = [re.sub(r"“.*”", "", value) for value in told]
        for words in (*words_of(said), *told):
            assert not ENGLISH.findall(NAMES.sub("", words.replace("\u200b", ""))), words


def test_every_sentence_is_in_vietnamese_where_it_is_spoken() -> None:
    vietnamese = LANGUAGES["vi"]
    for said in everything(vietnamese):
        for words in words_of(said):
            assert unicodedata.is_normalized("NFC", words)
            assert re.search(r"[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]", words), words


def test_the_pages_tell_the_same_facts_in_every_language() -> None:
    expected = [facts_of_any_language(" ".join(words_of(said))) for said in pages(LANGUAGES["en"])]
    for language in LANGUAGES.values():
        assert [facts_of_any_language(" ".join(words_of(said))) for said in pages(language)] == expected


def test_every_provider_has_its_help_in_vietnamese_and_no_help_is_left_over() -> None:
    assert list(HELP) == [provider.id for provider in PROVIDERS]
    for provider in PROVIDERS:
        told = HELP[provider.id]
        assert unicodedata.is_normalized("NFC", told)
        assert not ENGLISH.findall(NAMES.sub("", told)), told
        assert set(facts_of_any_language(provider.help)) <= set(facts_of_any_language(told)), provider.id


def test_helps_that_differ_in_english_differ_in_vietnamese() -> None:
    assert len({provider.help for provider in PROVIDERS}) == len(set(HELP.values()))


@pytest.mark.parametrize("name", sorted(LANGUAGES))
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.code)
@pytest.mark.parametrize("account", [HOME, BY_TOKEN], ids=["password", "token"])
def test_a_notice_of_a_stop_has_no_link_in_any_language(name: str, stop: StoppedAccount, account: Account) -> None:
    mail = mail_about(stop, account, name)
    shown = Shown(mail.html)
    assert shown.elements <= ELEMENTS
    assert shown.attribute_names <= ATTRIBUTES
    assert loads_nothing(mail.html)
    assert not re.search(r"https?:|www\.", mail.text + mail.html)


@pytest.mark.parametrize("name", sorted(LANGUAGES))
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.code)
@pytest.mark.parametrize("account", [HOME, BY_TOKEN], ids=["password", "token"])
def test_both_forms_say_the_same_in_every_language(name: str, stop: StoppedAccount, account: Account) -> None:
    mail = mail_about(stop, account, name)
    words = re.sub(r"^\d\. ", "", mail.text, flags=re.MULTILINE)
    for label, _ in stop_letter(LANGUAGES[name], stop, account).facts:
        words = words.replace(f"{label}: ", label)
    assert Shown(mail.html).text.replace(" ", "") == "".join(words.split())
    assert mail.language == Shown(mail.html).values_of("lang")[0] == name


@pytest.mark.parametrize("locale", ["vi", "VI", "vi-VN", "vi_VN", "vi-Latn-VN", "vi_VN.UTF-8"])
def test_vietnamese_is_for_those_who_prefer_it(locale: str) -> None:
    assert language_for(locale) == "vi"
    assert mail_about(a_stop(), HOME, locale).language == "vi"
    assert mail_asking(a_question(), locale).language == "vi"


@pytest.mark.parametrize("locale", ["", "en", "en-GB", "EN_us", "de", "vie", "x-vi", "x" * 100, "-", "_vi", "\0"])
def test_whoever_speaks_no_other_language_of_ours_gets_english(locale: str) -> None:
    assert language_for(locale) == "en"
    assert mail_about(a_stop(), HOME, locale) == mail_about(a_stop(), HOME)


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("vi", "vi"),
        ("vi-VN,vi;q=0.9,en-US;q=0.8,en;q=0.7", "vi"),
        ("en-US,en;q=0.9,vi;q=0.8", "en"),
        ("de-DE, de;q=0.9, vi;q=0.2, en;q=0.1", "vi"),
        ("en;q=0.5, VI ; Q=0.7", "vi"),
        ("vi, en", "vi"),
        ("en, vi", "en"),
        ("*, vi;q=0.5", "en"),
        ("*;q=0.1, vi;q=0.5", "vi"),
        ("en;q=0, *", "vi"),
        ("en;q=0", "en"),
        ("vi;q=0, en;q=0.001", "en"),
        ("vi;q=0", "en"),
        ("vi;q=2, en;q=0.1", "en"),
        ("vi;q=nonsense", "en"),
        (",,;q=1,vi;q=,\t, vi ;q=1.000 ,", "vi"),
        ("vietnamesisch", "en"),
        ("vi;level=1", "en"),
    ],
)
def test_a_browser_gets_what_it_accepts_best(header: str, language: str) -> None:
    assert language_accepted(header) == language


@given(st.text())
def test_no_header_is_too_strange(header: str) -> None:
    assert language_accepted(header) in LANGUAGES


QUALITIES = st.integers(0, 1000).map(lambda thousandths: f"{thousandths / 1000:.3f}")


@given(
    vi=QUALITIES,
    en=QUALITIES,
    others=st.lists(st.tuples(st.sampled_from(["de", "fr-CH", "x", "zz-Hant"]), QUALITIES), max_size=5),
    nonsense=st.text(st.characters(exclude_characters=","), max_size=5),
    data=st.data(),
)
def test_of_two_languages_the_better_one_wins_wherever_it_stands(
    vi: str, en: str, others: list[tuple[str, str]], nonsense: str, data: st.DataObject
) -> None:
    ranges = [f"{name};q={quality}" for name, quality in [("vi-VN", vi), ("en", en), *others]]
    header = data.draw(st.permutations([*ranges, f"?{nonsense}"]))
    expected = {True: "vi", False: "en"}[float(vi) > float(en)]
    if vi != en:
        assert language_accepted(",".join(header)) == expected
