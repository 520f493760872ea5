"""Alertmanager's matchers."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.routing.matchers import BadMatcher, as_text, matches, parse
from alerts.routing.model import Matcher, MatchOperator

EQUAL, NOT_EQUAL, LIKE, UNLIKE = MatchOperator


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ('severity="page"', Matcher("severity", EQUAL, "page")),
        ("severity=page", Matcher("severity", EQUAL, "page")),
        ('  severity  !=  "a b"  ', Matcher("severity", NOT_EQUAL, "a b")),
        ('service=~"api|web"', Matcher("service", LIKE, "api|web")),
        ("service!~", Matcher("service", UNLIKE, "")),
        (r'path="a\"b\\c\nd\t"', Matcher("path", EQUAL, 'a"b\\c\nd\\t')),
        ("a==b", Matcher("a", EQUAL, "=b")),
    ],
)
def test_matchers_are_read_as_alertmanager_reads_them(text: str, matcher: Matcher) -> None:
    assert parse(text) == matcher


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("severity", "is not a matcher"),
        ('="page"', "is not a matcher"),
        ("a-b=c", "is not a matcher"),
        ('severity="page', "is not closed"),
        ('severity="', "is not closed"),
        (r'severity="page\"', "is not closed"),
        ('severity="a"b"', "a quote within"),
        ('severity=a"b', "a quote within"),
        ('severity=~"["', "is not a regular expression"),
        ('severity=~"(?=a)"', "is not a regular expression"),
    ],
)
def test_what_is_no_matcher_is_refused_with_a_way_out(text: str, why: str) -> None:
    with pytest.raises(BadMatcher, match=re.escape(why)) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ('a="b"', {"a": "b"}, True),
        ('a="b"', {}, False),
        ('a=""', {}, True),
        ('a!="b"', {}, True),
        ('a!=""', {}, False),
        ('a=~"b|c"', {"a": "c"}, True),
        ('a=~"b"', {"a": "bc"}, False),
        ('a=~".*"', {}, True),
        ('a=~".+"', {}, False),
        ('a=~".*"', {"a": "x\ny"}, False),
        ('a!~"b.*"', {"a": "bc"}, False),
        ('a!~"b.*"', {}, True),
    ],
)
def test_a_missing_label_is_the_empty_string_and_expressions_match_all_of_it(
    text: str, labels: dict[str, str], expected: bool
) -> None:
    assert matches(parse(text), labels) is expected


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30), st.sampled_from([EQUAL, NOT_EQUAL])
)
def test_what_is_written_is_read_again(value: str, operator: MatchOperator) -> None:
    matcher = Matcher("label", operator, value)
    assert parse(as_text(matcher)) == matcher


def test_amtool_reads_what_we_write(tmp_path: Path) -> None:
    values = ["plain", 'a"b', "back\\slash", "two\nlines", "it's", "ü, {x}", " ", "{{ $labels.x }}"]
    lines = ["route:", "  receiver: r", "  routes:"]
    for value in values:
        text = as_text(Matcher("label", EQUAL, value)).replace("'", "''")
        lines += ["    - receiver: r", "      matchers:", f"        - '{text}'"]
    file = tmp_path / "alertmanager.yml"
    file.write_text("\n".join([*lines, "receivers: [{name: r}]"]) + "\n")
    done = subprocess.run(
        ["amtool", "config", "routes", "show", f"--config.file={file}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    shown = [line.split("{", 1)[1].rsplit("}", 1)[0] for line in done.stdout.splitlines() if "{" in line]
    assert [line.removeprefix("label=") for line in shown[: len(values)]] == [
        as_text(Matcher("label", EQUAL, value)).removeprefix("label=") for value in values
    ]
