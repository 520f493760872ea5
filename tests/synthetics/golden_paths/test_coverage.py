"""What is covered, what is missing and what is not known; and that the three are never mixed up."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import VerdictKind
from synthetics.golden_paths.coverage import Coverage, State, coverage, is_ignored, matches
from synthetics.golden_paths.evidence import NOTHING_ASKED, CheckEvidence, Evidence, RouteTraffic
from synthetics.golden_paths.model import Exemption, Gap, Ignored, Route
from synthetics.golden_paths.views import as_data, conclusion, sentences
from tests.synthetics.golden_paths.paths import (
    HOUR,
    JOURNEY,
    MINUTE,
    NOW,
    PROBE,
    a_path,
    all_well,
    an_inventory,
    answered,
    ran,
    seen,
)


def gaps(found: Coverage) -> list[tuple[str, str]]:
    return [(gap.gap.value, gap.subject) for gap in found.gaps if gap.accepted is None]


def test_a_path_whose_routes_are_seen_and_whose_checks_run_is_covered() -> None:
    found = coverage([a_path()], all_well(), NOW)
    assert found.paths[0].state is State.COVERED
    assert (found.gaps, found.not_known, found.strays) == ((), (), ())
    assert conclusion(found) == "1 golden path: 1 covered; 0 routes on no path"


def test_a_route_that_people_use_and_that_is_on_no_path_is_a_gap() -> None:
    traffic = answered(*seen("/graphql/query", "/files/upload"))
    found = coverage([a_path()], all_well(inventories=(traffic,)), NOW)
    assert gaps(found) == [("route-on-no-path", "gateway /files/upload")]
    assert found.paths[0].state is State.COVERED
    assert "1000 requests a day, and no golden path names it" in found.gaps[0].detail
    assert found.enforced == found.gaps


def test_a_route_on_no_path_may_be_rare_or_ignored() -> None:
    inventory = an_inventory(least_per_day=Decimal(50), ignored=(Ignored("/(healthz|metrics)", "machines"),))
    traffic = answered(
        *seen("/graphql/query", "/healthz"),
        *seen("/rare", per_day=49.9),
        *seen("/just", per_day=50.0),
        inventory=inventory,
    )
    found = coverage([a_path()], all_well(inventories=(traffic,)), NOW)
    assert gaps(found) == [("route-on-no-path", "gateway /just")]


def test_the_requests_of_a_route_are_those_of_all_its_series() -> None:
    parts = [RouteTraffic("/rare", "gateway", labels=(("tenant", name),), per_day=30) for name in "ab"]
    traffic = answered(*seen("/graphql/query"), *parts, inventory=an_inventory(least_per_day=Decimal(50)))
    found = coverage([a_path()], all_well(inventories=(traffic,)), NOW)
    assert found.strays is not None
    assert [(stray.traffic.route, stray.traffic.per_day) for stray in found.strays] == [("/rare", 60)]


def test_a_rare_route_counts_as_seen() -> None:
    traffic = answered(*seen("/graphql/query", per_day=0.5), inventory=an_inventory(least_per_day=Decimal(50)))
    assert coverage([a_path()], all_well(inventories=(traffic,)), NOW).paths[0].state is State.COVERED


def test_a_route_of_a_path_that_nobody_uses_is_a_gap() -> None:
    path = a_path(routes=(Route("/graphql/query", "gateway"), Route("/graphql/mutaiton", "gateway")))
    found = coverage([path], all_well(), NOW)
    assert gaps(found) == [("route-not-seen", "gateway /graphql/mutaiton")]
    assert [(it.state, it.per_day) for it in found.paths[0].routes] == [(State.COVERED, 1000.0), (State.GAPS, 0.0)]


def test_a_route_is_looked_for_in_every_inventory() -> None:
    path = a_path(routes=(Route("kafka", "ingest"),))
    other = answered(*seen("kafka", service="ingest"), inventory=an_inventory("connectors"))
    found = coverage([path], all_well(inventories=(answered(), other)), NOW)
    assert found.paths[0].state is State.COVERED


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        (Route("/a/b"), True),
        (Route("/a/*"), True),
        (Route("*"), True),
        (Route("/a/b", "shop"), True),
        (Route("/a/b", "shop", "GET"), True),
        (Route("/a/b", labels=(("operation", "read"),)), True),
        (Route("/a"), False),
        (Route("/a/?"), False),
        (Route("/[a]/b"), False),
        (Route("/[a]/*"), False),
        (Route("/A/b"), False),
        (Route("/a/b", "other"), False),
        (Route("/a/b", "shop", "POST"), False),
        (Route("/a/b", labels=(("operation", "write"),)), False),
        (Route("/a/b", labels=(("missing", ""),)), False),
    ],
)
def test_what_traffic_is_of_a_route(route: Route, fits: bool) -> None:
    traffic = RouteTraffic("/a/b", "shop", "get", (("operation", "read"),), 1.0)
    assert matches(route, traffic, an_inventory(method_label="method")) is fits


def test_a_method_counts_only_where_the_metric_tells_methods_apart() -> None:
    route = Route("/a", method="POST")
    assert matches(route, RouteTraffic("/a"), an_inventory())
    assert not matches(route, RouteTraffic("/a"), an_inventory(method_label="method"))


def test_what_is_ignored_must_match_as_a_whole() -> None:
    inventory = an_inventory(ignored=(Ignored("/health", "x"), Ignored("/static/.*", "x")))
    assert [is_ignored(inventory, it) for it in ("/health", "/healthz", "/static/", "/static/a", "/a/static/b")] == [
        True, False, True, True, False,
    ]  # fmt: skip


def test_a_path_without_a_journey_or_an_slo_has_gaps_whatever_else_is_known() -> None:
    found = coverage([a_path(journeys=(), slos=())], NOTHING_ASKED, NOW)
    assert gaps(found) == [("no-journey", "core-flow"), ("no-slo", "core-flow")]
    assert all(gap.gap.is_static for gap in found.gaps)
    assert found.paths[0].state is State.GAPS


@pytest.mark.parametrize(("ago", "is_late"), [(6 * HOUR, False), (6 * HOUR + MINUTE, True), (None, True)])
def test_a_check_must_have_run_within_the_paths_time(ago: timedelta | None, is_late: bool) -> None:
    late = CheckEvidence(None, None) if ago is None else ran(ago)
    checks = {(JOURNEY, "core-flow"): late, (PROBE, "gateway-health"): ran()}
    found = coverage([a_path()], all_well(checks=checks), NOW)
    assert gaps(found) == ([("not-run", "journey core-flow")] if is_late else [])


def test_a_check_that_the_store_does_not_know_never_ran() -> None:
    found = coverage([a_path()], all_well(checks={}), NOW)
    assert gaps(found) == [("not-run", "journey core-flow"), ("not-run", "probe gateway-health")]
    assert "never ran" in found.gaps[0].detail


@pytest.mark.parametrize("verdict", [VerdictKind.GLOBAL, VerdictKind.REGIONAL])
def test_a_check_that_fails_is_a_gap_that_says_where(verdict: VerdictKind) -> None:
    failing = ran(verdict=verdict, regions_down=("eu",), detail="connection refused")
    checks = {(JOURNEY, "core-flow"): failing, (PROBE, "gateway-health"): ran()}
    found = coverage([a_path()], all_well(checks=checks), NOW)
    assert gaps(found) == [("failing", "journey core-flow")]
    where = "everywhere" if verdict is VerdictKind.GLOBAL else "in eu"
    assert found.gaps[0].detail == f"fails {where} since 2026-11-30 11:00 UTC: connection refused"


@pytest.mark.parametrize("verdict", [VerdictKind.UNKNOWN, None])
def test_a_check_of_which_no_region_can_tell_is_unknown(verdict: VerdictKind | None) -> None:
    checks = {(JOURNEY, "core-flow"): ran(verdict=verdict), (PROBE, "gateway-health"): ran()}
    found = coverage([a_path()], all_well(checks=checks), NOW)
    assert found.gaps == ()
    assert found.paths[0].state is State.UNKNOWN
    assert [each.subject for each in found.not_known] == ["journey core-flow"]


def test_what_prometheus_does_not_tell_is_unknown_and_neither_a_gap_nor_covered() -> None:
    away = answered(failure="Prometheus does not tell: connection refused")
    found = coverage([a_path()], all_well(inventories=(away,)), NOW)
    assert (found.gaps, found.strays) == ((), None)
    assert found.paths[0].state is State.UNKNOWN
    assert list(sentences(found)) == [
        "unknown: Prometheus does not tell: connection refused: core-flow (gateway /graphql/query), routes of gateway",
    ]
    assert as_data(found)["routesOnNoPath"] is None


def test_a_route_is_unknown_while_one_inventory_is_that_might_know_it() -> None:
    away = answered(failure="no such metric", inventory=an_inventory("other"))
    path = a_path(routes=(Route("/graphql/query"), Route("/elsewhere")))
    found = coverage([path], all_well(inventories=(answered(*seen("/graphql/query")), away)), NOW)
    assert [route.state for route in found.paths[0].routes] == [State.COVERED, State.UNKNOWN]
    assert found.strays == ()  # of the inventory that answered


def test_what_the_store_does_not_tell_is_unknown() -> None:
    found = coverage([a_path()], all_well(checks=None, checks_failure="the database is locked"), NOW)
    assert found.gaps == ()
    assert {each.why for each in found.not_known} == {"the database is locked"}


def test_without_an_inventory_nothing_is_known_of_routes() -> None:
    found = coverage([a_path()], all_well(inventories=()), NOW)
    assert found.paths[0].state is State.UNKNOWN
    assert {each.why for each in found.not_known} == {"no RouteInventory says which metric tells the routes"}


def test_an_exemption_holds_up_to_its_last_day_and_is_a_gap_afterwards() -> None:
    path = a_path(journeys=(), exempt=(Exemption(Gap.NO_JOURNEY, "comes in spring", date(2026, 11, 30)),))
    today = coverage([path], all_well(), NOW)
    assert (today.enforced, today.paths[0].state) == ((), State.ACCEPTED)
    assert list(sentences(today)) == ["core-flow: no-journey: accepted until 2026-11-30: comes in spring"]
    tomorrow = coverage([path], all_well(checks=None), NOW + timedelta(hours=12))
    assert gaps(tomorrow) == [("no-journey", "core-flow"), ("exemption-expired", "no-journey")]


def test_gaps_of_a_path_that_is_not_critical_are_told_and_not_enforced() -> None:
    found = coverage([a_path(journeys=(), is_critical=False)], all_well(), NOW)
    assert gaps(found) == [("no-journey", "core-flow")]
    assert found.enforced == ()


times = st.one_of(st.none(), st.integers(0, 100).map(lambda hours: hours * HOUR))
checks_known = st.builds(lambda ago, verdict: CheckEvidence(None if ago is None else NOW - ago, verdict), times,
                         st.one_of(st.none(), st.sampled_from(VerdictKind)))  # fmt: skip
worlds = st.builds(
    Evidence,
    st.one_of(st.none(), st.lists(st.one_of(
        st.just(answered(failure="away")),
        st.lists(st.sampled_from(["/graphql/query", "/files/upload"])).map(lambda routes: answered(*seen(*routes))),
    ), max_size=2).map(tuple)),
    st.one_of(st.none(), st.dictionaries(
        st.sampled_from([(JOURNEY, "core-flow"), (PROBE, "gateway-health")]), checks_known)),
)  # fmt: skip


@given(worlds)
def test_what_is_not_known_is_never_called_covered_and_never_a_gap(world: Evidence) -> None:
    found = coverage([a_path()], world, NOW)
    (path,) = found.paths
    if path.state is State.COVERED:
        assert world.checks
        assert {each.state for each in (*path.routes, *path.checks)} == {State.COVERED}
        assert any("/graphql/query" in [it.route for it in answer.routes] for answer in world.answered)
    if world.inventories is None or any(answer.failure for answer in world.inventories):
        assert "route-not-seen" not in {gap.gap.value for gap in found.gaps}
    if world.checks is None:
        assert not {gap.gap.value for gap in found.gaps} & {"not-run", "failing"}


@given(worlds)
def test_more_that_is_asked_only_turns_what_was_unknown(world: Evidence) -> None:
    without = coverage([a_path()], replace(world, checks=None, inventories=None), NOW)
    assert without.gaps == ()
    assert without.paths[0].state is State.UNKNOWN
