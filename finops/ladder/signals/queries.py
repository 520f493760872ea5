"""One PromQL expression for each signal: its value, when its data was taken, and what it depends on.

An answer is a small vector whose samples are told apart by the label `flyball_part`; `finops.ladder.signals.judging`
reads it. The same text is asked at one moment by a live ladder and over a stretch of time by a simulation, so that
both judge by the same figures. Times are Unix seconds, and never those of the question: an instant query answers with
samples that are up to five minutes old, and a sum over an hour is still there an hour after its exporter died.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import anomaly_names
from controlplane import conventions as names
from controlplane.burn_rate import duration, number, seconds
from finops.ladder.model import Ladder, Measure, Signal
from finops.ladder.signals.query_age import query_parts
from finops.ladder.signals.scopes import NO_SCOPES, MoneyScope, Scopes
from finops.pricing.selectors import any_of, labelled, quoted

PART: Final = "flyball_part"
VALUE: Final = "value"
PER_HOUR: Final = "per_hour"
SPEND: Final = "spend"  # of a spike: money of the last hour
USUAL: Final = "usual"  # of a spike: what such an hour usually costs
AT: Final = "at_"  # times of data, all of which must be recent: at_value, at_spend, at_made, …
AT_VALUE: Final = "at_value"
AT_SPEND: Final = "at_spend"  # of what sums are made from
AT_MADE: Final = "at_made"  # of a forecast
AT_SCORED: Final = "at_scored"  # of the scores of the detector that a spike waits for
OPEN: Final = "open"  # of a spike that waits for a detector: 1 while an anomaly is open, else 0
AGE: Final = "age"  # seconds since a price item's usage was last measured
USUAL_AGE: Final = "usual_age"  # the median of that over the last day
TOLD: Final = "told"  # an alert that says that the data is not to be trusted

DEFAULT_WINDOW: Final = timedelta(hours=1)
LATE: Final = "10m"  # what is recorded every 5 minutes is absent for a moment around each evaluation
_HOUR: Final = timedelta(hours=1)
_OUTPUTS: Final = (("point", anomaly_names.SCORE), ("sustained", anomaly_names.SUSTAINED_SCORE))


@dataclass(frozen=True, slots=True)
class LadderQueries:
    """Everything that a sample of a ladder asks. `signals` by name; `data` by the money whose sources it is about.

    `brakes` is None without any.
    """

    signals: Mapping[str, str]
    data: Mapping[MoneyScope, str]
    brakes: str | None


def range_queries(ladder: Ladder, scopes: Scopes = NO_SCOPES) -> LadderQueries:
    """The expressions of a ladder: good at one moment and, as range queries, over time."""
    asked = {scope: data_query(scope) for signal in ladder.signals if (scope := scopes.of(ladder, signal))}
    return LadderQueries({each.name: signal_query(each) for each in ladder.signals}, asked, brakes_query(ladder))


def signal_query(signal: Signal) -> str:
    """What one signal asks."""
    return "\nor\n".join(labelled(expr, PART, part) for part, expr in signal_parts(signal).items())


def signal_parts(signal: Signal) -> Mapping[str, str]:
    """The same by part: over a stretch of time they are cheaper to ask one by one."""
    return _PARTS[signal.measure](signal)


def data_query(scope: MoneyScope) -> str:
    """How old the usage behind this money is, by price item, and which alerts say that it is not to be trusted.

    An item counts when it cost something in the last day: what fell silent is looked for, what never spoke is not.
    """
    spent = f"{names.SPEND_LEDGER}{{{scope.matchers}}}"
    items = f"group by ({names.PRICE}) (last_over_time({spent}[1d]))"
    age = f"(time() - max by ({names.PRICE}) ({names.USAGE_AT}))"
    alerts = f"{names.ALERT_COST_STALE}|{names.ALERT_UNPRICED}"
    told = (
        f"max by ({names.PRICE}, alertname) "
        f'(ALERTS{{alertname=~{quoted(alerts)},alertstate="firing",{names.PRICE}!=""}})'
    )
    parts = {
        AGE: f"{age} and on ({names.PRICE}) {items}",
        USUAL_AGE: f"quantile_over_time(0.5, {age}[1d:30m]) and on ({names.PRICE}) {items}",
        TOLD: f"{told} and on ({names.PRICE}) {items}",
    }
    return "\nor\n".join(labelled(expr, PART, part) for part, expr in parts.items())


def brakes_query(ladder: Ladder) -> str | None:
    """What is left of the error budgets that brake it, of the worst group each; None without brakes."""
    if not ladder.brakes:
        return None
    chosen = any_of(names.SLO, tuple(sorted({brake.slo for brake in ladder.brakes})))
    left = f"{names.BUDGET_REMAINING}{{{chosen}}}"
    silent = f'ALERTS{{alertname={quoted(names.ALERT_NO_DATA)},alertstate="firing",{chosen}}}'
    parts = {
        VALUE: f"min by ({names.SLO}) (last_over_time({left}[{LATE}]))",
        AT_VALUE: _newest(left, names.SLO),
        TOLD: f"max by ({names.SLO}, alertname) ({silent})",
    }
    return "\nor\n".join(labelled(expr, PART, part) for part, expr in parts.items())


def _newest(selector: str, by: str = "") -> str:
    """When the newest sample was taken, of what is recorded every 5 minutes too."""
    of = f"max by ({by})" if by else "max"
    return f"({of} (timestamp({selector})) or {of} (max_over_time(timestamp({selector})[{LATE}:1m])))"


def _burn_rate(signal: Signal) -> Mapping[str, str]:
    length = duration(_window(signal))
    burn, spent = _of(signal, names.budget_burn_rate(length)), _of(signal, _spend(length))
    expected = _of(signal, _expected(length))
    hours = _hours(_window(signal))
    return {
        VALUE: burn,
        AT_VALUE: f"max (timestamp({burn}))",
        AT_SPEND: _spend_known(signal),
        # Where next to nothing is expected the burn rate divides by more than that: by what, it says itself.
        PER_HOUR: f"({hours} * {burn} / ({spent} > 0) or {hours} / ({expected} > 0))",
    }


def _forecast(signal: Signal) -> Mapping[str, str]:
    ratio, made = _of(signal, names.BUDGET_FORECAST_RATIO), _of(signal, names.BUDGET_FORECAST_AT)
    recorded = f"max without ({names.BASIS}) (last_over_time({ratio}[{LATE}]))"
    by_forecast = f'{names.BUDGET_FORECAST_RATIO}{{{_matcher(signal)},{names.BASIS}="forecast"}}'
    was_forecast = f"last_over_time({by_forecast}[{LATE}])"
    return {
        VALUE: f"({ratio} or on ({names.BUDGET}) {recorded})",
        AT_VALUE: _newest(ratio),
        AT_SPEND: _spend_known(signal),
        AT_MADE: f"max ({made}) and on () ({by_forecast} or {was_forecast} unless on () {ratio})",
        PER_HOUR: f"({_hours_ahead(signal)} / on ({names.BUDGET}) {_late(signal, names.BUDGET_AMOUNT)})",
    }


def _spent(signal: Signal) -> Mapping[str, str]:
    """What is spent stays spent until a calendar's window ends, so only a rolling one would differ without a tier."""
    ratio = _of(signal, names.BUDGET_SPENT_RATIO)
    return {
        VALUE: f"({ratio} or {_late(signal, names.BUDGET_SPENT_RATIO)})",
        AT_VALUE: _newest(ratio),
        AT_SPEND: _spend_known(signal),
        PER_HOUR: f"({_rolling_hours(signal)} / on ({names.BUDGET}) {_late(signal, names.BUDGET_AMOUNT)})",
    }


