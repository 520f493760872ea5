"""What a plan says about changes of an SLO, and what it costs."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.alerting import STANDARD_TIERS, Alerting, AlertMethod, AlertText, Urgency
from controlplane.model.exclusion import Exclusion
from controlplane.model.rule import RecordingRule
from controlplane.model.series import Series
from controlplane.model.slo import SLO, DataPolicy, Dialect, LegacyNames, NoTraffic, RollingWindow
from flyball.demo import servers
from flyball.planning.live import AskedEngine
from slo import cold_start
from slo.compiler import CompileOptions, compile_rules
from slo.manifest import line_of
from slo.plan.changes import changes
from slo.plan.cost import cost_of
from slo.plan.history import renamed
from slo.plan.planning import Kind, Side, Surroundings, plan
from tests.slo.slos import an_slo, latency, requests

NOW = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 300 * 300, UTC)
BEFORE = an_slo("a", requests("shop"))


def words(after: SLO, before: SLO = BEFORE) -> list[str]:
    return [change.words for change in changes(before, after)]


def test_nothing_is_said_where_nothing_changes() -> None:
    assert words(replace(BEFORE)) == []


def test_a_window_changes_what_alerts_need() -> None:
    assert words(replace(BEFORE, window=RollingWindow(timedelta(days=7)))) == [
        "window 30 d → 7 d",
        "a page now needs 0.336 % errors over 1 h, was 1.44 %",
        "a page now needs 0.14 % errors over 6 h, was 0.6 %",
        "a ticket now needs 0.1 % errors over 1 d, was 0.3 %",
    ]


def test_a_tier_that_can_never_fire_is_said_so() -> None:
    assert "a page now needs more than 100 % errors over 1 h: it can never fire, was 1.44 %" in words(
        replace(BEFORE, objective=Decimal("0.9"))
    )


def test_a_share_of_the_budget_is_told_also_where_the_threshold_stays() -> None:
    page, *others, slowest = STANDARD_TIERS
    tiers = (replace(page, budget_share=Decimal("0.03")), *others, replace(slowest, budget_share=Decimal("0.05")))
    assert words(replace(BEFORE, alerting=Alerting(tiers))) == [
        "a page now needs 2.16 % errors over 1 h, was 1.44 %",
        "a page over 1 h: waits until 3 % of the budget is spent, was 2 %",
        "a ticket over 3 d: waits until 5 % of the budget is spent, was 10 %",
    ]


def test_data_policies_are_told_in_words() -> None:
    assert words(replace(BEFORE, policy=DataPolicy(NoTraffic.BAD, absent_after=timedelta(minutes=5), up="up"))) == [
        "data policy no traffic: excluded → bad",
        "data policy absent after: 15 min → 5 min",
        "data policy up: none → up",
    ]


def test_names_of_another_tool_are_told_where_series_are_recorded_under_them() -> None:
    known = replace(BEFORE, legacy_names=LegacyNames(Dialect.SLOTH, (("sloth_id", "a"),), recorded=False))
    kept = replace(BEFORE, legacy_names=LegacyNames(Dialect.SLOTH, (("sloth_id", "a"),)))
    assert line_of(known) == line_of(BEFORE)
    assert words(known) == []
    assert words(kept) == ["series under Sloth's names are recorded, too: sloth_id=a"]
    assert words(known, before=kept) == ["series under Sloth's names are no longer recorded: sloth_id=a"]


def test_exclusions_are_told_as_their_owners_wrote_them() -> None:
    def excluded(reason: str, *days: int, rule: str = "") -> SLO:
        starts = [datetime(2026, 11, day, 1, 30, tzinfo=UTC) for day in days]
        times = tuple((start, start + timedelta(hours=2)) for start in starts)
        until = datetime(2026, 12, 1, tzinfo=UTC)
        return replace(BEFORE, exclusions=(Exclusion("upgrade", "ops", reason, until, times, rule),))

    once = "2026-11-22 01:30 UTC to 2026-11-22 03:30 UTC; until 2026-12-01 00:00 UTC; ops: disks"
    weekly = excluded("disks", 22, 29, rule="FREQ=WEEKLY")
    assert words(excluded("disks", 22)) == [f"exclusion upgrade: new, {once}"]
    assert words(BEFORE, before=excluded("disks", 22)) == [f"exclusion upgrade: gone, it was {once}"]
    assert words(weekly, before=excluded("disks", 22)) == [f"exclusion upgrade: {once} → FREQ=WEEKLY, first {once}"]
    assert words(excluded("disks", 22, rule="FREQ=WEEKLY"), before=weekly) == ["exclusion upgrade: at other times"]


def test_tiers_that_come_and_go_and_their_settings_are_told() -> None:
    only_pages = tuple(tier for tier in STANDARD_TIERS if tier.urgency is Urgency.PAGE)
    without = replace(BEFORE, alerting=Alerting(tiers=only_pages))
    assert words(without) == [
        "no ticket any more at 0.3 % errors over 1 d",
        "no ticket any more at 0.1 % errors over 3 d",
    ]
    assert words(BEFORE, without)[0] == "a ticket comes at 0.3 % errors over 1 d: new"
    held = (replace(STANDARD_TIERS[0], hold=timedelta(minutes=2), short=timedelta(minutes=10)), *STANDARD_TIERS[1:])
    settings = Alerting(held, AlertMethod.BURN_RATE, Decimal(10), AlertText(labels=(("team", "x"),)))
    assert words(replace(BEFORE, alerting=settings)) == [
        "a page over 1 h: short window 5 min → 10 min",
        "a page over 1 h: hold 0 s → 2 min",
        "alerts look at burn rates alone, no longer at the budget spent",
        "nobody is told of fewer than 10 bad events, was 3",
        "page alerts: labels.team none → x",
    ]


def test_other_settings_are_told_by_the_names_that_people_know() -> None:
    after = replace(
        BEFORE, labels=(("team", "pay"),), groups=("tenant",), policy=DataPolicy(no_traffic=NoTraffic.BAD), owner="x"
    )
    assert words(after) == [
        "owner: none → x",
        "alert labels team: none → pay",
        "budget per: none → tenant",
        "data policy no traffic: excluded → bad",
    ]


def test_another_kind_of_indicator_is_told_with_its_queries() -> None:
    told = words(replace(BEFORE, indicator=latency("shop")))
    assert told[0] == "indicator ratio → latency"
    assert any(word.startswith("indicator within: none → http_request_duration_seconds_bucket{") for word in told)


@given(st.sampled_from(["0.9", "0.99", "0.999", "0.9999"]), st.sampled_from([1, 7, 28, 30, 90]), st.booleans())
def test_there_are_words_exactly_where_slos_differ(objective: str, days: int, labelled: bool) -> None:
    after = an_slo("a", requests("shop"), objective, days=days, labels=(("x", "y"),) if labelled else ())
    assert bool(changes(BEFORE, after)) == (after != BEFORE)


def test_a_rename_is_one_slo_that_goes_and_one_that_comes_with_the_same_indicator() -> None:
    one, other = an_slo("one", requests("x")), an_slo("other", requests("x"))
    assert renamed([one], [other]) == {"other": "one"}
    assert renamed([one], [other, an_slo("third", requests("x"))]) == {}
    assert renamed([one], [an_slo("other", requests("y"))]) == {}
    assert renamed([one], [an_slo("other", requests("y"), renamed_from=("one",))]) == {"other": "one"}


def side(*slos: SLO, shared: bool = False) -> Side:
    sharing = {"30d": len(slos)} if shared else {}
    return Side([line_of(slo) for slo in slos], shared, sharing)


def surroundings(**given: Any) -> Surroundings:
    nothing = lambda query: None  # noqa: E731
    return Surroundings(CompileOptions(), nothing, nothing, lambda name: None, **given)


def test_of_a_shard_only_the_rules_of_the_slo_itself_are_counted_until_a_shard_more_is_needed() -> None:
    slos = [an_slo(f"slo-{number:04d}", requests(f"job-{number}")) for number in range(501)]
    one_more = plan(side(*slos[:400], shared=True), side(*slos[:401], shared=True), surroundings())
    alone = plan(side(), side(slos[0]), surroundings())
    own = one_more.after.rules - one_more.before.rules
    assert 0 < own < alone.after.rules
    another_shard = plan(side(*slos[:500], shared=True), side(*slos, shared=True), surroundings())
    assert another_shard.shards == (1, 2)
    assert another_shard.after.rules - another_shard.before.rules > own


def test_series_and_samples_of_groups_are_counted_by_the_live_ones() -> None:
    slo = an_slo("a", requests("shop"), groups=("tenant",))
    one = plan(side(), side(slo), surroundings())
    three = plan(
        side(), side(slo), replace(surroundings(), ask=lambda query: 3.0 if query.startswith("count(") else None)
    )
    assert three.after.series == 3 * one.after.series
    assert three.after.rules == one.after.rules
    assert three.after.samples_per_minute == pytest.approx(3 * one.after.samples_per_minute)


def test_more_changes_than_are_costed_are_scaled() -> None:
    slos = [an_slo(f"slo-{number:04d}", requests(f"job-{number}")) for number in range(12)]
    made = plan(side(), side(*slos), surroundings(most_costed=5))
    one = plan(side(), side(slos[0]), surroundings())
    assert (made.of(Kind.ADDED), made.costed) == (12, 5)
    assert made.after.rules == 12 * one.after.rules


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has two days of requests of three pods, every 30 s."""
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="3d", block_duration="31d") as server:
        times = [NOW - timedelta(seconds=30) * step for step in range(2 * 2880, -1, -1)]
        with RemoteWriter(server.url) as writer:
            for pod in "abc":
                for code in ("200", "500"):
                    labels = {"__name__": "http_requests_total", "job": "shop", "code": code, "pod": pod}
                    writer.write([Series(labels, tuple((at, float(step)) for step, at in enumerate(times)))])
        yield server.url


