"""Who is down: figures that must hold, on a simulated clock and network."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import Phase as Stage
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.check import CheckKind, Outcome, RegionContact, RegionState, VerdictKind
from synthetics.regions.model import Region, Watch, Watched
from synthetics.regions.runs import KEPT, Run, changes, settled
from synthetics.regions.verdicts import Evidence, judge, needed_regions
from tests.synthetics.regions.simulation import INTERVAL, REGIONS, SECOND, START, WATCH, Phase, Trouble, World

UP, DOWN, FLAPPING = RegionState.UP, RegionState.DOWN, RegionState.FLAPPING
TWO_INTERVALS = 2 * INTERVAL
SETTLED = 100  # seconds after which every region was heard
LONG = 400
STARTS = st.integers(SETTLED, 200)
LENGTHS = st.integers(70, 250)  # longer than two intervals
HARMLESS = st.sampled_from([Trouble.CONTROL, Trouble.UPLINK])
STAGES = (Stage.explicit, Stage.reuse, Stage.generate)  # a world takes too long to be made smaller
WORLDS = settings(max_examples=4, phases=STAGES)


def phases(trouble: st.SearchStrategy[Trouble]) -> st.SearchStrategy[list[Phase]]:
    one = st.builds(
        lambda what, start, length: Phase(what, start, start + length),
        trouble,
        st.integers(0, 350),
        st.integers(1, 200),
    )
    return st.lists(one, max_size=3)


# --- the promise ------------------------------------------------------------------------------------------------------
@WORLDS
@given(st.sampled_from(REGIONS), STARTS, LENGTHS)
def test_one_region_that_is_cut_off_from_the_target_is_regional_within_two_intervals(
    region: str, start: int, length: int
) -> None:
    world = World({region: [Phase(Trouble.TARGET, start, start + length)]}).run(start + length + 90)
    assert world.kinds(0, 10_000) <= {VerdictKind.UNKNOWN, VerdictKind.UP, VerdictKind.REGIONAL}
    assert world.kinds(start + TWO_INTERVALS, start + length) <= {VerdictKind.REGIONAL}
    assert world.kinds(start + length + TWO_INTERVALS, 10_000) == {VerdictKind.UP}
    assert [event.data["to"] for event in world.events] == ["regional", "up"]


@WORLDS
@given(st.sampled_from(REGIONS), STARTS, LENGTHS)
def test_a_region_that_is_cut_off_from_us_is_silent_and_never_down(region: str, start: int, length: int) -> None:
    world = World({region: [Phase(Trouble.CONTROL, start, start + length)]}).run(start + length + 90)
    assert world.kinds(SETTLED, 10_000) == {VerdictKind.UP}
    assert world.states(region, start + 64, start + length) <= {RegionState.SILENT}
    assert world.states(region, start + length + 4, 10_000) == {UP}
    told = [event.kind for event in world.events]
    assert told == (["region.silent", "region.heard"] if length > 64 else told)


@WORLDS
@given(st.sampled_from(REGIONS), STARTS, LENGTHS)
def test_a_region_that_does_not_reach_what_is_known_to_be_good_is_at_fault(
    region: str, start: int, length: int
) -> None:
    world = World({region: [Phase(Trouble.UPLINK, start, start + length)]}).run(start + length + 90)
    assert world.kinds(SETTLED, 10_000) == {VerdictKind.UP}
    assert world.states(region, start + INTERVAL + 2, start + length) <= {RegionState.FAULT}
    assert world.states(region, start + length + TWO_INTERVALS, 10_000) == {UP}
    assert world.events == []


@WORLDS
@given(STARTS, LENGTHS)
def test_a_total_outage_is_global_within_two_intervals_and_so_is_its_end(start: int, length: int) -> None:
    end = start + length
    world = World(outages=[Phase(Trouble.TARGET, start, end)]).run(end + 90)
    assert world.kinds(start + TWO_INTERVALS, end) == {VerdictKind.GLOBAL}
    assert world.kinds(end + TWO_INTERVALS, 10_000) == {VerdictKind.UP}
    kinds = [event.data["to"] for event in world.events]
    assert kinds in (
        ["regional", "global", "regional", "up"],
        ["regional", "global", "up"],
        ["global", "regional", "up"],
    )


@WORLDS
@given(st.sampled_from(REGIONS), HARMLESS, STARTS, LENGTHS)
def test_a_total_outage_is_global_although_one_region_cannot_tell(
    region: str, trouble: Trouble, start: int, length: int
) -> None:
    world = World({region: [Phase(trouble, 0, 10_000)]}, [Phase(Trouble.TARGET, start, start + length)])
    world.run(start + length + 90)
    assert world.kinds(start + TWO_INTERVALS, start + length) == {VerdictKind.GLOBAL}
    assert world.kinds(start + length + TWO_INTERVALS, 10_000) == {VerdictKind.UP}


@WORLDS
@given(st.data())
def test_whatever_happens_to_networks_one_region_without_the_target_never_makes_it_global(data: st.DataObject) -> None:
    one_region_without_the_target(data)


@pytest.mark.soak
@settings(max_examples=500, phases=STAGES)
@given(st.data())
def test_over_hundreds_of_networks_one_region_without_the_target_never_makes_it_global(data: st.DataObject) -> None:
    one_region_without_the_target(data)


def one_region_without_the_target(data: st.DataObject) -> None:
    partitioned = data.draw(st.sampled_from(REGIONS))
    troubles = {
        region: data.draw(phases(st.sampled_from(Trouble) if region == partitioned else HARMLESS)) for region in REGIONS
    }
    world = World(troubles).run(LONG)
    assert VerdictKind.GLOBAL not in world.kinds(0, LONG)
    if not any(phase.trouble is Trouble.TARGET for phase in troubles[partitioned]):
        assert VerdictKind.REGIONAL not in world.kinds(0, LONG)


def test_when_no_region_is_heard_nobody_knows() -> None:
    everywhere = {region: [Phase(Trouble.CONTROL, 100, 300)] for region in REGIONS}
    world = World(everywhere, [Phase(Trouble.TARGET, 120, 280)]).run(LONG)
    assert world.kinds(100, 160) == {VerdictKind.UP}
    assert world.kinds(164, 300) == {VerdictKind.UNKNOWN}
    assert world.kinds(300, 310) <= {VerdictKind.UNKNOWN, VerdictKind.REGIONAL, VerdictKind.UP}
    assert world.kinds(310, LONG) == {VerdictKind.UP}  # the outage came to light after it was over: it is history
    assert len(world.recent.runs["probe", "gateway", "eu"]) > LONG // INTERVAL


def test_the_control_plane_that_was_away_itself_calls_nobody_silent() -> None:
    old = RegionContact("eu", "p", 1, START - timedelta(hours=1), 0)
    runs = {("probe", "gateway", "eu"): [Run(START - timedelta(hours=1), Outcome.OK)]}
    watch = Watch(WATCH.checks, (Region("eu"),))
    for now, state in ((START + 60 * SECOND, UP), (START + 61 * SECOND, RegionState.SILENT)):
        (_, verdict) = reversed(judge(watch, Evidence(runs, {"eu": old}, START), {}, now))
        found = {each.check_kind: each for each in judge(watch, Evidence(runs, {"eu": old}, START), {}, now)}
        assert found[CheckKind.PROBE].regions[0].state is state
        assert verdict.check_kind is not None


# --- flapping ---------------------------------------------------------------------------------------------------------
@settings(max_examples=3, phases=STAGES)
@given(st.lists(st.booleans(), min_size=20, max_size=30), st.booleans())
def test_however_it_flaps_an_event_is_told_once_for_each_change(pattern: list[bool], everywhere: bool) -> None:
    def finds(region: str, second: int) -> Outcome:
        runs = second // INTERVAL
        flaps = (everywhere or region == "eu") and runs < len(pattern)
        return Outcome.FAILED if flaps and not pattern[runs] else Outcome.OK

    world = World(script=finds).run(INTERVAL * (len(pattern) + 30))
    told = [(event.data["to"], event.data["flapping"]) for event in world.events]
    assert all(one != other for one, other in pairwise(told))
    changed = [(kind.value, flapping) for _, kind, flapping, _ in world.history]
    seen = [one for before, one in pairwise(changed) if one != before]
    assert told == seen
    assert world.history[-1][1:3] == (VerdictKind.UP, False)


def test_a_target_that_flaps_everywhere_keeps_its_verdict_and_is_told_once() -> None:
    def finds(region: str, second: int) -> Outcome:
        return Outcome.FAILED if 120 <= second < 1200 and second // INTERVAL % 2 else Outcome.OK

    world = World(script=finds).run(2400)
    told = [(event.data["from"], event.data["to"], event.data["flapping"]) for event in world.events]
    assert told == [("up", "up", True), ("up", "up", False)]
    assert world.states("eu", 600, 1200) == {FLAPPING}
    assert world.states("eu", 1200 + 6 * INTERVAL + 30, 2400) == {UP}


def test_an_outage_does_not_hide_behind_the_flapping_before_it() -> None:
    def finds(region: str, second: int) -> Outcome:
        return Outcome.FAILED if second >= 1200 or (second >= 120 and second // INTERVAL % 2) else Outcome.OK

    world = World(script=finds).run(2400)
    assert world.kinds(1200 + 6 * INTERVAL + 30, 2400) == {VerdictKind.GLOBAL}


def test_changes_weigh_more_the_newer_they_are() -> None:
    def share(*marks: str) -> float:
        runs = "".join(marks)
        return changes(
            [Run(START + n * SECOND, Outcome.OK if m == "+" else Outcome.FAILED) for n, m in enumerate(runs)]
        )

    assert share("+" * 21) == share("-") == share("") == 0
    assert share("+" * 20, "-") == pytest.approx(1.2 / 20)
    assert share("-", "+" * 20) == pytest.approx(0.8 / 20)
    assert share("+-" * 10, "+") == pytest.approx(1.0)
    assert share("-" * 5, "+-" * 10, "+") == share("+-" * 10, "+")


def test_two_lone_failures_are_no_flapping_and_three_are() -> None:
    def state(marks: str) -> RegionState:
        runs = [Run(START + n * SECOND, Outcome.OK if mark == "+" else Outcome.FAILED) for n, mark in enumerate(marks)]
        return settled(runs, None, None)

    assert state("++++++-+++++-++++") is UP
    assert state("+++-+++++-+++++-+") is FLAPPING
    assert state("+++-+++++-+++++-++++++") is UP  # six in a row
    assert state("+-") is UP
    assert state("+--") is DOWN
    assert state("+--+") is UP
    assert state("-") is RegionState.PENDING
    assert state("--") is DOWN


# --- parts ------------------------------------------------------------------------------------------------------------
@settings(max_examples=40)
@given(st.lists(st.sampled_from(Outcome), max_size=KEPT), st.data())
def test_a_state_is_the_same_whether_runs_come_one_by_one_or_together(
    outcomes: list[Outcome], data: st.DataObject
) -> None:
    """As long as none was forgotten in between."""
    runs = [Run(START + number * SECOND, outcome) for number, outcome in enumerate(outcomes)]
    cut = data.draw(st.integers(0, len(runs)))
    first = settled(runs[:cut], None, None)
    until = runs[cut - 1].started_at if cut else None
    assert settled(runs, first, until) is settled(runs, None, None)


def test_a_result_that_comes_late_does_not_move_the_present() -> None:
    runs = [Run(START, Outcome.OK), Run(START + 60 * SECOND, Outcome.FAILED)]
    late = Run(START + 30 * SECOND, Outcome.FAILED)
    assert settled([runs[0], late, runs[1]], UP, runs[1].started_at) is UP
    newer = Run(START + 90 * SECOND, Outcome.FAILED)
    assert settled([runs[0], late, runs[1], newer], UP, runs[1].started_at) is DOWN


def test_flapping_ends_below_a_lower_share_than_it_began_with() -> None:
    marks = "+" * 8 + "-+" + "+" * 4 + "-+" + "+" * 3 + "-"  # five changes of twenty
    runs = [Run(START + n * SECOND, Outcome.OK if mark == "+" else Outcome.FAILED) for n, mark in enumerate(marks)]
    assert 0.2 < changes(runs) < 0.3
    assert settled(runs, FLAPPING, runs[-2].started_at) is FLAPPING
    assert settled(runs, UP, runs[-2].started_at) is UP


@pytest.mark.parametrize(
    ("asked", "regions", "telling", "needed"),
    [
        (None, 1, 1, 1), (None, 1, 0, 1), (None, 2, 2, 2), (None, 2, 1, 2), (None, 3, 3, 2), (None, 3, 2, 2),
        (None, 3, 1, 2), (None, 5, 5, 3), (None, 5, 4, 3), (None, 5, 3, 2), (1, 3, 3, 1), (3, 3, 2, 3), (9, 3, 3, 3),
    ],
)  # fmt: skip
def test_it_takes_most_of_those_that_can_tell_and_two_at_least(
    asked: int | None, regions: int, telling: int, needed: int
) -> None:
    check = Watched("x", CheckKind.PROBE, SECOND, down_regions=asked)
    assert needed_regions(check, regions, telling) == needed


def test_a_check_that_did_not_run_for_three_intervals_is_silent_there_although_reports_come() -> None:
    def finds(region: str, second: int) -> Outcome:
        return Outcome.OK

    world = World(script=finds).run(120)
    for region in REGIONS:
        world.contacts[region] = replace(world.contacts[region], reported_at=START + 400 * SECOND)
    evidence = Evidence(world.recent.runs, world.contacts, START)
    verdict = judge(WATCH, evidence, world.verdicts, START + 300 * SECOND)[0]
    assert verdict.kind is VerdictKind.UNKNOWN
    assert {each.state for each in verdict.regions} == {RegionState.SILENT}
    assert verdict.regions[0].detail == "no run since 2026-11-30 12:01:30 UTC"


def test_a_check_asks_only_its_own_regions() -> None:
    watch = replace(WATCH, checks=(replace(WATCH.checks[0], regions=frozenset({"eu", "elsewhere"})),))
    world = World(outages=[Phase(Trouble.TARGET, 100, 200)], watch=watch)
    world.history = []
    for region in REGIONS:
        assert region in world.buffers
    found = judge(watch, Evidence({}, {}), {}, START)
    (verdict,) = [each for each in found if each.check_kind is CheckKind.PROBE]
    assert [(each.region, each.state) for each in verdict.regions] == [("eu", RegionState.PENDING)]
    assert (verdict.kind, verdict.needed) == (VerdictKind.UNKNOWN, 1)
