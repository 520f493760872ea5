"""What Prometheus knows about money, in a number of queries that does not grow with the number of budgets.

Everything here is read from series that our own rules and exporters write (`controlplane.conventions`); a missing
series stays missing (`None`). Prometheus answers in floats: they become `Decimal` here, digit for digit.
Errors of the backend (`Transient`, `Permanent`) pass through.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Sample
from controlplane.ports import MetricsBackend

LEDGER_LOOKBACK: Final = "15m"  # three evaluations of the 5-minute group: one may be late, one may fail
_HOURS: Final = 12  # rolling series hold the money of 5 minutes
_LEDGER_NAMES: Final = (
    names.BUDGET_AMOUNT,
    names.BUDGET_SPENT,
    names.BUDGET_SPENT_RATIO,
    names.BUDGET_PACE_RATIO,
    names.BUDGET_COVERAGE,
    names.BUDGET_START,
)
_OTHERS: Final = f"last_over_time({names.BUDGET_OTHER_CURRENCY}[{LEDGER_LOOKBACK}]) > 0"
_GAUGES: Final = (
    names.BUDGET_EXPECTED,
    names.BUDGET_FORECAST,
    names.BUDGET_FORECAST_AT,
    names.BUDGET_FORECAST_ERROR,
    names.BUDGET_FORECAST_COVERAGE,
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the window will have cost at its end: `low` to `high` in 80 of 100 cases."""

    low: Decimal
    middle: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class BudgetMeasured:
    """One budget as measured at one moment, in its currency; None means that Prometheus has no such series then.

    `spent_ratio` and `pace_ratio` are shares of the amount: what was spent, and what should have been by now.
    `hourly` is the spending of an hour by the mean of the last one, `expected_hourly` what the pace expects of an hour
    now. `burn` holds burn rates by window (`1h`). `no_outlook` is why there is no forecast, as the forecaster says.
    `others` are currencies of spend in its scope that it does not count. `firing`: severities, `page` first.
    `begun` is when the window began that all of this is about.
    """

    amount: Decimal | None = None
    spent: Decimal | None = None
    spent_ratio: float | None = None
    pace_ratio: float | None = None
    coverage: float | None = None
    hourly: Decimal | None = None
    expected_hourly: Decimal | None = None
    burn: Mapping[str, float] = field(default_factory=dict)
    outlook: Outlook | None = None
    outlook_at: datetime | None = None
    no_outlook: str = ""
    others: tuple[str, ...] = ()
    past_error: float | None = None
    past_coverage: float | None = None
    firing: tuple[str, ...] = ()
    begun: datetime | None = None


NOT_MEASURED: Final = BudgetMeasured()


@dataclass(frozen=True, slots=True)
class UnitCostMeasured:
    """One unit cost, or one part of it where it is split: what it costs, and what it may cost at most."""

    name: str
    currency: str
    part: tuple[tuple[str, str], ...]
    cost: Decimal
    target: Decimal | None


@dataclass(frozen=True, slots=True)
class BilledSource:
    """One source of bills. `faults` are rows of its latest import by fault; `until` the end of its latest charges."""

    name: str
    until: datetime | None = None
    rows: int | None = None
    faults: tuple[tuple[str, int], ...] = ()

    @property
    def faulty(self) -> int:
        """Rows with a fault; a row with two is counted twice."""
        return sum(count for _, count in self.faults)


@dataclass(frozen=True, slots=True)
class Grounds:
    """How far the figures can be trusted.

    `prices` are the prices that were seen and when their usage was last measured.
    `corrections` are billed ÷ estimated by service and currency; `unpriced` units of usage of the last 5 minutes by
    price, resource and model; `silent` prices that stand still.
    """

    prices: tuple[tuple[str, datetime], ...] = ()
    sources: tuple[BilledSource, ...] = ()
    corrections: tuple[tuple[str, str, float], ...] = ()
    unpriced: tuple[tuple[str, float], ...] = ()
    silent: tuple[str, ...] = ()

    @property
    def live_until(self) -> datetime | None:
        """When any usage was last measured."""
        return max((at for _, at in self.prices), default=None)


@dataclass(frozen=True, slots=True)
class MoneyMeasured:
    """All that the list of budgets shows of Prometheus."""

    budgets: Mapping[str, BudgetMeasured]
    unit_costs: tuple[UnitCostMeasured, ...]
    grounds: Grounds


