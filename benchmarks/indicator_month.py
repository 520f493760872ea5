"""Every kind of indicator with a known truth: traffic seasons, restarts and incidents, all from a seed.

A *case* is one SLO with the series that it reads and, for each of its groups, how many of its units (events, minutes)
there were and how many were bad in each step of 30 seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controlplane.model.slo import (
    SLO,
    BoolIndicator,
    Comparison,
    CompositeIndicator,
    CompositePart,
    Indicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    RollingWindow,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from controlplane.model.source import SourcePosition
from slo.indicators.composite import composite_objective

STEP_SECONDS: Final = 30
STEPS_A_MINUTE: Final = 60 // STEP_SECONDS
STEPS_A_DAY: Final = 86_400 // STEP_SECONDS
PODS: Final = 3
SCANNED: Final = 30  # series that a set of raw scans reads of a wide case: as many as in `benchmarks.rules`
Numbers = NDArray[np.float64]
Group = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """What there was in each step: all units, and the bad ones."""

    all: Numbers
    bad: Numbers

    def remaining(self, budget_ratio: float, window_steps: int) -> Numbers:
        """The budget left after each step: 1 − bad ÷ (budget ratio × all ÷ covered share of the window).

        NaN is time that was not there to be measured.
        """
        covered = np.minimum(np.cumsum(np.isfinite(self.all)) / window_steps, 1)
        bad, every = (np.cumsum(np.nan_to_num(each)) for each in (self.bad, self.all))
        with np.errstate(invalid="ignore", divide="ignore"):
            left: Numbers = 1 - bad / (budget_ratio * every / covered)
        return left


@dataclass(frozen=True, slots=True)
class Histogram:
    """A native histogram: cumulative counts of what is within 0.5 and of what is not."""

    labels: Mapping[str, str]
    fast: Numbers
    slow: Numbers


@dataclass(frozen=True, slots=True)
class Case:
    """One SLO, its series, its truth by group, and what a set of 14 raw scans would ask (None where it cannot)."""

    kind: str
    slo: SLO
    truth: Mapping[Group, Truth]
    series: tuple[tuple[Mapping[str, str], Numbers], ...] = ()
    histograms: tuple[Histogram, ...] = ()
    classic: Callable[[str], str] | None = None


@dataclass(slots=True)
class _Making:
    """One case in the making."""

    name: str
    rng: np.random.Generator
    days: int
    budget: float
    pods: int = PODS
    series: list[tuple[Mapping[str, str], Numbers]] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return self.days * STEPS_A_DAY

    def events(self, mean: float | None = None) -> tuple[Numbers, Numbers]:
        """Good and bad events by pod and step."""
        mean = mean or float(10 ** self.rng.uniform(0.6, 1.8))
        day = np.arange(self.steps) / STEPS_A_DAY
        shape = 1 + self.rng.uniform(0.1, 0.7) * np.sin(2 * np.pi * (day + self.rng.uniform()))
        bad = self.bad_share()
        per_pod = mean * shape * STEP_SECONDS / self.pods
        good, failed = (
            self.rng.poisson(per_pod * share, size=(self.pods, self.steps)).astype(np.float64)
            for share in (1 - bad, bad)
        )
        return good, failed

    def bad_share(self) -> Numbers:
        """A little all the time, and a few incidents."""
        share = np.full(self.steps, self.budget * self.rng.uniform(0.05, 0.3))
        for _ in range(max(2, self.days // 8)):
            minutes = float(np.exp(self.rng.uniform(np.log(3), np.log(90))))
            start = int(self.rng.integers(STEPS_A_DAY // 8, self.steps - STEPS_A_DAY // 8))
            end = start + round(minutes * STEPS_A_MINUTE)
            share[start:end] = min(1.0, self.budget * self.days * float(self.rng.uniform(2, 12)) * 30 / minutes)
        return share

    def counter(self, metric: str, labels: Mapping[str, str], events: Numbers) -> None:
        """Counters of all pods, which restart once in a while, each at its own time; declared with their pods."""
        for pod in range(self.pods):
            values = np.cumsum(events[pod])
            for restart in range(1, self.days + 1, 3):
                at = min(self.steps - 1, int((restart + 0.13 * pod + 0.2) * STEPS_A_DAY / 1.7))
                values[at:] -= values[at - 1]
            self.series.append(({"__name__": metric, "job": self.name, "instance": f"p{pod}", **labels}, values))

    def case(
        self,
        kind: str,
        indicator: Indicator,
        truth: Mapping[Group, Truth] | Truth,
        classic: Callable[[str], str] | None = None,
        **more: object,
    ) -> Case:
        by_group = {(): truth} if isinstance(truth, Truth) else truth
        histograms = more.pop("histograms", ())
        slo = SLO(
            self.name,
            "shop",
            1 - Decimal(str(self.budget)),
            RollingWindow(timedelta(days=self.days)),
            indicator,
            SourcePosition("benchmark", 1, 1),
            **more,  # type: ignore[arg-type]
        )
        return Case(kind, slo, by_group, tuple(self.series), histograms, classic)  # type: ignore[arg-type]


def query(text: str) -> Query:
    """A query that stands in no file."""
    return Query(text, SourcePosition("benchmark", 1, 1))


def _pair(good: Numbers, bad: Numbers) -> Truth:
    return Truth((good + bad).sum(axis=0), bad.sum(axis=0))


def _ratio(total: str, bad: str) -> Callable[[str], str]:
    return lambda window: f"sum(rate({bad}[{window}])) / sum(rate({total}[{window}]))"


def ratio_of_bad(make: _Making) -> Case:
    """Errors and requests are different metrics."""
    good, bad = make.events()
    make.counter("requests_total", {"code": "200"}, good)
    make.counter("requests_total", {"code": "500"}, bad)
    make.counter("errors_total", {}, bad)
    total, failed = f'requests_total{{job="{make.name}"}}', f'errors_total{{job="{make.name}"}}'
    indicator = RatioIndicator(query(total), query(failed), None)
    return make.case("ratio, bad", indicator, _pair(good, bad), _ratio(total, failed))


def ratio_of_good(make: _Making) -> Case:
    good, bad = make.events()
    make.counter("requests_total", {"code": "200"}, good)
    make.counter("requests_total", {"code": "500"}, bad)
    total, fine = f'requests_total{{job="{make.name}"}}', f'requests_total{{job="{make.name}",code!~"5.."}}'
    indicator = RatioIndicator(query(f"sum(rate({total}[1m]))"), None, query(f"sum(rate({fine}[1m]))"))
    return make.case("ratio, good", indicator, _pair(good, bad), _ratio(total, fine))


def latency(make: _Making) -> Case:
    good, bad = make.events()
    make.counter("latency_seconds_bucket", {"le": "0.3"}, good)
    make.counter("latency_seconds_bucket", {"le": "+Inf"}, good + bad)
    make.counter("latency_seconds_count", {}, good + bad)
    within, total = (
        f'latency_seconds_bucket{{job="{make.name}",le="0.3"}}',
        f'latency_seconds_count{{job="{make.name}"}}',
    )
    indicator = LatencyIndicator(query(within), query(total), Decimal("0.3"))
    return make.case("latency, classic histogram", indicator, _pair(good, bad), _ratio(total, within))


def native_latency(make: _Making) -> Case:
    good, bad = make.events()
    histograms = tuple(
        Histogram(
            {"__name__": "native_seconds", "job": make.name, "instance": f"p{pod}"},
            *map(np.cumsum, (good[pod], bad[pod])),
        )
        for pod in range(make.pods)
    )
    selector = f'native_seconds{{job="{make.name}"}}'
    indicator = NativeLatencyIndicator(query(selector), Decimal("0.5"))

    def classic(window: str) -> str:
        return f"1 - histogram_fraction(0, 0.5, sum(rate({selector}[{window}])))"

    return make.case("latency, native histogram", indicator, _pair(good, bad), classic, histograms=histograms)


def raw_ratio(make: _Making) -> Case:
    """Each minute as heavy as any other; the ratio is that of its last 5 minutes."""
    good, bad = make.events()
    make.counter("requests_total", {"code": "200"}, good)
    make.counter("requests_total", {"code": "500"}, bad)
    total, failed = f'requests_total{{job="{make.name}"}}', f'requests_total{{job="{make.name}",code=~"5.."}}'
    text = f"sum(rate({failed}[{{{{.window}}}}])) / sum(rate({total}[{{{{.window}}}}]))"
    indicator = RawRatioIndicator(query(text), is_failure=True)
    truth = _each_minute(_share(_pair(good, bad), 5))
    return make.case("raw ratio", indicator, truth, lambda window: text.replace("{{.window}}", window))


def bool_gauge(make: _Making) -> Case:
    targets = make.pods
    up = (make.rng.random((targets, make.steps)) >= make.bad_share()).astype(np.float64)
    for target in range(targets):
        make.series.append(({"__name__": "probe_success", "job": make.name, "instance": f"t{target}"}, up[target]))
    selector = f'probe_success{{job="{make.name}"}}'
    truth = Truth(np.full(make.steps, 0.5 * targets), 0.5 * (1 - up).sum(axis=0))
    return make.case(
        "bool gauge",
        BoolIndicator(query(selector)),
        truth,
        lambda window: f"1 - avg(avg_over_time({selector}[{window}]))",
    )


def threshold(make: _Making) -> Case:
    high = make.rng.random(make.steps // 10) < make.bad_share()[::10]
    lag = np.repeat(np.where(high, 900.0, 20.0), 10) + make.rng.random(make.steps)  # levels of five minutes
    make.series.append(({"__name__": "queue_lag", "job": make.name}, lag))
    indicator = ThresholdIndicator(query(f'queue_lag{{job="{make.name}"}}'), Comparison.AT_MOST, Decimal(500))
    return make.case("threshold", indicator, Truth(np.full(make.steps, 0.5), 0.5 * (lag > 500)))


def gauges(make: _Making) -> Case:
    """Replicas that are ready and wanted, in replica-minutes."""
    wanted = 20 + np.floor(10 * make.rng.random(make.days * 24)).repeat(STEPS_A_DAY // 24)
    lost = make.rng.binomial(wanted.astype(np.int64), make.bad_share()).astype(np.float64)
    make.series.append(({"__name__": "replicas_wanted", "job": make.name}, wanted))
    make.series.append(({"__name__": "replicas_ready", "job": make.name}, wanted - lost))
    ready, total = (query(f'replicas_{what}{{job="{make.name}"}}') for what in ("ready", "wanted"))
    return make.case("ratio of gauges", RatioIndicator(total, None, ready, gauges=True), Truth(wanted / 2, lost / 2))


def _slices(make: _Making, *, minutes: int, target: float | None) -> tuple[TimeslicesIndicator, Truth]:
    good, bad = make.events()
    make.counter("requests_total", {"code": "200"}, good)
    make.counter("requests_total", {"code": "500"}, bad)
    total, failed = f'requests_total{{job="{make.name}"}}', f'requests_total{{job="{make.name}",code=~"5.."}}'
    of = RatioIndicator(query(total), query(failed), None)
    wanted = None if target is None else Decimal(str(target))
    share = _share(_pair(good, bad), minutes)
    bad_slices = share if target is None else (share > 1 - target + 1e-9).astype(np.float64)
    return TimeslicesIndicator(of, timedelta(minutes=minutes), wanted), _each_minute(bad_slices)


def timeslices(make: _Making) -> Case:
    return make.case("time slices", *_slices(make, minutes=5, target=0.95))


def short_timeslices(make: _Making) -> Case:
    return make.case("time slices of a minute", *_slices(make, minutes=1, target=0.95))


def ratio_timeslices(make: _Making) -> Case:
    return make.case("ratio time slices", *_slices(make, minutes=10, target=None))


def composite(make: _Making) -> Case:
    """Three parts: requests, their latency, and probes; much traffic and little."""
    good, bad = make.events()
    make.counter("requests_total", {"code": "200"}, good)
    make.counter("requests_total", {"code": "500"}, bad)
    fast, slow = make.events(mean=1.5)
    make.counter("latency_seconds_bucket", {"le": "0.3"}, fast)
    make.counter("latency_seconds_count", {}, fast + slow)
    own = f'job="{make.name}"'
    requests = RatioIndicator(query(f"requests_total{{{own}}}"), query(f'requests_total{{{own},code=~"5.."}}'), None)
    speed = LatencyIndicator(
        query(f'latency_seconds_bucket{{{own},le="0.3"}}'), query(f"latency_seconds_count{{{own}}}"), Decimal("0.3")
    )
    budget = Decimal(str(make.budget))
    parts = (
        CompositePart("requests", requests, 1 - budget / 2, Decimal("0.75")),  # 1 in all: spends about as other kinds
        CompositePart("speed", speed, 1 - budget * Decimal("2.5"), Decimal("0.25")),
    )
    truths = (_pair(good, bad), _pair(fast, slow))
    made = CompositeIndicator(parts)
    make.budget = float(1 - composite_objective(made))
    # The burn rate of the window so far is the sum of weight × burn rate of the parts.
    bad_share = np.zeros(make.steps)
    for part, truth in zip(parts, truths, strict=True):
        weight = float(part.weight) * make.budget / float(1 - part.objective)
        bad_share += weight * np.cumsum(truth.bad) / np.cumsum(truth.all)
    whole = np.arange(1, make.steps + 1)
    summed = Truth(np.ones(make.steps), np.diff(bad_share * whole, prepend=0))
    return make.case("composite", made, summed)


def grouped(make: _Making) -> Case:
    """Three tenants with traffic of their own; the third comes when a third of the time is over."""
    truths: dict[Group, Truth] = {}
    for number, tenant in enumerate(("acme", "globex", "initech")):
        good, bad = make.events()
        begin = make.steps // 3 if number == 2 else 0
        for events, code in ((good, "200"), (bad, "500")):
            events[:, :begin] = 0
            before = len(make.series)
            make.counter("requests_total", {"code": code, "tenant": tenant}, events)
            for _, values in make.series[before:]:
                values[:begin] = np.nan
        truths[(tenant,)] = Truth(*(np.where(np.arange(make.steps) < begin, np.nan, each) for each in _both(good, bad)))
    total, failed = f'requests_total{{job="{make.name}"}}', f'requests_total{{job="{make.name}",code=~"5.."}}'
    indicator = RatioIndicator(query(f"sum(rate({total}[5m]))"), query(f"sum(rate({failed}[5m]))"), None)

    def classic(window: str) -> str:
        return f"sum by (tenant) (rate({failed}[{window}])) / sum by (tenant) (rate({total}[{window}]))"

    return make.case("groups", indicator, truths, classic, groups=("tenant",))


def newborn(make: _Making) -> Case:
    """Error counters that are born with their first error, on every route of every pod, and die with it."""
    routes = 20
    make.budget = float(make.rng.choice([0.002, 0.001]))
    good, bad = make.events()
    make.counter("requests_total", {"code": "200", "route": "all"}, good)
    for pod in range(make.pods):
        routed = make.rng.multinomial(bad[pod].astype(np.int64), np.full(routes, 1 / routes)).T.astype(np.float64)
        for route in range(routes):
            values = np.cumsum(routed[route])
            for day in range(1, make.days + 1):
                at = min(make.steps - 1, int((day - 0.4 + 0.13 * pod) * STEPS_A_DAY))
                values[at:] -= values[at - 1]
            labels = {"__name__": "requests_total", "job": make.name, "instance": f"p{pod}"}
            values[values == 0] = np.nan
            make.series.append(({**labels, "code": "500", "route": f"r{route}"}, values))
    total, failed = f'requests_total{{job="{make.name}"}}', f'requests_total{{job="{make.name}",code=~"5.."}}'
    return make.case(
        "newborn counters", RatioIndicator(query(total), query(failed), None), _pair(good, bad), _ratio(total, failed)
    )


KINDS: Final = (
    ratio_of_bad, ratio_of_good, latency, native_latency, raw_ratio, bool_gauge, threshold, gauges,
    timeslices, short_timeslices, ratio_timeslices, composite, grouped, newborn,
)  # fmt: skip


_SCANNED_A_POD: Final = {
    ratio_of_bad: 3, ratio_of_good: 3, latency: 2, native_latency: 1, raw_ratio: 3, bool_gauge: 1, grouped: 3,
}  # fmt: skip


def wide_cases(days: int, seed: int = 20) -> list[Case]:
    """One case of every kind that a set of raw scans can measure, of which that would read `SCANNED` series."""
    found = []
    for kind, scanned in _SCANNED_A_POD.items():
        rng = np.random.default_rng([seed, 1000, *kind.__name__.encode()])
        found.append(kind(_Making(f"{kind.__name__.replace('_', '-')}-wide", rng, days, 0.01, SCANNED // scanned)))
    return found


def cases(days: int, each: int, seed: int = 20) -> list[Case]:
    """`each` cases of every kind, over so many days."""
    found = []
    for kind in KINDS:
        for number in range(each):
            rng = np.random.default_rng([seed, number, *kind.__name__.encode()])
            name = f"{kind.__name__.replace('_', '-')}-{number}"
            budget = float(rng.choice([0.05, 0.02, 0.01]))
            found.append(kind(_Making(name, rng, days, budget)))
    return found


def _both(good: Numbers, bad: Numbers) -> tuple[Numbers, Numbers]:
    truth = _pair(good, bad)
    return truth.all, truth.bad


def _share(truth: Truth, minutes: int) -> Numbers:
    """The share of bad events of the last `minutes`, at the end of each minute; NaN without events."""
    per_minute = [each.reshape(-1, STEPS_A_MINUTE).sum(axis=1) for each in (truth.bad, truth.all)]
    bad, every = (_last(each, minutes) for each in per_minute)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(bad / every)


def _last(values: Numbers, window: int) -> Numbers:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(sums[1:] - sums[np.maximum(np.arange(1, len(sums)) - window, 0)])


def _each_minute(bad: Numbers) -> Truth:
    """Minutes as units, each known at its end."""
    ends = np.zeros(len(bad) * STEPS_A_MINUTE)
    every = ends.copy()
    known = np.isfinite(bad)
    ends[STEPS_A_MINUTE - 1 :: STEPS_A_MINUTE] = np.where(known, bad, 0)
    every[STEPS_A_MINUTE - 1 :: STEPS_A_MINUTE] = known
    return Truth(every, ends)
