"""What is sent: groups of what was said, variables of the prober, and neither taken for the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetics.probes.adapters.conversations import find, said, shortened
from synthetics.probes.adapters.failures import ProbeFailed

MATCH = find(r"(\w+) (?P<second>\w+)( never)?", "say one two three")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("$1-${1}-\\1", "say-say-say"),
        ("$second ${second} $2", "one one one"),
        ("$0", "say one"),
        ("[$3] [$9] [$nobody] [${nobody}]", "[] [] [] []"),
        ("$1x", ""),  # as in Go: the longest name there could be
        ("${1}x", "sayx"),
        ("$$1 costs 5$", "$1 costs 5$"),
        ("\\0 \\n $ ${", "\\0 \\n $ ${"),
        ("${env:KEY} $1", "a$1b say"),
    ],
)
def test_groups_are_put_in_as_go_does_it(text: str, sent: str) -> None:
    assert said(text, MATCH, {"KEY": "a$1b"}) == sent


@given(st.text())
def test_without_a_match_only_variables_are_put_in(text: str) -> None:
    if "${env:" not in text:
        assert said(text, None, {}) == text


@given(st.text(alphabet="${}env:KEY1\\ a", max_size=40))
def test_what_was_said_never_takes_a_variable_along(heard: str) -> None:
    match = find("(?s)^(.*)$", heard)
    assert match is not None
    assert said("<$1>", match, {"KEY": "hunter2", "": "hunter2", "K": "hunter2"}) == f"<{heard}>"


def test_a_variable_that_is_not_set_is_our_fault() -> None:
    with pytest.raises(ProbeFailed) as failed:
        said("${env:NOWHERE}", MATCH, {})
    assert failed.value.is_fault
    assert failed.value.reason == "variable"


def test_what_is_shown_is_short_and_on_one_line() -> None:
    assert shortened("a\n\x1b[31mb") == "a··[31mb"
    assert len(shortened("x" * 1000)) == 81
