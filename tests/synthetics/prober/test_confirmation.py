"""A first failure is looked at again before the next turn, and judged by what the region reaches at all."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.check import CheckKind, CheckResult, Outcome
from tests.synthetics.prober.runs import Change, Ran
from tests.synthetics.prober.simulated import Target, failing, first_start, seconds_in

FOREVER = 1e9


def self_check(**changes: object) -> Target:
    shape = {"name": "eu", "kind": CheckKind.SELF_CHECK, "seconds": lambda _: 0.1, "every": 30.0} | changes
    return Target(**shape)  # type: ignore[arg-type]


def test_a_first_failure_is_confirmed_out_of_turn_and_only_the_first() -> None:
    target = Target(outcome=failing(100, FOREVER))
    ran = Ran([target], 300)
    failed = [one for one in ran.sink.results if one.outcome is Outcome.FAILED]
    assert [one.confirms for one in failed[:4]] == [False, True, False, False]
    assert sum(one.confirms for one in ran.sink.results) == 1
    assert (failed[1].started_at - failed[0].started_at).total_seconds() == pytest.approx(0.5 + 5)
    regular = [one for one in ran.sink.results if not one.confirms]
    assert len(regular) == 10  # out of turn means beside its turns


@settings(max_examples=20)
@given(st.integers(5, 300), st.floats(0.1, 30), st.floats(0, 300))
def test_an_outage_is_confirmed_within_two_intervals(every: int, seconds: float, begins: float) -> None:
    seconds = min(seconds, every * 0.37)  # two runs and the pause between them must fit into one interval
    target = Target(every=every, timeout=30, seconds=lambda _: seconds, outcome=failing(begins, FOREVER))
    ran = Ran([target], begins + 3 * every)
    failed = [one for one in ran.sink.results if one.outcome is Outcome.FAILED]
    assert seconds_in(failed[1].started_at) + seconds - begins <= 2 * every
    quick = seconds_in(failed[1].started_at) - seconds_in(failed[0].started_at)
    assert quick <= seconds + every / 4 + 0.001 or quick <= every + 0.001


def test_a_failure_that_was_a_moment_only_is_confirmed_as_over() -> None:
    start = first_start(Target())
    target = Target(outcome=failing(start + 59, start + 61))
    ran = Ran([target], 300)
    said = [(one.outcome, one.confirms) for one in ran.sink.results[1:5]]
    assert said == [(Outcome.OK, False), (Outcome.FAILED, False), (Outcome.OK, True), (Outcome.OK, False)]


def test_a_turn_that_comes_before_the_confirmation_confirms() -> None:
    target = Target(every=20, timeout=20, seconds=lambda _: 18.0, outcome=failing(100, FOREVER))
    ran = Ran([target], 300)
    assert not any(one.confirms for one in ran.sink.results)
    assert len([one for one in ran.sink.results if one.outcome is Outcome.FAILED]) >= 8


def test_each_outage_is_confirmed() -> None:
    target = Target(outcome=lambda now: Outcome.FAILED if seconds_in(now) // 100 % 2 else Outcome.OK)
    assert sum(one.confirms for one in Ran([target], 1000).sink.results) == 5


def test_a_check_that_fails_from_its_start_is_confirmed() -> None:
    ran = Ran([Target(outcome=failing(0, FOREVER))], 100)
    assert [one.confirms for one in ran.sink.results[:3]] == [False, True, False]


def test_a_fault_is_not_confirmed_and_does_not_hide_a_failure_that_was() -> None:
    faults = Target(outcome=lambda now: Outcome.FAULT if 100 < seconds_in(now) < 200 else Outcome.OK)
    assert not any(one.confirms for one in Ran([faults], 300).sink.results)
    down = Target(
        outcome=lambda now: Outcome.FAULT
        if 150 < seconds_in(now) < 200
        else Outcome.FAILED if seconds_in(now) > 100 else Outcome.OK
    )  # fmt: skip
    assert sum(one.confirms for one in Ran([down], 300).sink.results) == 1


def test_a_check_that_is_gone_is_not_confirmed() -> None:
    target = Target(outcome=failing(0, FOREVER))
    start = first_start(target)
    changes: list[Change] = [(start + 2, lambda prober: prober.replace([]))]
    assert len(Ran([target], 300, changes=changes).sink.results) == 1


# --- the self-check ---


def test_the_self_check_has_its_own_turns_and_its_results_are_told_as_its_own() -> None:
    ran = Ran([Target(every=1000)], 600, self_check=self_check(every=60.0))
    results = ran.sink.of("eu")
    assert len(results) == 10
    assert {(one.kind, one.outcome, one.confirms) for one in results} == {(CheckKind.SELF_CHECK, Outcome.OK, False)}
    assert ran.metric("flyball_prober_runs_total", kind="self-check", outcome="ok") == 10
    assert ran.metric("flyball_prober_checks") == 2


def test_a_failure_is_the_targets_when_the_self_check_of_that_moment_is_well() -> None:
    target = Target(outcome=failing(100, FOREVER))
    ran = Ran([target], 300, self_check=self_check(every=10_000.0))
    assert [one for one in ran.sink.of("shop") if one.outcome is Outcome.FAULT] == []
    fresh = ran.sink.of("eu")
    failures = [one for one in ran.sink.of("shop") if one.outcome is Outcome.FAILED]
    assert len(fresh) == len(failures)  # a fresh one for each
    assert all(one.confirms for one in fresh)


def test_a_failure_is_the_probers_when_the_self_check_fails_too() -> None:
    targets = [Target(f"probe-{index}", outcome=failing(100, 200)) for index in range(20)]
    ran = Ran(targets, 300, self_check=self_check(outcome=failing(99, 201)))
    results = [one for target in targets for one in ran.sink.of(target.name)]
    assert not [one for one in results if one.outcome is Outcome.FAILED]
    faults = [one for one in results if one.outcome is Outcome.FAULT]
    assert len(faults) >= 60
    assert {one.reason for one in faults} == {"prober"}
    assert "does not reach its known-good target" in faults[0].detail
    assert not any(one.confirms for one in results)


def test_a_fresh_self_check_runs_at_most_once_in_two_seconds_and_never_twice_at_once() -> None:
    targets = [Target(f"probe-{index}", every=10, outcome=failing(0, FOREVER)) for index in range(100)]
    known_good = self_check(every=10_000.0, seconds=lambda _: 0.7)
    Ran(targets, 100, self_check=known_good)
    starts = [seconds_in(start) for start in known_good.starts]
    assert known_good.most_at_once == 1
    assert min(b - a for a, b in itertools.pairwise(starts)) >= 2 - 1e-6
    assert len(starts) >= 30


def test_failures_wait_for_a_self_check_that_is_under_way() -> None:
    target = Target(every=10, outcome=failing(0, FOREVER), seconds=lambda _: 0.5)
    slow = self_check(every=10_000.0, seconds=lambda _: 4.0, outcome=lambda _: Outcome.FAILED)
    ran = Ran([target], 100, self_check=slow)
    assert {one.outcome for one in ran.sink.of("shop")} == {Outcome.FAULT}
    assert slow.most_at_once == 1


def test_a_self_check_that_breaks_or_hangs_counts_as_failed() -> None:
    for broken in (self_check(raises=ValueError()), self_check(seconds=lambda _: 1e6, timeout=3.0)):
        ran = Ran([Target(every=20, outcome=failing(0, FOREVER))], 100, self_check=broken)
        assert {one.outcome for one in ran.sink.of("shop")} == {Outcome.FAULT}
        assert len(ran.sink.of("shop")) >= 4


def test_a_self_check_that_is_taken_away_while_failures_wait_for_it_holds_nothing_up() -> None:
    target = Target(every=20, outcome=failing(0, FOREVER))
    start = first_start(target)
    hanging = self_check(every=10_000.0, seconds=lambda _: 1e6, timeout=8.0)
    changes: list[Change] = [(start + 3, lambda prober: prober.replace([target.check]))]
    ran = Ran([target], 200, self_check=hanging, changes=changes)
    said: list[CheckResult] = ran.sink.of("shop")
    assert said[0].outcome is Outcome.FAULT  # it was under way: it is waited for
    assert {one.outcome for one in said[1:]} == {Outcome.FAILED}


def test_what_runs_rarely_is_asked_again_soon_while_it_is_down() -> None:
    target = Target(every=6 * 3600.0, outcome=failing(0, 6 * 3600 + 1500))
    results = Ran([target], 13 * 3600).sink.results
    down = [one for one in results if one.outcome is Outcome.FAILED]
    assert len(down) > 5
    gaps = {round((b.started_at - a.started_at).total_seconds()) for a, b in itertools.pairwise(down)}
    assert max(gaps) <= 121
    after = [one for one in results if one.outcome is Outcome.OK and one.started_at > down[-1].started_at]
    assert (after[0].started_at - down[-1].started_at).total_seconds() <= 121
    assert not any(one.confirms for one in after[1:])
