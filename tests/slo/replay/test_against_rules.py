"""The model against the compiled rules themselves, both over the same past of a real Prometheus."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.prometheus_data import Backend, Column, Result
from benchmarks.replay import replay as evaluated
from controlplane import conventions as names
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.burn_rate import Urgency
from controlplane.model.alerting import Alerting, AlertMethod
from controlplane.model.exclusion import Exclusion
from controlplane.model.series import Sample, Series
from controlplane.model.slo import SLO, CalendarUnit, CalendarWindow
from controlplane.ports import Permanent, Transient
from flyball.demo import servers
from slo.compiler import compile_rules
from slo.indicators.indicator import pair_over_past
from slo.replay.conditions import alert_states
from slo.replay.counts import counts_of
from slo.replay.definition import Definition
from slo.replay.fetching import Asked, Fetcher
from slo.replay.history import MINUTE
from slo.replay.outcome import outcome_of
from slo.replay.pairs import History, Question, histories
from slo.replay.periods import periods_of
from slo.replay.run import ReplayOptions, replay, span_of
from tests.slo.slos import an_slo, good_requests, latency, requests

END = datetime(2026, 3, 5, tzinfo=UTC)
DAYS = 3
START = END - timedelta(days=DAYS)
MINUTES = DAYS * 1440
OPTIONS = ReplayOptions(START, END)
TENANTS = ("acme", "zeta")
EXCLUDED = Exclusion(
    "move", "ops", "moving", END, ((START + timedelta(minutes=2000), START + timedelta(minutes=2090)),)
)
BASE = an_slo("by-bad", requests("api"), "0.99", days=2)
SLOS = (
    BASE,
    replace(BASE, name="by-good", indicator=good_requests("api")),
    replace(BASE, name="fast", indicator=latency("api")),
    replace(BASE, name="per-tenant", groups=("tenant",)),
    replace(BASE, name="by-rate", alerting=Alerting(method=AlertMethod.BURN_RATE)),
    replace(BASE, name="excluded", exclusions=(EXCLUDED,)),
    replace(BASE, name="of-a-day", window=CalendarWindow(1, CalendarUnit.DAY, "2026-01-01T00:00:00", "Europe/Berlin")),
)


def errors() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Bad events per minute of 600: a quiet background, an outage, a slow burn, and another outage."""
    bad = np.full(MINUTES, 1.0)
    bad[1500:1512] = 600
    bad[2000:2080] = 90
    bad[2900:4000] = 12
    bad[4100:4130] = 300
    return bad


def with_births(times: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[Column]:
    """A service whose error series are born with their first errors, one together with its whole target."""
    columns: list[Column] = []
    for instance, code, first, each in (
        ("a", "200", 0, 600),
        ("a", "500", 1000, 40),
        ("a", "503", 3001, 7),
        ("b", "500", 3500, 9),
    ):
        labels = {"__name__": "http_requests_total", "job": "growing", "instance": instance, "code": code}
        columns.append((labels, times[first:], each + np.zeros(MINUTES - first)))
    return columns


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="14600d", block_duration="14600d", retention="14600d") as server:
        times = START.timestamp() + 60 * np.arange(1, MINUTES + 1, dtype=np.float64)
        bad = errors()
        night = np.where(np.arange(MINUTES) % 1440 < 60, 0.0, 60.0)
        columns: list[Column] = []
        for tenant in TENANTS:
            scale = 1 if tenant == "acme" else 0.2  # zeta's errors stay below its budget's limits, or come later
            for code, each in (("200", 600 - bad * scale), ("500", bad * scale)):
                labels = {"job": "api", "instance": "a", "tenant": tenant, "code": code}
                columns.append(({"__name__": "http_requests_total", **labels}, times, np.cumsum(each)))
        for le, each in (("0.3", 600 - bad), ("+Inf", np.full(MINUTES, 600.0))):
            labels = {"job": "api", "instance": "a", "le": le}
            columns.append(({"__name__": "http_request_duration_seconds_bucket", **labels}, times, np.cumsum(each)))
        whole = np.cumsum(np.full(MINUTES, 600.0))
        columns.append(
            ({"__name__": "http_request_duration_seconds_count", "job": "api", "instance": "a"}, times, whole)
        )
        labels = {"__name__": "http_requests_total", "job": "night", "instance": "b", "code": "200"}
        columns.append((labels, times, np.cumsum(night)))
        columns += with_births(times)
        Backend(server.url).write(columns)
        yield server.url