def _spike(signal: Signal) -> Mapping[str, str]:
    hour = duration(_HOUR)
    spent = _of(signal, _spend(hour))
    usual = f"max (last_over_time({_of(signal, names.BUDGET_USUAL_HOUR)}[15m]))"
    return {
        SPEND: spent,
        USUAL: f"({usual} > 0 or max ({_of(signal, _expected(hour))}))",
        AT_VALUE: f"max (timestamp({spent}))",
        AT_SPEND: _spend_known(signal),
        **(_waiting(signal.detector) if signal.detector else {}),
    }


def _waiting(detector: str) -> Mapping[str, str]:
    """Of a spike that counts only while an anomaly is open. What was scored once and is not any more is not closed.

    Scores that are older than some steps of their detector are not told: whether there are any says how old they are.
    """
    scores = _of_detector(anomaly_names.SCORE, detector)
    opened = _of_detector(anomaly_names.OPEN, detector)
    return {OPEN: f"(max ({opened}) > bool 0 or 0 * max ({scores}))", AT_SCORED: f"max (timestamp({scores}))"}


def _anomaly(signal: Signal) -> Mapping[str, str]:
    """The worst score of what is open; 0 while nothing is, absent while something is open that has no score now."""
    point, sustained = (_open_scores(signal.subject, *each) for each in _OUTPUTS)
    opened = f"{_of_detector(anomaly_names.OPEN, signal.subject)} == 1"
    scores = _of_detector(anomaly_names.SCORE, signal.subject)
    per_hour = {PER_HOUR: query_parts(signal.per_hour_query).vector} if signal.per_hour_query else {}
    return {
        VALUE: f"(max ({point} or {sustained}) or 0 * max ({scores}) unless on () {opened})",
        AT_VALUE: f"max (timestamp({scores}))",
        **per_hour,
    }