def fetch_money(metrics: MetricsBackend, now: datetime) -> MoneyMeasured:
    """Everything, in about a dozen instant queries."""
    return MoneyMeasured(fetch_budgets(metrics, now), fetch_unit_costs(metrics, now), fetch_grounds(metrics, now))


def fetch_budgets(metrics: MetricsBackend, now: datetime) -> dict[str, BudgetMeasured]:
    """Every budget that Prometheus has series of. Several series of one budget (replicas) are read as the highest."""
    samples = metrics.query(f"last_over_time({_any_of(_LEDGER_NAMES)}[{LEDGER_LOOKBACK}])", now)
    samples += metrics.query(_any_of(_GAUGES), now)
    burns = metrics.query(f'{{__name__=~"{names.budget_burn_rate(".+")}"}}', now)
    hourly = metrics.query(f"avg_over_time({names.BUDGET_ROLLING}[1h]) * {_HOURS} and {names.BUDGET_ROLLING}", now)
    firing = metrics.query(f'ALERTS{{{names.BUDGET}!="",alertstate="firing"}}', now)
    table: dict[str, dict[str, float]] = defaultdict(dict)
    for budget, key, value in [*_keyed(samples), *_keyed(burns), *_keyed(hourly, "hourly")]:
        table[budget][key] = max(value, table[budget].get(key, value))
    severities, others = _listed(firing, names.SEVERITY), _listed(metrics.query(_OTHERS, now), names.CURRENCY)
    missing = _listed(metrics.query(f"{names.BUDGET_FORECAST_MISSING} == 1", now), "reason")
    return {
        budget: replace(
            _budget(table.get(budget, {}), severities.get(budget, ())),
            others=others.get(budget, ()),
            no_outlook=", ".join(missing.get(budget, ())).replace("_", " "),
        )
        for budget in table.keys() | severities.keys() | others.keys() | missing.keys()
        if budget
    }


def _listed(samples: Iterable[Sample], label: str) -> dict[str, tuple[str, ...]]:
    """The values of a label, sorted, by budget."""
    found: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        found[sample.labels.get(names.BUDGET, "")].add(sample.labels.get(label, ""))
    return {budget: tuple(sorted(values)) for budget, values in found.items()}


def fetch_unit_costs(metrics: MetricsBackend, now: datetime) -> tuple[UnitCostMeasured, ...]:
    """Every unit cost and its parts, in two queries, furthest above its target first."""
    costs = metrics.query(f"last_over_time({names.UNIT_COST_RATIO}[{LEDGER_LOOKBACK}])", now)
    targets = {
        (it.labels.get(names.UNIT_COST, ""), it.labels.get(names.CURRENCY, "")): it.value
        for it in metrics.query(f"last_over_time({names.UNIT_COST_TARGET}[{LEDGER_LOOKBACK}])", now)
        if math.isfinite(it.value)
    }
    found = [_unit_cost(it, targets) for it in costs if math.isfinite(it.value) and it.labels.get(names.UNIT_COST)]
    return tuple(sorted(found, key=lambda it: (-(over_target(it) or 0.0), it.name, it.currency, it.part)))


def over_target(it: UnitCostMeasured) -> float | None:
    """Cost ÷ target; None without a target."""
    return float(it.cost / it.target) if it.target else None


def fetch_grounds(metrics: MetricsBackend, now: datetime) -> Grounds:
    """How fresh and how whole the two ledgers are, in four queries."""
    gauges = (names.BILLED_UNTIL, names.BILLED_FAULTS, names.BILLED_ROWS, names.CORRECTION_RATIO)
    health = [it for it in metrics.query(_any_of(gauges), now) if math.isfinite(it.value)]
    live = metrics.query(f"max by ({names.PRICE}) ({names.USAGE_AT})", now)
    by = f"{names.PRICE}, {names.RESOURCE}, model"
    unpriced = metrics.query(f"topk(20, sum by ({by}) ({names.UNPRICED_USAGE}) > 0)", now)
    stale = f'alertname="{names.ALERT_COST_STALE}",{names.BUDGET}="",alertstate="firing"'
    silent = metrics.query(f"ALERTS{{{stale}}}", now)
    ratios = {
        (it.labels.get(names.SERVICE, ""), it.labels.get(names.CURRENCY, "")): it.value
        for it in health
        if it.labels.get("__name__") == names.CORRECTION_RATIO
    }
    return Grounds(
        prices=tuple(sorted((it.labels.get(names.PRICE, ""), _at(it.value)) for it in live if math.isfinite(it.value))),
        sources=_sources(health),
        corrections=tuple((service, currency, value) for (service, currency), value in sorted(ratios.items())),
        unpriced=tuple((" ".join(filter(None, map(it.labels.get, by.split(", ")))), it.value) for it in unpriced),
        silent=tuple(sorted({it.labels.get(names.PRICE, "") or "everything" for it in silent})),
    )


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def exact(value: float) -> Decimal:
    """The shortest decimal that Prometheus' float stands for."""
    return Decimal(repr(value))


