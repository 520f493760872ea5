"""What the samples of an answer are worth: a reading with its value, its time and its sensitivity, or why it is none.

Missing is not zero. A reading that is not good has no value, so that nobody can act on it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Sample
from controlplane.wording import duration
from finops.ladder.model import BRAKES_SELDOM, Measure, Signal
from finops.ladder.readings import Quality, Reading
from finops.ladder.signals import queries

_CLOCKS_APART: Final = timedelta(minutes=1)
_NOISE: Final = Decimal("-1e-9")  # of money: what adding floats leaves of nothing
_NEEDED: Final[Mapping[Measure, tuple[str, ...]]] = {
    Measure.BURN_RATE: (queries.AT_VALUE, queries.AT_SPEND),
    Measure.FORECAST: (queries.AT_VALUE, queries.AT_SPEND),
    Measure.SPENT: (queries.AT_VALUE, queries.AT_SPEND),
    Measure.SPIKE: (queries.AT_VALUE, queries.AT_SPEND),
    Measure.UNIT_COST: (queries.AT_VALUE, queries.AT_SPEND),
    Measure.QUOTA: (queries.AT_VALUE,),
    Measure.ANOMALY: (queries.AT_VALUE,),
    Measure.QUERY: (),
}
_WHAT: Final[Mapping[Measure, str]] = {
    Measure.BURN_RATE: "the budget {} has no burn rate over this window: are its rules applied?",
    Measure.FORECAST: "the budget {} has no forecast, and too little of its window was measured for straight pacing",
    Measure.SPENT: "nothing is recorded of what the budget {} has spent: are its rules applied?",
    Measure.SPIKE: "nothing is recorded of what the budget {} spent in the last hour: are its rules applied?",
    Measure.UNIT_COST: "the unit cost {} has no value over this window or no target",
    Measure.QUOTA: "nobody's use of the quota {} is known",
    Measure.ANOMALY: "the detector {} scores nothing now: is it declared, and does its daemon run?",
    Measure.QUERY: "its query yields nothing",
}
Parts = Mapping[str, Sequence[Sample]]


def by_part(samples: Iterable[Sample]) -> Parts:
    """An answer's samples by what they are."""
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.labels.get(queries.PART, ""), []).append(sample)
    return found


def reading(
    signal: Signal,
    answer: Sequence[Sample],
    now: datetime,
    *,
    data: Sequence[Sample] = (),
    currency: str = "",
    saving: Decimal = Decimal(0),
) -> Reading:
    """What a signal says at `now`: `answer` is that of its own query, `data` that of the money it is made from.

    `saving` is what the tier in force saves, in money an hour of `currency`: a spike has a floor, so that what it would
    be without the tier is no straight line. A budget in another currency than the ladder's has no sensitivity.
    """
    parts = by_part(answer)
    fault = _fault(signal, parts, now) or _untrusted(data, signal.stale_after)
    at = _at(parts)
    if fault is not None:
        return Reading(fault[0], at=at, reason=fault[1])
    if signal.measure is Measure.SPIKE:
        value, per_hour = _spike(signal, parts, saving)
    else:
        value, per_hour = _decimal(parts[queries.VALUE][0].value), _finite(parts.get(queries.PER_HOUR, ()))
        value = max(value, Decimal(0))
    measured = parts.get(queries.VALUE) or parts[queries.SPEND]
    if measured[0].labels.get(names.CURRENCY, currency) != currency and signal.measure is not Measure.QUERY:
        per_hour = None
    return Reading(Quality.GOOD, value, at or now, per_hour)


def brake_readings(
    slos: Iterable[str], answer: Sequence[Sample], now: datetime, stale_after: timedelta
) -> dict[str, Reading]:
    """What is left of each error budget; it may be negative."""
    by_slo: dict[str, list[Sample]] = {}
    for sample in answer:
        by_slo.setdefault(sample.labels.get(names.SLO, ""), []).append(sample)
    return {slo: _brake(slo, by_part(by_slo.get(slo, ())), now, stale_after + BRAKES_SELDOM) for slo in sorted(slos)}


_Fault = tuple[Quality, str]


def _brake(slo: str, parts: Parts, now: datetime, limit: timedelta) -> Reading:
    values, at = parts.get(queries.VALUE, ()), _at(parts)
    if not values or math.isnan(values[0].value):
        return Reading(Quality.MISSING, at=at, reason=f"the error budget of {slo} is not known: are its rules applied?")
    if math.isinf(values[0].value):
        return Reading(Quality.CONTRADICTORY, at=at, reason=f"the error budget of {slo} is infinite")
    told = parts.get(queries.TOLD, ())
    if told:
        return Reading(Quality.STALE, at=at, reason=f"{told[0].labels.get('alertname', '')} fires for {slo}")
    fault = _aged(at, now, limit)
    if fault is not None:
        return Reading(fault[0], at=at, reason=fault[1])
    return Reading(Quality.GOOD, _decimal(values[0].value), at)