@pytest.fixture(scope="module")
def recorded(prometheus: str) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    for slo in SLOS:
        groups = [group for file in compile_rules([slo]) for group in file.groups]
        made = evaluated(Backend(prometheus), groups, round(START.timestamp()) + 60, round(END.timestamp()))
        for name, results in made.items():
            found.setdefault(name, []).extend(results)
    return found


@pytest.fixture(scope="module")
def backend(prometheus: str) -> Iterator[PrometheusBackend]:
    found = PrometheusBackend(prometheus)
    yield found
    found.close()


def judged(slo: SLO, backend: PrometheusBackend) -> list[History]:
    question = Question((definition(slo),), counts_of(slo, END))
    return histories(question, span_of([slo], OPTIONS), Fetcher(backend))


def definition(slo: SLO) -> Definition:
    return Definition(slo, periods_of(slo.window, span_of([slo], OPTIONS)))


def of(results: list[Result], slo: SLO, group: dict[str, str]) -> list[Result]:
    wanted = {names.SLO: slo.name, **group}
    return [result for result in results if wanted.items() <= result.labels.items()]


def minutes_of(results: list[Result], every: int = 1) -> set[int]:
    """Minutes in which an alert fires; between evaluations it stays as it was."""
    found: set[int] = set()
    for result in results:
        if result.labels["alertname"] == names.ALERT_BURN:
            at = np.rint((result.times - START.timestamp()) / 60).astype(int)
            found.update(int(minute + later) for minute in at for later in range(every))
    return {minute for minute in found if minute <= MINUTES}


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
@pytest.mark.parametrize("urgency", Urgency, ids=lambda urgency: urgency.value)
def test_alerts_fire_in_the_minutes_in_which_the_rules_do(
    slo: SLO, urgency: Urgency, backend: PrometheusBackend, recorded: dict[str, list[Result]]
) -> None:
    by_rate = slo.alerting.method is AlertMethod.BURN_RATE
    for each in judged(slo, backend):
        events = definition(slo).seen(each.events)
        states = alert_states(slo, events, definition(slo).periods)
        firing = states.page if urgency is Urgency.PAGE else states.ticket | (states.muted if by_rate else False)
        ours = {int(at) + events.span.first - round(START.timestamp()) // 60 for at in np.flatnonzero(firing)}
        every = 5 if urgency is Urgency.TICKET and not by_rate else 1
        theirs = minutes_of(of(recorded.get(f"ALERTS-{urgency.value}", []), slo, dict(each.group)), every)
        assert len(ours ^ theirs) <= 8, sorted(ours ^ theirs)


def test_somebody_is_told_by_most_of_them(recorded: dict[str, list[Result]]) -> None:
    """Or the comparison above would compare nothing."""
    paged = {result.labels[names.SLO] for result in recorded["ALERTS-page"]}
    assert paged == {"by-bad", "by-good", "fast", "per-tenant", "by-rate", "excluded", "of-a-day"}
    assert {result.labels[names.SLO] for result in recorded["ALERTS-ticket"]} >= {"by-rate"}


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_budgets_take_the_course_that_the_rules_record(
    slo: SLO, backend: PrometheusBackend, recorded: dict[str, list[Result]]
) -> None:
    for each in judged(slo, backend):
        course = outcome_of(definition(slo), each.events).course
        (real,) = of(recorded[names.BUDGET_REMAINING], slo, dict(each.group))
        known = dict(zip(real.times, real.values, strict=True))
        (covered,) = of(recorded[names.WINDOW_COVERAGE], slo, dict(each.group))
        coverage = dict(zip(covered.times, covered.values, strict=True))
        compared = 0
        for point in course:
            if point.remaining is not None and point.at.timestamp() in known and point.coverage > 0.1:
                # The ledger of the rules is up to 10 minutes behind; the model's point is the lowest of its step.
                nearby = [known.get(point.at.timestamp() + 300 * step) for step in range(-1, 4)]
                assert min(abs(point.remaining - value) for value in nearby if value is not None) < 0.025
                if point.at > START + timedelta(days=1):  # the rules begin with nothing recorded
                    assert point.coverage == pytest.approx(coverage[point.at.timestamp()], abs=0.01)
                compared += 1
        assert compared > 100


@pytest.mark.parametrize("slo", SLOS, ids=lambda slo: slo.name)
def test_what_is_asked_for_is_the_indicators_own_pair(slo: SLO, backend: PrometheusBackend) -> None:
    fetcher, counts, pair = Fetcher(backend), counts_of(slo, END), pair_over_past(slo, end=END)
    first, end = round(START.timestamp() / 60) + 1400, round(END.timestamp() / 60)
    every, counted, bad = (
        fetcher.arrays(Asked(expr, first, end, 1), slo.groups) for expr in (counts.every, counts.counted, pair.bad)
    )
    assert bad
    for group, expected in bad.items():
        made = counts.bad(every[group], counted.get(group, np.full(len(expected), np.nan)))
        np.testing.assert_allclose(made, expected, atol=1e-6)


@pytest.mark.parametrize("weak", [None, 2000])
def test_errors_that_a_series_is_born_with_are_counted_wherever_they_are_asked_for(
    backend: PrometheusBackend, weak: int | None
) -> None:
    slo = replace(BASE, name="growing", indicator=requests("growing"))
    counts, span = counts_of(slo, END), span_of([slo], OPTIONS)
    asking = Fetcher(Weak(backend, weak) if weak else backend)
    (found,) = histories(Question((Definition(slo),), counts, every_minute=True), span, asking)
    expected = Fetcher(backend).arrays(Asked(pair_over_past(slo, end=END).bad, span.first, span.end, 1), ())[()]
    np.testing.assert_allclose(found.events.bad, expected, atol=1e-6)
    assert counts.births is not None
    assert np.nanmax(expected) == 40
    assert sorted(set(expected[expected > 0])) == [7, 40]


class Weak:
    """A backend that bears no more than so many points of a series at once, and counts what it is asked."""

    def __init__(self, backend: PrometheusBackend, most: int) -> None:
        self._backend, self._most = backend, most
        self.asked = 0

    def query(self, expr: str, at: datetime) -> list[Sample]:
        return self._backend.query(expr, at)

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        self.asked += 1
        if (end - start) / step > self._most:
            raise Permanent("query processing would load too many samples into memory in query execution")
        return self._backend.query_range(expr, start, end, step)


def test_what_is_too_much_for_prometheus_is_asked_in_smaller_pieces(backend: PrometheusBackend) -> None:
    weak = Weak(backend, most=200)
    assert replay([BASE], weak, OPTIONS).budgets == replay([BASE], backend, OPTIONS).budgets
    assert weak.asked > 20
    with pytest.raises(Permanent, match="too many samples"):
        replay([BASE], Weak(backend, most=10), OPTIONS)


def test_a_prometheus_that_is_gone_is_not_asked_again_and_again(backend: PrometheusBackend) -> None:
    class Gone(Weak):
        def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
            self.asked += 1
            raise Transient("connection refused")

    gone = Gone(backend, 0)
    with pytest.raises(Transient, match="refused"):
        replay([BASE], gone, OPTIONS)
    assert gone.asked == 1


def test_the_definition_that_is_live_is_judged_beside_the_proposed_one(backend: PrometheusBackend) -> None:
    loose = replace(BASE, objective=BASE.objective - BASE.budget_ratio * 8)
    (same_events,) = replay([BASE], backend, OPTIONS, current=[loose]).budgets
    assert same_events.current is not None
    assert same_events.current.slo == loose
    assert len(same_events.proposed.told(Urgency.PAGE)) > len(same_events.current.told(Urgency.PAGE))
    other = replace(BASE, indicator=requests("night"))
    (other_events,) = replay([BASE], backend, OPTIONS, current=[other]).budgets
    assert other_events.current is not None
    assert other_events.current.every < other_events.proposed.every
    assert other_events.proposed.notifications == same_events.proposed.notifications
    assert replay([BASE], backend, OPTIONS).budgets[0].current is None


def test_every_value_of_a_group_has_a_budget_of_its_own(backend: PrometheusBackend) -> None:
    found = replay([SLOS[3]], backend, OPTIONS).budgets
    assert [budget.name for budget in found] == ["per-tenant (tenant=acme)", "per-tenant (tenant=zeta)"]
    acme, zeta = (budget.proposed.remaining for budget in found)
    assert acme is not None
    assert zeta is not None
    assert acme < zeta


def test_a_replay_of_what_prometheus_does_not_know_says_so(backend: PrometheusBackend) -> None:
    (ghost,) = replay([replace(BASE, indicator=requests("ghost"))], backend, OPTIONS).budgets
    assert ghost.proposed.coverage == 0
    assert ghost.proposed.remaining is None
    assert ghost.suggestion is None
    assert ghost.proposed.gaps[0].end - ghost.proposed.gaps[0].start == timedelta(days=DAYS) + MINUTE
