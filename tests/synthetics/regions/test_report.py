"""The wire format: what is written is read again, and everything else is refused with its place."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.check import CheckKind, CheckResult, CheckSample, Outcome, ReportHead, Timing
from synthetics.regions import limits
from synthetics.regions.report import Refusal, RefusalKind, Report, parse, unpack
from synthetics.regions.report_writing import pack, render
from tests.contracts.checking import NOON, failed, head, result

ANY_TEXT = st.text(max_size=600)
NUMBERS = st.floats()
SAMPLES = st.builds(
    CheckSample,
    st.sampled_from(["probe_http_status_code", "probe_x", "not a name", ""]),
    NUMBERS,
    st.lists(st.tuples(st.sampled_from(["phase", "a", "__name__", "le", ""]), ANY_TEXT), max_size=12).map(tuple),
)
RESULTS = st.builds(
    CheckResult,
    check=ANY_TEXT,
    kind=st.sampled_from([CheckKind.PROBE, CheckKind.JOURNEY]),
    region=st.just("eu"),
    started_at=st.datetimes(
        min_value=(NOON - limits.MAX_AGE).replace(tzinfo=None),
        max_value=NOON.replace(tzinfo=None),
        timezones=st.just(UTC),
    ),
    duration_seconds=NUMBERS,
    outcome=st.sampled_from(Outcome),
    reason=ANY_TEXT,
    detail=ANY_TEXT,
    timings=st.lists(st.builds(Timing, ANY_TEXT, NUMBERS), max_size=60).map(tuple),
    samples=st.lists(SAMPLES, max_size=20).map(tuple),
    trace_id=st.one_of(st.just(""), st.text("0123456789abcdef", min_size=32, max_size=32), ANY_TEXT),
    confirms=st.booleans(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def written(**changes: object) -> dict[str, Any]:
    """A good report of one good result, as JSON, with changes to its head."""
    found: dict[str, Any] = json.loads(render(head(), [result(0)]))
    return found | changes


def with_result(**changes: object) -> dict[str, Any]:
    found = written()
    found["results"][0] |= changes
    return found


def read(document: object, region: str = "eu") -> Report | Refusal:
    return parse(json.dumps(document).encode(), region=region, now=NOON)


@settings(max_examples=15)
@given(st.lists(RESULTS, max_size=4), st.integers(1, limits.MAX_COUNT), st.integers(0, limits.MAX_COUNT))
def test_whatever_a_prober_found_is_read_as_it_was_written(
    results: list[CheckResult], sequence: int, buffered: int
) -> None:
    about = ReportHead("eu", "p1", sequence, NOON, buffered, "0.1.0")
    fitting = tuple(map(limits.fitted, results))
    assert parse(render(about, fitting), region="eu", now=NOON) == Report(about, fitting)
    assert tuple(map(limits.fitted, fitting)) == fitting
    assert [each.key[2:] for each in fitting] == [each.key[2:] for each in results]


@settings(max_examples=40)
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_and_never_raises(body: bytes) -> None:
    assert isinstance(parse(body, region="eu", now=NOON), Refusal)
    unpacked = unpack(body)
    assert isinstance(unpacked, Refusal | bytes)


@settings(max_examples=50)
@given(st.data())
def test_one_field_that_is_something_else_is_refused_at_its_place_or_read(data: st.DataObject) -> None:
    document = written()
    of = data.draw(st.sampled_from([document, document["results"][0]]))
    name = data.draw(st.sampled_from([*of, "unknown"]))
    of[name] = data.draw(JSON)
    found = read(document)
    if isinstance(found, Refusal):
        assert name in found.field
    else:
        assert parse(render(found.head, found.results), region="eu", now=NOON) == found


@pytest.mark.parametrize(
    ("document", "field", "reason"),
    [
        ([], "", "expected an object"),
        (written(version=2), "version", "this Flyball reads version 1"),
        (written(version=True), "version", "this Flyball reads version 1"),
        (written(region="EU"), "region", "expected lower-case letters, digits and `-`"),
        (written(prober=""), "prober", "expected up to 100 letters"),
        (written(sequence=0), "sequence", "expected a whole number from 1 on"),
        (written(sequence=2**53 + 1), "sequence", "expected a whole number"),
        (written(buffered=-1), "buffered", "expected a whole number from 0 on"),
        (written(sentAt="2026-11-30T12:00:00"), "sentAt", "expected a time in UTC"),
        (written(sentAt="2026-11-30T12:06:00Z"), "sentAt", "lies more than 300 s ahead: compare the clocks"),
        (written(extra=1), "extra", "is not a field of a report"),
        (written(results={}), "results", "expected a list"),
        (written(results=[{}] * 10_001), "results", "holds more than 10,000"),
        (written(results=[1]), "results[0]", "expected an object"),
        (with_result(check=""), "results[0].check", "has no name"),
        (with_result(check="x" * 201), "results[0].check", "is longer than 200 characters"),
        (with_result(check="a\x00"), "results[0].check", "holds a NUL character"),
        (with_result(kind="self-check"), "results[0].check", "a self-check has its region's name"),
        (with_result(kind="ping"), "results[0].kind", "expected one of probe, journey, self-check"),
        (with_result(startedAt="2026-02-30T12:00:00Z"), "results[0].startedAt", "expected a time"),
        (with_result(startedAt="2026-11-29T13:59:00Z"), "results[0].startedAt", "is longer ago than 22 hours"),
        (with_result(startedAt="2026-11-30T12:05:01Z"), "results[0].startedAt", "ahead"),
        (with_result(startedAt="٢٠٢٦-11-30T12:00:00Z"), "results[0].startedAt", "expected a time"),
        (with_result(durationSeconds=-1), "results[0].durationSeconds", "expected seconds from 0 to 86400"),
        (with_result(durationSeconds="1"), "results[0].durationSeconds", "expected a finite number"),
        (with_result(outcome="meh"), "results[0].outcome", "expected one of ok, failed, fault"),
        (with_result(detail="x" * 501), "results[0].detail", "is longer than 500"),
        (with_result(traceId="XYZ"), "results[0].traceId", "expected 32 hexadecimal digits"),
        (with_result(confirms=1), "results[0].confirms", "expected true or false"),
        (with_result(timings=[["x", 1]] * 51), "results[0].timings", "holds more than 50"),
        (with_result(timings=[["", 1]]), "results[0].timings[0]", "has no name"),
        (with_result(timings=[["x", -1]]), "results[0].timings[0]", "expected seconds"),
        (with_result(samples=[["x", 1]] * 101), "results[0].samples", "holds more than 100"),
        (with_result(samples=[["a b", 1]]), "results[0].samples[0]", "its name is none of a metric"),
        (with_result(samples=[["a", 1, {"__x": "y"}]]), "results[0].samples[0]", "a label's name is none"),
        (with_result(samples=[["a", 1, {"x": 1}]]), "results[0].samples[0]", "expected text"),
        (with_result(samples=[["a", True]]), "results[0].samples[0]", "expected a finite number"),
        (with_result(samples=[["a", 10**400]]), "", "the body is not JSON"),
    ],
)  # fmt: skip
def test_each_defect_is_told_with_its_place(document: object, field: str, reason: str) -> None:
    found = read(document)
    assert isinstance(found, Refusal)
    assert (found.kind, found.field) == (RefusalKind.MALFORMED, field)
    assert reason in found.reason


def test_a_region_cannot_report_for_another() -> None:
    found = read(written(), region="us")
    assert isinstance(found, Refusal)
    assert (found.kind, str(found)) == (RefusalKind.WRONG_REGION, "region: the signature is that of us")


def test_a_self_check_has_its_regions_name() -> None:
    mine = result(0, kind=CheckKind.SELF_CHECK, check="eu")
    assert parse(render(head(), [mine]), region="eu", now=NOON) == Report(head(), (mine,))


def test_infinite_numbers_and_nested_garbage_are_not_json() -> None:
    for body in (b'{"version":NaN}', b'{"version":Infinity}', b"[" * 100_000, b'{"a":"\\ud800"}', b"\xff\xfe"):
        found = parse(body, region="eu", now=NOON)
        assert isinstance(found, Refusal)
        assert found.kind is RefusalKind.MALFORMED


def bomb() -> bytes:
    return gzip.compress(b" " * (limits.MAX_BODY_BYTES + 1))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (bomb, RefusalKind.OVERSIZED),
        (lambda: b"no gzip", RefusalKind.MALFORMED),
        (lambda: b"", RefusalKind.MALFORMED),
        (lambda: pack(b"{}")[:-1], RefusalKind.MALFORMED),
        (lambda: pack(b"{}") + b"x", RefusalKind.MALFORMED),
        (lambda: pack(b"{}") + pack(b"{}"), RefusalKind.MALFORMED),
    ],
)
def test_packed_bodies_are_unpacked_within_bounds(make: Callable[[], bytes], kind: RefusalKind) -> None:
    found = unpack(make())
    assert isinstance(found, Refusal)
    assert found.kind is kind
    assert unpack(pack(b"{}")) == b"{}"


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    found = parse(b" " * (limits.MAX_BODY_BYTES + 1), region="eu", now=NOON)
    assert isinstance(found, Refusal)
    assert found.kind is RefusalKind.OVERSIZED


def test_what_no_report_may_hold_is_left_out_where_it_is_kept() -> None:
    wild = replace(
        failed(0),
        check="a\x00b\ud800",
        duration_seconds=float("nan"),
        detail="x" * 9999,
        trace_id="zz",
        timings=(Timing("", 1.0), Timing("bad", float("inf")), Timing("worse", -1.0)),
        samples=(
            CheckSample("ok", 1, (("l", "v" * 999),)),
            CheckSample("no good", 1.0),
            CheckSample("x", float("inf")),
        ),
    )
    tame = limits.fitted(wild)
    assert (tame.check, tame.duration_seconds, len(tame.detail), tame.trace_id) == ("a\ufffdb\ufffd", 0.0, 500, "")
    assert (tame.timings, tame.samples) == ((Timing("?", 1.0),), (CheckSample("ok", 1.0, (("l", "v" * 500),)),))


def test_a_report_of_ten_thousand_results_is_read() -> None:
    first = datetime(2026, 11, 30, 9, tzinfo=UTC)
    many = [
        result(0, started_at=first + timedelta(seconds=number), samples=(), timings=())
        for number in range(limits.MAX_RESULTS)
    ]
    found = parse(render(head(), many), region="eu", now=NOON)
    assert isinstance(found, Report)
    assert list(found.results) == many