def _fault(signal: Signal, parts: Parts, now: datetime) -> _Fault | None:
    """Why an answer cannot be used."""
    carrier = queries.SPEND if signal.measure is Measure.SPIKE else queries.VALUE
    values = parts.get(carrier, ())
    if not values:
        return Quality.MISSING, _why_missing(signal, parts)
    if len(values) > 1:
        return Quality.CONTRADICTORY, f"{len(values)} series where one may be"
    if math.isnan(values[0].value):
        return Quality.MISSING, "it is not a number (NaN)"
    if math.isinf(values[0].value):
        return Quality.CONTRADICTORY, "it is infinite"
    if _decimal(values[0].value) < _NOISE:
        return Quality.CONTRADICTORY, f"it is negative ({values[0].value:.3g})"
    if absent := [part for part in _NEEDED[signal.measure] if part not in parts]:
        what = "what it is recorded from" if absent == [queries.AT_SPEND] else "its own series"
        return Quality.STALE, f"{what} has not been measured for five minutes: the value is a memory"
    if signal.detector and not (queries.OPEN in parts and queries.AT_SCORED in parts):
        return Quality.STALE, f"the detector {signal.detector} scores nothing now: whether this is usual is not known"
    return _aged(_at(parts), now, signal.usable_for)


def _why_missing(signal: Signal, parts: Parts) -> str:
    if signal.measure is Measure.ANOMALY and queries.AT_VALUE in parts:
        return f"an anomaly of {signal.subject} is open that has no score now"
    return _WHAT[signal.measure].format(signal.subject)


def _aged(at: datetime | None, now: datetime, limit: timedelta) -> _Fault | None:
    if at is None:
        return None
    if now - at > limit:
        return Quality.STALE, f"its data is {duration(now - at)} old; {duration(limit)} are allowed"
    if at - now > _CLOCKS_APART:
        return Quality.CONTRADICTORY, f"its data is {duration(at - now)} from the future: clocks differ"
    return None


def _untrusted(data: Sequence[Sample], stale_after: timedelta) -> _Fault | None:
    """What makes the money behind a signal incomplete: an alert, or a source that is silent and usually is not."""
    parts = by_part(data)
    for sample in parts.get(queries.TOLD, ()):
        return Quality.STALE, f"{sample.labels.get('alertname', '')} fires for {sample.labels.get(names.PRICE, '')}"
    usual = {sample.labels.get(names.PRICE, ""): sample.value for sample in parts.get(queries.USUAL_AGE, ())}
    limit = stale_after.total_seconds()
    for sample in parts.get(queries.AGE, ()):
        item = sample.labels.get(names.PRICE, "")
        if sample.value > limit and not usual.get(item, 0.0) > limit / 2:
            silence = duration(timedelta(seconds=sample.value))
            return Quality.STALE, f"usage of {item} was last measured {silence} ago: spend is too low, not lower"
    return None


def _spike(signal: Signal, parts: Parts, saving: Decimal) -> tuple[Decimal, Decimal | None]:
    """Spend ÷ usual, 0 below the floor; its sensitivity leads to exactly what it would be with `saving` spent, too.

    One that waits for a detector is 0 while no anomaly is open. What it would be without the tier is judged by spend
    alone: an anomaly that the tier itself brought to an end would be there again.
    """
    spend = max(_decimal(parts[queries.SPEND][0].value), Decimal(0))
    floor = signal.floor_per_hour or Decimal(0)
    usual = _finite(parts.get(queries.USUAL, ())) or floor
    if usual <= 0:  # nothing is usual: whatever is spent above no floor is all there ever was
        return Decimal(0), None
    counts = spend > floor and (not signal.detector or bool(_finite(parts.get(queries.OPEN, ()))))
    value = spend / usual if counts else Decimal(0)
    if saving <= 0:
        return value, 1 / usual if counts else Decimal(0)
    without = (spend + saving) / usual if spend + saving > floor else Decimal(0)
    return value, (without - value) / saving


def _at(parts: Parts) -> datetime | None:
    """The oldest of the times of what a value is made from."""
    times = [
        sample.value
        for part, samples in parts.items()
        if part.startswith(queries.AT)
        for sample in samples
        if math.isfinite(sample.value)
    ]
    return datetime.fromtimestamp(min(times), UTC) if times else None


def _finite(samples: Sequence[Sample]) -> Decimal | None:
    """The one value, None where there is none that could be one."""
    if len(samples) != 1 or not math.isfinite(samples[0].value):
        return None
    return _decimal(samples[0].value)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))
