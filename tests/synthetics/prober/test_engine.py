"""The engine in simulated time: grids, overruns, lanes, reloads, faults of checks, and the end."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.check import CheckKind, CheckResult, Outcome
from synthetics.prober.engine import Limits, Prober
from synthetics.prober.grid import grid_of
from tests.synthetics.prober.runs import Change, Ran
from tests.synthetics.prober.simulated import Collected, LoopClock, Target, first_start, seconds_in, simulate


def test_a_check_starts_every_interval_on_its_grid() -> None:
    target = Target(seconds=lambda now: 7.3)
    ran = Ran([target], 3000)
    grid = grid_of(CheckKind.PROBE, "shop", "eu", timedelta(seconds=30))
    assert len(target.starts) == 100
    numbers = [grid.first_from(start.timestamp() - 0.001) for start in target.starts]
    assert numbers == list(range(numbers[0], numbers[0] + 100))
    assert [start.timestamp() for start in target.starts] == pytest.approx(
        [grid.start_of(number) for number in numbers], abs=1e-5
    )
    assert ran.metric("flyball_prober_start_delay_seconds_count") == 100
    assert ran.metric("flyball_prober_start_delay_seconds_bucket", le="0.001") == 100
    assert ran.metric("flyball_prober_runs_total", kind="probe", outcome="ok") == 100
    assert ran.metric("flyball_prober_missed_turns_total", reason="overrun") == 0
    assert ran.metric("flyball_prober_checks") == 1
    assert ran.metric("flyball_prober_running") == 0


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.floats(0, 40), st.sampled_from(Outcome), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 3),
)
def test_no_check_ever_runs_twice_at_once_and_turns_are_taken_or_counted(
    shapes: list[tuple[int, float, Outcome, bool]], places: int
) -> None:
    targets = [
        Target(
            f"check-{index}", every=every, timeout=20, seconds=lambda _, s=seconds: s, outcome=lambda _, o=outcome: o,
            is_heavy=heavy,
        )
        for index, (every, seconds, outcome, heavy) in enumerate(shapes)
    ]  # fmt: skip
    ran = Ran(targets, 300, limits=Limits(light=places, heavy=1))
    turns = 0
    for target in targets:
        assert target.most_at_once <= 1
        assert target.running == 0
        grid = grid_of(CheckKind.PROBE, target.name, "eu", timedelta(seconds=target.every))
        first = grid.first_from(ran.clock._start.timestamp())
        turns += grid.latest_until(ran.clock._start.timestamp() + 300) - first + 1
    started = ran.metric("flyball_prober_start_delay_seconds_count")
    missed = sum(ran.metric("flyball_prober_missed_turns_total", reason=reason) for reason in ("overrun", "late"))
    assert turns - len(targets) <= started + missed <= turns  # what still queued at the end was neither


@settings(max_examples=15)
@given(st.lists(st.integers(1, 600), min_size=1, max_size=20))
def test_with_room_enough_every_start_lies_on_its_grid(intervals: list[int]) -> None:
    targets = [Target(f"check-{index}", every=every, seconds=lambda _: 0.4) for index, every in enumerate(intervals)]
    Ran(targets, 700)
    for target in targets:
        grid = grid_of(CheckKind.PROBE, target.name, "eu", timedelta(seconds=target.every))
        numbers = [grid.first_from(start.timestamp() - 0.001) for start in target.starts]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        for start, number in zip(target.starts, numbers, strict=True):
            assert start.timestamp() == pytest.approx(grid.start_of(number), abs=1e-5)


def test_a_turn_that_comes_while_the_check_still_runs_is_counted_not_made_up_for() -> None:
    target = Target(timeout=100, seconds=lambda _: 70)
    ran = Ran([target], 3000)
    assert target.most_at_once == 1
    gaps = {round(seconds_in(b) - seconds_in(a), 3) for a, b in pairwise(target.starts)}
    assert gaps == {90.0}
    assert ran.metric("flyball_prober_missed_turns_total", reason="overrun") == 66


def test_turns_that_passed_while_the_process_stood_still_are_counted_as_late() -> None:
    target = Target()

    def stand_still(_: Prober) -> None:
        loop = asyncio.get_running_loop()
        loop._jumping.jumped += 100  # type: ignore[attr-defined]

    ran = Ran([target], 400, changes=[(60, stand_still)])
    assert ran.metric("flyball_prober_missed_turns_total", reason="late") in (2, 3)
    grid = grid_of(CheckKind.PROBE, "shop", "eu", timedelta(seconds=30))
    late = [
        start
        for start in target.starts
        if abs(start.timestamp() - grid.start_of(grid.first_from(start.timestamp() - 1))) > 1
    ]
    assert len(late) == 1  # the one of the moment in which it went on


def test_a_step_of_the_clock_moves_no_turn() -> None:
    target = Target()

    def back_an_hour(prober: Prober) -> None:
        ran_clock.step = timedelta(hours=-1)

    ran_clock = LoopClock()
    sink = Collected()
    prober = Prober(region="eu", sink=sink, clock=ran_clock)
    prober.replace([target.check])

    async def main() -> None:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(95, back_an_hour, prober)
        loop.call_later(300, stopping.set)
        await prober.run_until(stopping)

    simulate(main)
    assert len(target.starts) == 10
    assert seconds_in(target.starts[-1]) < -3000


def test_checks_of_other_regions_do_not_run() -> None:
    here, there, everywhere = (
        Target("here", regions=frozenset({"eu"})),
        Target("there", regions=frozenset({"us"})),
        Target("everywhere"),
    )
    Ran([here, there, everywhere], 65)
    assert len(here.starts) >= 2
    assert len(everywhere.starts) >= 2
    assert there.starts == []


def test_heavy_checks_run_one_at_a_time_and_delay_no_light_one() -> None:
    heavy = [
        Target(f"journey-{index}", kind=CheckKind.JOURNEY, is_heavy=True, timeout=30, seconds=lambda _: 9.0)
        for index in range(3)
    ]
    light = [Target(f"probe-{index}") for index in range(20)]
    at_once: list[int] = []
    for target in heavy:
        target.outcome = lambda _: (at_once.append(sum(one.running for one in heavy)), Outcome.OK)[1]
    ran = Ran([*heavy, *light], 600, limits=Limits(light=20, heavy=1))
    assert max(at_once) == 0  # the one that ends has left already: nobody else runs
    assert all(len(target.starts) >= 19 for target in heavy)
    grids = {target.name: grid_of(CheckKind.PROBE, target.name, "eu", timedelta(seconds=30)) for target in light}
    for target in light:
        for start in target.starts:
            grid = grids[target.name]
            assert start.timestamp() - grid.start_of(grid.latest_until(start.timestamp() + 0.001)) < 0.01
    assert ran.metric("flyball_prober_runs_total", kind="journey", outcome="ok") >= 57


def test_a_check_that_raises_gives_a_fault_and_goes_on() -> None:
    target = Target(raises=ValueError("a secret"))
    ran = Ran([target, Target("other")], 300)
    assert len(ran.sink.of("shop")) == 10
    first = ran.sink.of("shop")[0]
    assert (first.outcome, first.reason, first.detail) == (Outcome.FAULT, "prober", "The check broke: ValueError.")
    assert len(ran.sink.of("other")) == 10


def test_a_check_that_does_not_end_is_ended_with_a_fault() -> None:
    target = Target(every=60, timeout=10, seconds=lambda _: 1e6)
    ran = Ran([target], 590)
    assert {(one.outcome, one.reason) for one in ran.sink.results} == {(Outcome.FAULT, "prober")}
    assert [one.duration_seconds for one in ran.sink.results] == [pytest.approx(12.0)] * 10
    assert "timeout of 10 s" in ran.sink.results[0].detail
    assert len(target.starts) == 10


def test_a_check_that_cancels_itself_gives_a_fault_and_has_its_next_turn() -> None:
    target = Target(raises=asyncio.CancelledError())  # type: ignore[arg-type]
    ran = Ran([target], 300)
    assert [one.detail for one in ran.sink.results] == ["The check cancelled itself."] * 10


def test_a_sink_that_fails_stops_nothing() -> None:
    class Full(Collected):
        def put(self, result: CheckResult) -> None:
            super().put(result)
            raise OSError("no space left on device")

    target = Target()
    assert len(Ran([target], 300, sink=Full()).sink.results) == 10


def test_a_check_that_stays_keeps_its_turns_over_a_reload_and_its_new_version_runs() -> None:
    old, new = Target(), Target()
    ran = Ran([old], 600, changes=[(at, lambda prober: prober.replace([new.check])) for at in range(300, 400)])
    starts = [seconds_in(start) for start in [*old.starts, *new.starts]]
    assert [b - a for a, b in pairwise(starts)] == [pytest.approx(30)] * 19
    assert new.starts
    assert ran.metric("flyball_prober_checks") == 1


def test_a_check_that_is_gone_runs_no_more_and_what_runs_is_told() -> None:
    target = Target(seconds=lambda _: 8)
    start = first_start(target)
    ran = Ran([target], 300, changes=[(start + 1, lambda prober: prober.replace([]))])
    assert len(target.starts) == 1
    assert [one.outcome for one in ran.sink.results] == [Outcome.OK]
    assert ran.metric("flyball_prober_checks") == 0


def test_a_check_that_goes_and_comes_back_while_it_runs_never_runs_twice() -> None:
    target = Target(every=10, timeout=60, seconds=lambda _: 45)
    start = first_start(target)
    changes: list[Change] = [
        (start + 5, lambda prober: prober.replace([])),
        (start + 6, lambda prober: prober.replace([target.check])),
    ]
    Ran([target], 300, changes=changes)
    assert target.most_at_once == 1
    assert len(target.starts) >= 5


def test_another_interval_is_another_grid() -> None:
    slow, fast = Target(every=60), Target(every=20)
    Ran([slow], 600, changes=[(300, lambda prober: prober.replace([fast.check]))])
    assert len(slow.starts) == 5
    assert len(fast.starts) == 15


def test_a_check_that_moves_to_the_heavy_lane_while_it_waits_leaves_no_place_taken() -> None:
    blocking = Target("blocking", every=1000, timeout=200, seconds=lambda _: 100)
    begin = first_start(blocking)
    waiting = Target("waiting", every=15)
    heavy = Target("waiting", every=15, is_heavy=True)
    ran = Ran(
        [blocking, waiting],
        begin + 200,
        limits=Limits(light=1, heavy=1),
        changes=[(begin + 50, lambda prober: prober.replace([blocking.check, heavy.check]))],
    )
    assert ran.prober.running == 0
    assert heavy.starts


def test_stopping_ends_what_runs_within_its_time_and_tells_nothing_of_it() -> None:
    targets = [Target(f"check-{index}", every=1, timeout=1000, seconds=lambda _: 900) for index in range(20)]
    ran = Ran(targets, 10)
    assert ran.stopped_after == 0
    assert sum(target.cancelled for target in targets) == 20
    assert ran.sink.results == []


def test_stopping_does_not_wait_for_ever_for_a_check_that_does_not_end() -> None:
    target = Target(every=1, timeout=1000)

    async def stubborn(now: datetime) -> CheckResult:
        for _ in range(100):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                continue
        raise AssertionError

    check = target.check
    sink = Collected()
    prober = Prober(region="eu", sink=sink, clock=LoopClock(), limits=Limits(stop_seconds=3))
    prober.replace([type(check)(check.name, check.kind, check.every, check.timeout, check.regions, stubborn)])

    async def main() -> float:
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        loop.call_later(10, stopping.set)
        await prober.run_until(stopping)
        ended = loop.time()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})  # type: ignore[arg-type]
        return ended

    assert simulate(main) == pytest.approx(1013)


def test_a_new_check_with_a_long_interval_may_run_once_before_its_first_turn() -> None:
    journey = Target(every=6 * 3600)
    Ran([journey], 60, limits=Limits(first_within=timedelta(seconds=60)))
    assert len(journey.starts) == 1
    plain = Target(every=6 * 3600)
    Ran([plain], 60)
    assert plain.starts == []


def test_an_interval_that_is_none_changes_nothing() -> None:
    target = Target()
    prober = Prober(region="eu", sink=Collected(), clock=LoopClock())
    prober.replace([target.check])
    with pytest.raises(ValueError, match="the interval of none is not positive"):
        prober.replace([Target("none", every=0).check])
    assert len(Ran([target], 300).sink.results) == 10


_Version = tuple[int, float, bool]  # interval, seconds, heavy


@settings(max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 200),
            st.dictionaries(
                st.sampled_from("abcd"),
                st.tuples(st.sampled_from([5, 10, 30]), st.sampled_from([0.1, 7.0, 33.0]), st.booleans()),
            ),
            st.booleans(),
        ),
        max_size=8,
    ),
    st.sampled_from(Outcome),
)
def test_whatever_is_replaced_nothing_runs_twice_at_once_and_nothing_is_left(
    changes: list[tuple[float, dict[str, _Version], bool]], outcome: Outcome
) -> None:
    targets = {name: Target(name, timeout=40, outcome=lambda _: outcome) for name in "abcd"}
    known_good = Target("eu", kind=CheckKind.SELF_CHECK, seconds=lambda _: 3.0, outcome=lambda _: Outcome.FAILED)

    def change(versions: dict[str, _Version], is_checked: bool) -> Callable[[Prober], None]:
        def apply(prober: Prober) -> None:
            for name, (every, seconds, is_heavy) in versions.items():
                targets[name].every, targets[name].is_heavy = every, is_heavy
                targets[name].seconds = lambda _, s=seconds: s  # type: ignore[misc]
            prober.replace([targets[name].check for name in versions], known_good.check if is_checked else None)

        return apply

    told = [(at, change(versions, is_checked)) for at, versions, is_checked in changes]
    ran = Ran(list(targets.values()), 260, limits=Limits(light=2, heavy=1), changes=told)
    assert all(target.most_at_once <= 1 for target in (*targets.values(), known_good))
    assert ran.prober.running == 0
    assert ran.metric("flyball_prober_running") == 0
    ends = {name: {one.started_at for one in ran.sink.of(name)} for name in targets}
    for name, target in targets.items():  # a run is told once, or was cut off at the end
        assert len(ran.sink.of(name)) == len(ends[name])
        assert len(target.starts) - len(ends[name]) <= 1
