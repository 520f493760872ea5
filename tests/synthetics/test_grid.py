"""The grid of checks and regions, as values: what stands where, in which order, and in which words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import (
    CheckHour,
    CheckKind,
    CheckResult,
    Outcome,
    RegionContact,
    RegionState,
    RegionVerdict,
    Timing,
    Verdict,
    VerdictKind,
)
from synthetics import check_history
from synthetics.check_history import courses, failures, past_to_read, strips
from synthetics.grid import BARS, DeclaredCheck, DeclaredRegion, Observed, grid, sentence

NOW = datetime(2026, 11, 30, 12, 30, tzinfo=UTC)
PROBE, JOURNEY = CheckKind.PROBE, CheckKind.JOURNEY
SECOND = timedelta(seconds=1)
REGIONS = (DeclaredRegion("eu", "Europe"), DeclaredRegion("us", "America"))


def check(name: str, kind: CheckKind = PROBE, *regions: str) -> DeclaredCheck:
    return DeclaredCheck(name, kind, name, 30 * SECOND, frozenset(regions))


def result(name: str, region: str, ago: int, seconds: float = 0.1, outcome: Outcome = Outcome.OK) -> CheckResult:
    return CheckResult(name, PROBE, region, NOW - ago * SECOND, seconds, outcome)


def verdict(name: str, kind: VerdictKind, *states: RegionState, flapping: bool = False, why: str = "") -> Verdict:
    told = tuple(RegionVerdict(region.name, state, NOW, why) for region, state in zip(REGIONS, states, strict=True))
    return Verdict(name, PROBE, kind, NOW, 2, told, flapping)


UP, DOWN, SILENT, FAULT = RegionState.UP, RegionState.DOWN, RegionState.SILENT, RegionState.FAULT
PENDING = RegionState.PENDING


def test_rows_come_worst_first_and_probes_stand_apart_from_journeys() -> None:
    seen = Observed(
        verdicts=[
            verdict("a-up", VerdictKind.UP, UP, UP),
            verdict("b-flapping", VerdictKind.UP, UP, RegionState.FLAPPING, flapping=True),
            verdict("c-unknown", VerdictKind.UNKNOWN, SILENT, FAULT),
            verdict("d-regional", VerdictKind.REGIONAL, UP, DOWN),
            verdict("e-global", VerdictKind.GLOBAL, DOWN, DOWN),
            verdict("f-pending", VerdictKind.UNKNOWN, PENDING, PENDING),
        ]
    )
    names = ["a-up", "b-flapping", "c-unknown", "d-regional", "e-global", "f-pending", "g-new"]
    found = grid([*map(check, names), check("walk", JOURNEY)], REGIONS, seen, NOW)
    assert [row.check.name for row in found.probes] == [
        "e-global", "d-regional", "c-unknown", "b-flapping", "a-up", "f-pending", "g-new",
    ]  # fmt: skip
    assert [row.kind for row in found.probes[-3:]] == ["up", "pending", "pending"]
    assert [row.check.name for row in found.journeys] == ["walk"]


def test_a_check_has_a_cell_in_each_region_and_none_where_it_is_not_meant_to_run() -> None:
    (row,) = grid([check("a", PROBE, "eu")], REGIONS, Observed(), NOW).rows
    assert [(cell.region, cell.word) for cell in row.cells] == [("eu", "not run yet"), ("us", "not run here")]


def test_a_region_that_nobody_declared_has_a_column_once_it_reports() -> None:
    contact = RegionContact("ap", "p", 1, NOW, 0)
    found = grid([check("a")], REGIONS, Observed([result("a", "local", 5)], [], [contact]), NOW)
    assert [head.region.name for head in found.regions] == ["eu", "us", "ap", "local"]


@pytest.mark.parametrize(
    ("ago", "own", "word"),
    [
        (10, Outcome.OK, "reports"),
        (10, Outcome.FAILED, "prober fault"),
        (301, Outcome.OK, "silent"),
        (301, Outcome.FAILED, "silent"),
    ],
)
def test_a_region_is_well_at_fault_or_silent(ago: int, own: Outcome, word: str) -> None:
    itself = CheckResult("eu", CheckKind.SELF_CHECK, "eu", NOW, 0.1, own)
    contact = RegionContact("eu", "p", 1, NOW - ago * SECOND, 7)
    heads = grid([], REGIONS, Observed([itself], [], [contact]), NOW).regions
    assert [head.word for head in heads] == [word, "not heard yet"]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.sampled_from(Outcome)), max_size=30))
def test_bars_are_the_last_runs_and_never_higher_than_the_row(runs: list[tuple[float, Outcome]]) -> None:
    results = [result("a", "eu", 30 * (len(runs) - number), *run) for number, run in enumerate(runs)]
    (row,) = grid([check("a")], REGIONS[:1], Observed(results), NOW).rows
    bars = row.cells[0].bars
    assert [bar.result for bar in bars] == results[-BARS:]
    assert all(0 < bar.height <= 1 for bar in bars)
    assert all(bar.height == 1 for bar in bars if bar.result.outcome is not Outcome.OK)


def test_the_sentence_names_regions_that_are_not_well_and_the_reason_that_they_share() -> None:
    assert sentence(verdict("a", VerdictKind.UP, UP, UP)) == ""
    assert sentence(verdict("a", VerdictKind.REGIONAL, UP, DOWN, why="it is late.")) == "Down: us (it is late). Up: eu"
    assert sentence(verdict("a", VerdictKind.UNKNOWN, SILENT, FAULT)) == "Prober fault: us. Silent: eu"
    other = (RegionVerdict("eu", DOWN, NOW, "one"), RegionVerdict("us", DOWN, NOW, "another"))
    assert sentence(Verdict("a", PROBE, VerdictKind.GLOBAL, NOW, 2, other)) == "Down: eu, us"


# --- one check --------------------------------------------------------------------------------------------------------
def test_parts_of_all_regions_are_on_one_scale_and_the_rest_is_known() -> None:
    def run(region: str, seconds: float, *timings: float) -> CheckResult:
        parts = tuple(Timing(f"part {number}", it) for number, it in enumerate(timings))
        return CheckResult("a", PROBE, region, NOW, seconds, Outcome.OK, timings=parts)

    slow, fast = courses([run("us", 1.0, 0.25, 0.25), run("eu", 4.0, 1.0, 2.0)], ["eu", "us", "ap"])
    assert [(part.start, part.width) for part in slow.parts] == [(0, 0.25), (0.25, 0.5)]
    assert [(part.start, part.width) for part in fast.parts] == [(0, 0.0625), (0.0625, 0.0625)]
    assert (slow.rest_seconds, fast.rest_seconds) == (1.0, 0.5)


def test_only_the_newest_failures_are_told_and_prober_faults_are_among_them() -> None:
    ended = [Outcome.FAILED, Outcome.OK, Outcome.FAULT]
    results = [result("a", "eu", ago, outcome=ended[ago % 3]) for ago in range(60)]
    found = failures(results)
    assert len(found) == check_history.FAILURES
    assert [it.started_at for it in found] == sorted((it.started_at for it in found), reverse=True)
    assert {it.outcome for it in found} == {Outcome.FAILED, Outcome.FAULT}


@given(st.integers(1, 90_000))
def test_enough_of_the_past_is_read_and_never_more_than_is_kept(seconds: int) -> None:
    assert timedelta(hours=3) <= past_to_read(seconds * SECOND) <= timedelta(days=2)


def test_a_week_has_every_hour_and_faults_of_the_prober_count_on_neither_side() -> None:
    hour = NOW.replace(minute=0)
    known = [CheckHour(PROBE, "a", "eu", hour - timedelta(hours=1), 8, 2, 90, 1.0)]
    eu, us = strips(known, ["eu", "us"], NOW)
    assert len(eu.hours) == len(us.hours) == 168
    assert (eu.hours[0].start, eu.hours[-1].start) == (hour - timedelta(hours=167), hour)
    assert (eu.ok_ratio, eu.hours[-2].failed_share, eu.runs) == (0.8, 0.2, 100)
    assert (us.ok_ratio, us.hours[-2].failed_share, us.runs) == (None, None, 0)
