"""Every language says everything, and says it with the same figures in it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthetics.status_page.rendering as rendering
from synthetics.status_page.components import BASIS
from synthetics.status_page.languages import LANGUAGES
from synthetics.status_page.rendering.catalogue import CATEGORIES, catalogue
from synthetics.status_page.rendering.localised import SECTION, sentence

FOLDER = Path(rendering.__file__).parent
OTHERS = [language for language in LANGUAGES if language != "en"]


def placeholders(text: str | object) -> set[str]:
    forms = [text] if isinstance(text, str) else list(dict(text).values())  # type: ignore[call-overload]
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}


def test_each_known_language_has_a_catalogue_and_no_other_has() -> None:
    assert {path.stem for path in (FOLDER / "catalogues").glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_text_and_no_other(language: str) -> None:
    assert catalogue(language).texts.keys() == catalogue("en").texts.keys()


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_same_placeholders(language: str) -> None:
    english, other = catalogue("en").texts, catalogue(language).texts
    assert [key for key in english if placeholders(english[key]) != placeholders(other[key])] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_depends_on_a_number_has_a_form_for_any(language: str) -> None:
    for key, text in catalogue(language).texts.items():
        if not isinstance(text, str):
            assert "other" in text, key
            assert text.keys() <= CATEGORIES, key
            catalogue(language).counted(key, 2, **dict.fromkeys(placeholders(text) - {"count"}, "x"))


def test_every_text_is_used() -> None:
    written = "".join(path.read_text() for path in (*FOLDER.glob("*.py"), *FOLDER.glob("templates/*.html")))
    looked_up = ("months.", "zones.", "status.", "impact.", "stage.", "length.", "overall.", "page.colours_", "basis.",
                 "uptime.excluded_for", "uptime.unmeasured_for", "uptime.corrected_for")  # fmt: skip
    unused = [
        key
        for key in catalogue("en").texts
        if not key.startswith(looked_up) and not re.search(rf"[\"']{re.escape(key)}[\"']", written)
    ]
    assert unused == []


def test_sentences_on_what_a_status_is_made_from_are_translated() -> None:
    assert {f"{SECTION}{text}" for text in BASIS} == {key for key in catalogue("en").texts if key.startswith(SECTION)}
    assert sentence(BASIS[0], catalogue("de")) == "Prüfungen von außen gelingen."
    told = sentence("Checks from outside fail in these regions: Asia, Europe.", catalogue("de"))
    assert told == "Prüfungen von außen scheitern in diesen Regionen: Asia, Europe."
    assert sentence("Something else {x}", catalogue("de")) == "Something else {x}"


def test_a_percentage_is_never_rounded_up() -> None:
    english, german = catalogue("en"), catalogue("de")
    assert english.percent(Decimal("0.9999999")) == "99.999\N{NO-BREAK SPACE}%"
    assert english.percent(Decimal(1)) == "100\N{NO-BREAK SPACE}%"
    assert german.percent(Decimal("0.99986")) == "99,986\N{NO-BREAK SPACE}%"
    assert english.percent(Decimal(0)) == "0\N{NO-BREAK SPACE}%"
    assert english.percent(None) == "Not measured"


@given(st.decimals(0, 1, places=9))
def test_only_a_whole_ratio_is_all(ratio: Decimal) -> None:
    assert (catalogue("en").percent(ratio) == "100\N{NO-BREAK SPACE}%") == (ratio == 1)


def test_numbers_are_grouped_as_the_language_groups_them() -> None:
    assert catalogue("en").number(7_776_000) == "7,776,000"
    assert catalogue("de").number(Decimal("7776000.5")) == "7.776.000,5"


def test_lengths_are_told_in_their_two_largest_units() -> None:
    assert catalogue("en").duration(4020) == "1 hour 7 minutes"
    assert catalogue("de").duration(86_400) == "1 Tag"
    assert catalogue("de").duration(2 * 86_400 + 59) == "2 Tage"
    assert catalogue("en").duration(0) == "0 seconds"
    assert catalogue("en").duration(61) == "1 minute 1 second"


def test_times_name_their_zone() -> None:
    at = datetime(2026, 11, 30, 18, 21, tzinfo=UTC)
    assert catalogue("en").moment(at.astimezone(ZoneInfo("Europe/Berlin"))) == "30 November 2026, 19:21 CET"
    assert catalogue("de").moment(at.astimezone(ZoneInfo("Europe/Berlin"))) == "30. November 2026, 19:21 Uhr MEZ"
    assert catalogue("en").clock(at.astimezone(ZoneInfo("America/Sao_Paulo"))) == "15:21 UTC−03"
    assert catalogue("en").clock((at + timedelta(0)).astimezone(ZoneInfo("Asia/Kathmandu"))) == "00:06 UTC+05:45"