def _open_scores(detector: str, output: str, name: str) -> str:
    opened = _of_detector(anomaly_names.OPEN, detector, **{anomaly_names.OUTPUT: output})
    scores = f"{_of_detector(name, detector)} and ignoring ({anomaly_names.OUTPUT}) {opened} == 1"
    return labelled(scores, anomaly_names.OUTPUT, output)


def _of_detector(name: str, detector: str, **labels: str) -> str:
    matchers = {anomaly_names.DETECTOR: detector, **labels}
    return f"{name}{{{','.join(f'{label}={quoted(value)}' for label, value in matchers.items())}}}"


def _unit_cost(signal: Signal) -> Mapping[str, str]:
    """Of one that is split by labels: money of all ÷ units of all."""
    length = duration(_window(signal))
    matcher = f"{names.UNIT_COST}={quoted(signal.subject)}"
    ratio = f"{names.unit_cost_ratio(length)}{{{matcher}}}"
    late = f"last_over_time({ratio}[{LATE}])"
    units = f"sum_over_time({names.UNIT_COST_UNITS_LEDGER}{{{matcher}}}[{length}])"
    both = f"{names.UNIT_COST}, {names.CURRENCY}"
    costed = f"sum by ({both}) ({late} * ignoring ({names.CURRENCY}) group_left () {units})"
    counted = f"sum by ({names.UNIT_COST}) ({units} and ignoring ({names.CURRENCY}) {late})"
    target = f"max by ({both}) (last_over_time({names.UNIT_COST_TARGET}{{{matcher}}}[{LATE}]))"
    value = f"({costed} / on ({names.UNIT_COST}) group_left () {counted} / on ({both}) {target})"
    money = f"sum by ({both}) (sum_over_time({names.UNIT_COST_SPEND_LEDGER}{{{matcher}}}[{length}]))"
    return {
        VALUE: value,
        AT_VALUE: _newest(ratio),
        AT_SPEND: f"max (timestamp({names.UNIT_COST_SPEND_ROLLING}{{{matcher}}}))",
        PER_HOUR: f"({_hours(_window(signal))} * {value} / on ({both}) ({money} > 0))",
    }


def _quota(signal: Signal) -> Mapping[str, str]:
    used = f"{names.QUOTA_USED}{{{names.QUOTA}={quoted(signal.subject)}}}"
    return {VALUE: f"max ({used})", AT_VALUE: f"max (timestamp({used}))"}


def _query(signal: Signal) -> Mapping[str, str]:
    per_hour = {PER_HOUR: query_parts(signal.per_hour_query).vector} if signal.per_hour_query else {}
    asked = query_parts(signal.query)
    ages = {f"{AT}{number}": expr for number, expr in enumerate(asked.times)}
    return {VALUE: asked.vector, **ages, **per_hour}


_PARTS: Final[Mapping[Measure, Callable[[Signal], Mapping[str, str]]]] = {
    Measure.BURN_RATE: _burn_rate,
    Measure.FORECAST: _forecast,
    Measure.SPENT: _spent,
    Measure.SPIKE: _spike,
    Measure.UNIT_COST: _unit_cost,
    Measure.QUOTA: _quota,
    Measure.ANOMALY: _anomaly,
    Measure.QUERY: _query,
}


def _spend_known(signal: Signal) -> str:
    return f"max (timestamp({_of(signal, names.BUDGET_ROLLING)}))"


def _hours_ahead(signal: Signal) -> str:
    """Hours that a forecast looks ahead: to the end of a calendar's window, or as long as one that rolls."""
    return f"(({_late(signal, names.BUDGET_END)} > time()) - time() or {_length(signal)}) / 3600"


def _rolling_hours(signal: Signal) -> str:
    """The hours of a window that rolls; absent of the calendar."""
    return f"({_length(signal)} unless on ({names.BUDGET}) {_late(signal, names.BUDGET_END)} > time()) / 3600"


def _length(signal: Signal) -> str:
    return f"({_late(signal, names.BUDGET_END)} - {_late(signal, names.BUDGET_START)})"


def _spend(length: str) -> str:
    return names.BUDGET_ROLLING if length == "5m" else names.budget_spend(length)


def _expected(length: str) -> str:
    return names.BUDGET_EXPECTED if length == "5m" else names.budget_expected(length)


def _matcher(signal: Signal) -> str:
    return f"{names.BUDGET}={quoted(signal.subject)}"


def _of(signal: Signal, name: str) -> str:
    return f"{name}{{{_matcher(signal)}}}"


def _late(signal: Signal, name: str) -> str:
    return f"last_over_time({_of(signal, name)}[{LATE}])"


def _window(signal: Signal) -> timedelta:
    return signal.window or DEFAULT_WINDOW


def _hours(length: timedelta) -> str:
    return number(seconds(length) / 3600)
