"""What must hold of an answer."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import Timing
from synthetics.probes.assertions import Checked, failures_detail, first_failing, judge
from synthetics.probes.attempt import Answer
from synthetics.probes.json_paths import MAX_JSON_BYTES, as_json, found_by, path_fault
from synthetics.probes.lengths import parse_length, shown_length
from synthetics.probes.modules import Assertion, AssertionKind

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BODY = b'{"state": "ok", "count": 3, "done": true, "parts": [{"id": 1}, {"id": 2}], "none": null}'
ANSWER = Answer(
    status=200,
    headers=(("content-type", "application/json"), ("set-cookie", "session=secret"), ("via", "a"), ("via", "b")),
    body=BODY,
    certificate_ends_at=NOW + timedelta(days=14),
)
TIMINGS = (Timing("connect", 0.01), Timing("tls", 0.02))


def held(assertion: Assertion, answer: Answer = ANSWER, seconds: float = 0.5) -> Checked:
    (checked,) = judge([assertion], answer, TIMINGS, seconds, NOW)
    return checked


def status(*statuses: str) -> Assertion:
    return Assertion(AssertionKind.STATUS, statuses=statuses)


def of(kind: AssertionKind, **fields: object) -> Assertion:
    return Assertion(kind, **fields)  # type: ignore[arg-type]


HEADER, BODY_, JSON_, CERTIFICATE, LATENCY = (
    AssertionKind.HEADER,
    AssertionKind.BODY,
    AssertionKind.JSON,
    AssertionKind.CERTIFICATE,
    AssertionKind.LATENCY,
)


@pytest.mark.parametrize(
    ("assertion", "holds", "saw"),
    [
        (status("200"), True, "200"),
        (status("404", "2xx"), True, "200"),
        (status("3xx", "201"), False, "200"),
        (of(HEADER, name="content-type", matches="^application/"), True, "application/json"),
        (of(HEADER, name="content-type", equals="text/html"), False, "application/json"),
        (of(HEADER, name="via", equals="b"), True, "a, b"),
        (of(HEADER, name="via", not_matches="^b$"), False, "a, b"),
        (of(HEADER, name="x-none", exists=True), False, "there is none"),
        (of(HEADER, name="x-none", exists=False), True, "there is none"),
        (of(HEADER, name="x-none", not_matches="x"), True, "there is none"),
        (of(HEADER, name="x-none", not_matches="x", exists=True), False, "there is none"),
        (of(HEADER, name="x-none", matches=".*"), False, "there is none"),
        (of(HEADER, name="set-cookie", matches="other"), False, "a value that is not shown"),
        (of(BODY_, matches='"state": "ok"'), True, "88 bytes"),
        (of(BODY_, not_matches="(?i)ERROR"), True, "88 bytes"),
        (of(BODY_, equals="ok"), False, "88 bytes"),
        (of(BODY_, exists=True), True, "88 bytes"),
        (of(JSON_, path="$.state", equals='"ok"'), True, "ok"),
        (of(JSON_, path="$.count", equals="3.0"), True, "3"),
        (of(JSON_, path="$.count", equals="true"), False, "3"),
        (of(JSON_, path="$.done", equals="1"), False, "true"),
        (of(JSON_, path="$.done", equals="true"), True, "true"),
        (of(JSON_, path="$.none", equals="null"), True, "null"),
        (of(JSON_, path="$.none", exists=True), True, "null"),
        (of(JSON_, path="$.parts[*].id", equals="2"), True, "1, 2"),
        (of(JSON_, path="$.parts", equals='[{"id": 1}, {"id": 2}]'), True, '[{"id":1},{"id":2}]'),
        (of(JSON_, path="$.parts[*].id", not_matches="^2$"), False, "1, 2"),
        (of(JSON_, path="$.parts[?@.id > 1].id", equals="2"), True, "2"),
        (of(JSON_, path="$[?search(@, 'o+k')]", exists=True), True, "ok"),
        (of(JSON_, path="$[?match(@, 'o')]", exists=True), False, "nothing is there"),
        (of(JSON_, path="$.missing", exists=True), False, "nothing is there"),
        (of(JSON_, path="$.missing", exists=False), True, "nothing is there"),
        (of(JSON_, path="$.count", matches="^[0-9]+$"), True, "3"),
        (of(CERTIFICATE, least_days=Decimal(14)), True, "it ends in 14 days, 2026-12-14"),
        (of(CERTIFICATE, least_days=Decimal("14.01")), False, "it ends in 14 days, 2026-12-14"),
        (of(LATENCY, at_most=timedelta(milliseconds=500)), True, "500 ms"),
        (of(LATENCY, at_most=timedelta(milliseconds=499)), False, "500 ms"),
        (of(LATENCY, at_most=timedelta(milliseconds=20), phase="tls"), True, "20 ms"),
        (of(LATENCY, at_most=timedelta(seconds=1), phase="resolve"), False, "there was no such phase"),
    ],
)
def test_an_assertion_holds_or_not_and_says_what_was_seen(assertion: Assertion, holds: bool, saw: str) -> None:
    checked = held(assertion)
    assert (checked.holds, checked.saw) == (holds, saw)
    assert checked.title
    assert "secret" not in checked.title + checked.saw


@pytest.mark.parametrize(
    ("assertion", "saw"),
    [
        (status("2xx"), "there was none"),
        (of(CERTIFICATE, least_days=Decimal(1)), "no certificate was shown"),
        (of(BODY_, exists=True), "0 bytes"),
        (of(JSON_, path="$.x", exists=False), "it is not JSON: Expecting value at character 0"),
    ],
)
def test_what_is_missing_is_not_taken_for_something(assertion: Assertion, saw: str) -> None:
    checked = held(assertion, Answer())
    assert (checked.holds, checked.saw) == (False, saw)


@pytest.mark.parametrize(
    ("body", "saw"),
    [
        (b"[" * 100_000, "it is nested too deeply"),
        (b"[" + b" " * MAX_JSON_BYTES + b"]", "2,097,154 bytes are too many to be read as JSON; at most 2,097,152"),
        (b'{"a": NaN}', "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"1" * 5000, "it is not JSON"),
    ],
)
def test_hostile_json_is_bounded(body: bytes, saw: str) -> None:
    checked = held(of(JSON_, path="$", exists=True), Answer(body=body))
    assert not checked.holds
    assert checked.saw.startswith(saw)


def test_patterns_take_time_in_proportion_to_the_text() -> None:
    evil = Answer(body=b"a" * 50_000)
    assert not held(of(BODY_, matches="(a+)+$b"), evil).holds
    assert not held(
        of(JSON_, path="$[?match(@, '(a+)+b')]", exists=True), Answer(body=b'["' + b"a" * 50_000 + b'"]')
    ).holds


def test_a_certificate_that_has_ended_is_told_by_its_days() -> None:
    ended = Answer(certificate_ends_at=NOW - timedelta(days=2))
    assert held(of(CERTIFICATE, least_days=Decimal(1)), ended).saw == "it ended 2 days ago, 2026-11-28"


def test_the_first_that_fails_gives_the_reason_and_all_are_told() -> None:
    assertions = [status("2xx"), of(HEADER, name="x-a", exists=True), of(BODY_, matches="zzz")]
    checked = judge(assertions, ANSWER, TIMINGS, 0.1, NOW)
    assert [one.holds for one in checked] == [True, False, False]
    failing = first_failing(checked)
    assert failing is not None
    assert (failing.reason, failing.is_about_a_pattern) == ("header", False)
    assert checked[2].is_about_a_pattern
    assert failures_detail(checked) == (
        "header x-a is there: it is not so, there is none; body matches zzz: it is not so, 88 bytes"
    )
    assert first_failing(checked[:1]) is None


def test_what_is_shown_is_short_and_on_one_line() -> None:
    answer = Answer(headers=(("x", "line\nbreak" + "y" * 500),))
    saw = held(of(HEADER, name="x", equals="z"), answer).saw
    assert "\n" not in saw
    assert len(saw) < 100


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_every_json_value_equals_itself(value: object) -> None:
    text = json.dumps(value)
    assert held(of(JSON_, path="$", equals=text), Answer(body=text.encode())).holds


@given(st.text(max_size=40))
def test_every_path_is_taken_or_told_and_never_raises(path: str) -> None:
    if path_fault(path) is None:
        found_by(path, {"a": [1, {"b": 2}]})


@given(st.text(max_size=20))
def test_a_text_that_is_no_json_stands_for_itself(text: str) -> None:
    value = as_json(text)
    assert value == text or json.loads(text) == value


@given(st.integers(1, 10**7))
def test_a_length_is_shown_as_it_can_be_read(milliseconds: int) -> None:
    length = timedelta(milliseconds=milliseconds)
    assert parse_length(shown_length(length)) == length
