"""Strings that patterns match, and labels that satisfy selectors."""

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from slo.promql.promql_text import Matcher, selectors, tokens
from slo.proofs.examples_of import accepts, examples, labels_for

LITERALS = st.sampled_from(["a", "5", "prod", "-", "_", r"\.", ".", r"\d", r"\w", "[a-c]", "[^a5]", "/"])
PATTERNS = st.recursive(
    LITERALS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}"])).map(lambda both: f"(?:{both[0]}){both[1]}"),
    ),
    max_leaves=6,
)
VALUES = st.text("ab5.-", max_size=3)


@st.composite
def matchers(draw: st.DrawFn) -> Matcher:
    label = draw(st.sampled_from(["job", "code"]))
    operator = draw(st.sampled_from(["=", "!=", "=~", "!~"]))
    value = draw(VALUES if operator in ("=", "!=") else PATTERNS)
    text = value.replace("\\", "\\\\")
    return selectors(tokens(f'{{{label}{operator}"{text}"}}'))[0].matchers[0]


@settings(max_examples=60)
@given(PATTERNS)
def test_every_example_matches_its_pattern(pattern: str) -> None:
    found = examples(pattern)
    assert found, pattern
    assert all(re.fullmatch(pattern, text, re.DOTALL) for text in found)


@settings(max_examples=60)
@given(st.lists(matchers(), max_size=4))
def test_labels_satisfy_every_matcher_at_once(conditions: list[Matcher]) -> None:
    labels = labels_for(conditions)
    assume(labels is not None)
    assert labels is not None
    assert accepts(conditions, labels)
    assert all(labels.values())


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ('{job="shop"}', {"job": "shop"}),
        ('{job="shop",code!="500"}', {"job": "shop"}),
        ('{code=~"5..",code!~"5a[a0]"}', {"code": "5ab"}),
        ('{code!~"5..|"}', {"code": "other"}),
        ('{code=~"404|429",code!="404"}', {"code": "429"}),
        ('{code="a",code="b"}', None),
    ],
)
def test_labels_are_as_few_as_can_be(selector: str, expected: dict[str, str] | None) -> None:
    found = labels_for(selectors(tokens(selector))[0].matchers)
    assert found == expected


@pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "(?=b)a"])
def test_patterns_beyond_us_have_no_examples(pattern: str) -> None:
    assert examples(pattern) == ()
