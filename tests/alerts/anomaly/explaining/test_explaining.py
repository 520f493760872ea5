"""Sentences, selectors, narrowed queries, lines of characters."""

import numpy as np
import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.anomaly.explaining.narrowing import narrowed
from alerts.anomaly.explaining.selecting import fits, selector
from alerts.anomaly.explaining.sentences import episode_sentence
from alerts.anomaly.explaining.sparkline import marks_under, sparkline
from alerts.anomaly.scoring.lineup import series_text

FIGURES = {"value": 412.4, "expected": 512.0, "lower": 480.0, "upper": 540.0, "score": 3.1}


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        (
            "point", {"earlier": (498, 505.2)},
            "412, 512 expected (480 to 540), 3.1× what is usual at most. Before, at the same time: 498, 505.",
        ),
        ("level_shift", {"score": None}, "A new level: 412, 512 expected (480 to 540)."),
        (
            "sustained", {"lower": None, "baseline": "weekly"},
            "Off for longer: 412, 512 expected, 3.1× what is usual at most. "
            "Compared with the same time in earlier weeks.",
        ),
        ("gap", {}, "No samples any more, where there used to be some."),
        ("point", {"value": None}, ""),
    ],
)  # fmt: skip
def test_a_sentence_says_what_it_was_and_what_was_expected(kind: str, more: dict[str, object], said: str) -> None:
    assert episode_sentence(kind, **{**FIGURES, **more}) == said  # type: ignore[arg-type]


LABELS = st.dictionaries(
    st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True), st.text(min_size=1, max_size=8), max_size=3
)


@given(LABELS, LABELS)
def test_a_series_own_text_chooses_it_and_no_other(labels: dict[str, str], other: dict[str, str]) -> None:
    matchers = selector(series_text(labels))
    assert fits(matchers, labels)
    assert fits(matchers, other) == (labels.items() <= other.items())


def test_a_selector_may_be_quoted_as_alerts_quote_it() -> None:
    odd = "\x1b[31m\a\b\f\r\v\u202e\U0001f4a5\x7f"
    (matcher,) = selector('{service="\\x1b[31m\\a\\b\\f\\r\\v\\u202e\\U0001f4a5\\x7f"}')
    assert matcher.value == odd
    (matcher,) = selector('service="\\ud800\\q"')
    assert matcher.value == "\\ud800\\q"
    assert fits(selector('service=~"\\ba\\d+"'), {"service": "a12"})


def test_selectors_may_be_short_or_match() -> None:
    for text in ('{service="a",zone=~"eu-.*"}', 'service=a, zone=~"eu-.*"', ' { service = "a" , zone!~"us.*" , } '):
        assert fits(selector(text), {"service": "a", "zone": "eu-1"})
        assert not fits(selector(text), {"service": "a", "zone": "us-1"})
    assert not fits(selector('zone=~"eu"'), {"zone": "eu-1"})  # the whole value, as everywhere in Prometheus
    for text in ("{service}", "a=b c=d", '{a="b}', 'a=~"("'):
        with pytest.raises(ValueError, match=r"choose series|regular expression"):
            selector(text)


def test_a_narrowed_query_asks_for_all_labels_as_they_are() -> None:
    narrow = narrowed("x", {"a": 'q"$1', "gone": ""})
    assert narrow == '(x\n) and on (a, gone) label_replace(vector(1), "a", "q\\"$$1", "", "")'
    assert narrowed("x", {}) == "x"


@given(LABELS)
def test_a_narrowed_query_is_promql(labels: dict[str, str]) -> None:
    labels = {name: value.encode("utf-8", "ignore").decode() for name, value in labels.items()}
    promql_parser.parse(narrowed("sum by (a) (rate(x[5m])) # per second", labels))


def test_a_line_shows_what_is_furthest_from_the_middle_and_gaps_as_blanks() -> None:
    values = np.array([1, 1, 9, 1, np.nan, np.nan, 5, 5, 0, 1], dtype=np.float32)
    assert sparkline(values, 5, 0, 9) == "▁█ ▅▁"
    assert sparkline(np.empty(0), 5, 0, 9) == ""
    assert marks_under([(0.4, 0.41), (0.8, 1.0)], 5) == "  ^ ^"