def _budget(values: Mapping[str, float], firing: tuple[str, ...]) -> BudgetMeasured:
    def amount(name: str) -> Decimal | None:
        return exact(values[name]) if name in values else None

    bounds = [amount(f"{names.BUDGET_FORECAST} {bound}") for bound in ("low", "middle", "high")]
    low, middle, high = bounds
    at = values.get(names.BUDGET_FORECAST_AT)
    prefix = names.budget_burn_rate("")
    return BudgetMeasured(
        amount=amount(names.BUDGET_AMOUNT),
        spent=amount(names.BUDGET_SPENT),
        spent_ratio=values.get(names.BUDGET_SPENT_RATIO),
        pace_ratio=values.get(names.BUDGET_PACE_RATIO),
        coverage=values.get(names.BUDGET_COVERAGE),
        hourly=amount("hourly"),
        expected_hourly=exact(values[names.BUDGET_EXPECTED] * _HOURS) if names.BUDGET_EXPECTED in values else None,
        burn={key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)},
        outlook=Outlook(low, middle, high) if low is not None and middle is not None and high is not None else None,
        outlook_at=None if at is None else _at(at),
        past_error=values.get(names.BUDGET_FORECAST_ERROR),
        past_coverage=values.get(names.BUDGET_FORECAST_COVERAGE),
        firing=firing,
        begun=_at(values[names.BUDGET_START]) if names.BUDGET_START in values else None,
    )


def _keyed(samples: Iterable[Sample], name: str = "") -> Iterable[tuple[str, str, float]]:
    """Budget, series (with the bound of a forecast) and value of those that are numbers."""
    for it in samples:
        if math.isfinite(it.value):
            bound = it.labels.get(names.FORECAST_BOUND)
            key = name or it.labels.get("__name__", "")
            yield it.labels.get(names.BUDGET, ""), f"{key} {bound}" if bound else key, it.value


def _unit_cost(it: Sample, targets: Mapping[tuple[str, str], float]) -> UnitCostMeasured:
    own = {"__name__", names.UNIT_COST, names.CURRENCY}
    name, currency = it.labels.get(names.UNIT_COST, ""), it.labels.get(names.CURRENCY, "")
    target = targets.get((name, currency))
    part = tuple(sorted((label, value) for label, value in it.labels.items() if label not in own and value))
    return UnitCostMeasured(name, currency, part, exact(it.value), None if target is None else exact(target))


def _sources(health: Iterable[Sample]) -> tuple[BilledSource, ...]:
    until: dict[str, float] = {}
    rows: dict[str, float] = {}
    faults: dict[str, dict[str, int]] = defaultdict(dict)
    for it in health:
        source, metric = it.labels.get("source", ""), it.labels.get("__name__")
        if metric == names.BILLED_UNTIL:
            until[source] = max(it.value, until.get(source, it.value))
        elif metric == names.BILLED_ROWS:
            rows[source] = max(it.value, rows.get(source, it.value))
        elif metric == names.BILLED_FAULTS and it.value > 0:
            faults[source][it.labels.get("fault", "")] = int(it.value)
    return tuple(
        BilledSource(
            source,
            _at(until[source]) if source in until else None,
            int(rows[source]) if source in rows else None,
            tuple(sorted(faults.get(source, {}).items(), key=lambda fault: (-fault[1], fault[0]))),
        )
        for source in sorted(until.keys() | rows.keys() | faults.keys())
    )


def _any_of(metrics: Iterable[str]) -> str:
    return f'{{__name__=~"{"|".join(metrics)}"}}'


Points = tuple[tuple[datetime, float], ...]


def finite(points: Points) -> Points:
    """Those points that are numbers."""
    return tuple((at, value) for at, value in points if math.isfinite(value))


def steps(length: timedelta, most: int) -> timedelta:
    """A step of whole 5 minutes, so that `length` has at most `most` of them."""
    five = timedelta(minutes=5)
    return five * max(math.ceil(length / most / five), 1)