def touched(url: str, expr: str) -> float:
    answer = httpx.get(f"{url}/api/v1/query", params={"query": expr, "time": NOW.timestamp(), "stats": "all"}).json()
    return float(answer["data"]["stats"]["samples"]["totalQueryableSamples"])


def test_series_and_samples_are_what_prometheus_counts(prometheus: str) -> None:
    slo = an_slo("counted", requests("shop"), days=1)
    files = compile_rules([slo])
    backend = PrometheusBackend(prometheus)
    with RemoteWriter(prometheus) as writer:
        cold_start.backfill(cold_start.plan([slo], NOW), backend, writer)
        cold_start.evaluate_once(cold_start.derived_rules(files), backend, writer, NOW)
    cost = cost_of(files[0], samples=AskedEngine(backend, NOW).samples)
    (series,) = backend.query('count({__name__=~"slo:.*",slo="counted"})', NOW)
    assert cost.series == series.value
    rules = [(group, rule) for group in files[0].groups for rule in group.rules]
    assert cost.rules == len(rules)
    counted = sum(
        touched(prometheus, rule.expr) / (group.interval / timedelta(minutes=1))
        for group, rule in rules
        if isinstance(rule, RecordingRule)
    )
    assert cost.own_samples
    assert cost.samples_per_minute == pytest.approx(counted, rel=0.1)
