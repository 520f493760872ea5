"""When checks and SLOs contradict each other: both sides must hold, and what is unknown moves nothing."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import Verdict, VerdictKind
from controlplane.model.event import RecordedEvent
from synthetics.golden_paths.disagreement import (
    HOLD,
    Checks,
    Course,
    Disagreement,
    Sides,
    SLIs,
    Standing,
    TrafficDrop,
    event_of,
    in_words,
    sides_of,
    standings,
    step,
)
from synthetics.golden_paths.evidence import BurningSLO, SLIEvidence
from tests.synthetics.golden_paths.paths import JOURNEY, MINUTE, NOW, PROBE, a_path, a_verdict

HOLE = Sides(Checks.UP, SLIs.BURNING, burning=("gateway-availability",))
DNS = Sides(Checks.DOWN, SLIs.CALM, down=("gateway-health",))
CALM = Sides(Checks.UP, SLIs.CALM)
OUTAGE = Sides(Checks.DOWN, SLIs.BURNING)
DARK = Sides(Checks.UNKNOWN, SLIs.CALM)
BLIND = Sides(Checks.UP, SLIs.UNKNOWN)


def after(*minutes: Sides, course: Course | None = None, start: datetime = NOW) -> Course:
    """The course after one evaluation a minute."""
    found = course or Course()
    for number, sides in enumerate(minutes):
        found = step(found, sides, start + number * MINUTE)
    return found


@pytest.mark.parametrize(
    ("sides", "kind"), [(HOLE, Disagreement.COVERAGE_HOLE), (DNS, Disagreement.DNS_OR_REGION)]
)  # fmt: skip
def test_a_contradiction_stands_after_it_lasted(sides: Sides, kind: Disagreement) -> None:
    assert after(*[sides] * 5).standing.kind is None
    assert after(*[sides] * 6).standing == Standing(kind, NOW)


def test_what_is_seen_once_is_not_believed_however_long_ago_it_began() -> None:
    found = step(step(Course(), HOLE, NOW), CALM, NOW + HOLD)
    assert step(found, HOLE, NOW + 2 * HOLD).standing.kind is None


def test_a_total_outage_that_slos_see_a_little_later_is_no_contradiction() -> None:
    assert after(DNS, DNS, DNS, *[OUTAGE] * 20).standing.kind is None


def test_they_agree_again_after_two_evaluations() -> None:
    standing = after(*[HOLE] * 6)
    once = step(standing, CALM, NOW + 10 * MINUTE)
    assert once.standing.kind is Disagreement.COVERAGE_HOLE
    twice = step(once, CALM, NOW + 11 * MINUTE)
    assert twice.standing == Standing(None, NOW + 10 * MINUTE)


def test_one_contradiction_turns_into_the_other() -> None:
    found = after(*[HOLE] * 6, *[DNS] * 6)
    assert found.standing == Standing(Disagreement.DNS_OR_REGION, NOW + 6 * MINUTE)


@pytest.mark.parametrize("unknown", [DARK, BLIND])
def test_what_is_unknown_moves_nothing(unknown: Sides) -> None:
    standing = after(*[HOLE] * 6)
    assert after(*[unknown] * 100, course=standing) == standing
    begun = after(HOLE, HOLE)
    assert after(*[unknown] * 100, course=begun) == begun
    assert after(*[unknown] * 100).standing.kind is None


stretches = st.tuples(st.sampled_from([HOLE, DNS, CALM, OUTAGE, DARK, BLIND]), st.integers(1, 8))
courses = st.lists(stretches, max_size=12).map(lambda found: [sides for sides, count in found for _ in range(count)])


@given(courses)
def test_nothing_changes_that_two_evaluations_did_not_say(course: list[Sides]) -> None:
    """However it went: a standing follows from at least two of the same, in a row but for unknown ones."""
    found, known = Course(), list[Sides]()
    for number, each in enumerate(course):
        following = step(found, each, NOW + number * MINUTE)
        known += [each] if each.is_known else []
        if following.standing.kind is not found.standing.kind:
            assert each.is_known
            assert [it.meaning for it in known[-2:]] == [following.standing.kind] * 2
            assert following.standing.since is not None
        if not each.is_known:
            assert following == found
        found = following


@given(courses, st.integers(0, 60))
def test_a_restart_delays_and_never_repeats(course: list[Sides], restarted: int) -> None:
    """Two processes one after the other: the second begins with what the log says."""
    events: list[RecordedEvent] = []
    found = Course()
    for number, each in enumerate(course):
        now = NOW + number * MINUTE
        if number == restarted:
            found = Course(standings(events).get("core-flow", Standing()))
        following = step(found, each, now)
        if following.standing.kind is not found.standing.kind:
            events.append(RecordedEvent(len(events), now, event_of(a_path(), following.standing, each, now, None)))
        found = following
    kinds = [recorded.event.data.get("kind") for recorded in events]
    assert all(one != other for one, other in pairwise(kinds))
    assert len({recorded.event.id for recorded in events}) == len(events)


def verdicts(*found: Verdict) -> dict[tuple[object, str], Verdict]:
    return {(each.check_kind, each.check): each for each in found}


UP, DOWN = VerdictKind.UP, VerdictKind.REGIONAL
SLIS = SLIEvidence((), frozenset({"gateway-availability"}))


@pytest.mark.parametrize(
    ("journey", "probe", "said"),
    [
        (UP, UP, Checks.UP),
        (UP, DOWN, Checks.DOWN),
        (VerdictKind.GLOBAL, VerdictKind.UNKNOWN, Checks.DOWN),
        (UP, VerdictKind.UNKNOWN, Checks.UNKNOWN),
        (UP, None, Checks.UNKNOWN),
    ],
)
def test_what_checks_say_together(journey: VerdictKind, probe: VerdictKind | None, said: Checks) -> None:
    found = [a_verdict(JOURNEY, "core-flow", journey)]
    found += [a_verdict(PROBE, "gateway-health", probe)] if probe else []
    assert sides_of(a_path(), verdicts(*found), SLIS).checks is said  # type: ignore[arg-type]


def test_a_check_that_flaps_is_not_believed() -> None:
    found = [a_verdict(JOURNEY, "core-flow", UP), a_verdict(PROBE, "gateway-health", DOWN, flapping=True)]
    assert sides_of(a_path(), verdicts(*found), SLIS).checks is Checks.UNKNOWN  # type: ignore[arg-type]


def test_what_slos_say_together() -> None:
    path = a_path(slos=("a", "b"))
    calm = frozenset({"a", "b"})

    def said(slis: SLIEvidence | None) -> SLIs:
        return sides_of(path, {}, slis).slis

    assert said(SLIEvidence((), calm)) is SLIs.CALM
    assert said(SLIEvidence((BurningSLO("b"),), frozenset({"a"}))) is SLIs.BURNING
    assert said(SLIEvidence((BurningSLO("c"),), calm)) is SLIs.CALM  # of another path
    assert said(SLIEvidence((), frozenset({"a"}))) is SLIs.UNKNOWN
    assert said(None) is SLIs.UNKNOWN
    assert sides_of(a_path(slos=()), {}, SLIS).slis is SLIs.UNKNOWN


def test_the_event_says_what_happened_what_it_means_and_what_to_do() -> None:
    standing = Standing(Disagreement.DNS_OR_REGION, NOW)
    event = event_of(a_path(display_name="Core flow"), standing, DNS, NOW + HOLD, TrafficDrop(20, 100))
    assert (event.kind, event.subject) == ("golden_path.disagreement", "core-flow")
    assert event.id == "golden_path.disagreement:core-flow:dns_or_region:2026-11-30T12:00:00+00:00"
    assert event.data["detail"] == (
        "Core flow: gateway-health fails while the SLOs are calm. Requests may not arrive: look at DNS, certificates, "
        "the load balancer and the region's ingress. Traffic fell to 20 % of the same time yesterday."
    )
    assert (event.data["traffic_halved"], event.data["requests_per_second"]) == (True, "20")
    assert not [value for value in event.data.values() if isinstance(value, float)]
    whole = in_words(a_path(), standing, DNS, TrafficDrop(90, 100))
    assert "Traffic is as yesterday" in whole
    assert "raffic" not in in_words(a_path(), standing, DNS, None)


@pytest.mark.parametrize(("now", "yesterday", "halved"), [(49, 100, True), (50, 100, False), (0, 0, False)])
def test_traffic_is_halved_below_half_of_yesterdays(now: float, yesterday: float, halved: bool) -> None:
    assert TrafficDrop(now, yesterday).is_halved is halved


def test_the_latest_event_in_the_log_says_what_stands() -> None:
    path, standing = a_path(), Standing(Disagreement.COVERAGE_HOLE, NOW)
    began = RecordedEvent(7, NOW, event_of(path, standing, HOLE, NOW, None))
    ended = RecordedEvent(9, NOW, event_of(path, Standing(None, NOW), CALM, NOW - timedelta(hours=1), None))
    assert standings([began]) == {"core-flow": standing}
    assert standings([ended, began]) == {"core-flow": Standing(None, NOW)}
