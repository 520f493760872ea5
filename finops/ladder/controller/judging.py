"""What a sample says about conditions: they hold, they do not, or nobody can tell. Missing is not zero.

A condition that refers to any signal that is not good is unknown, whatever its other signals say, of `any` and `all`
alike. That is the safe reading: half-blind, a ladder stays where it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from controlplane import wording
from finops.ladder.model import Comparison, Condition, Ladder
from finops.ladder.readings import Quality, Reading, Readings

Values = Mapping[str, Decimal | None]
"""By signal; None where the reading is not good."""
_NOTHING: Final = Decimal(0)
_INDEPENDENT: Final = 2


class Verdict(Enum):
    """What a condition says of one sample."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"  # a signal that it refers to is not good


@dataclass(frozen=True, slots=True)
class Judged:
    """One sample, as seen from the tier in force.

    `enters`: the verdict of that tier and of each one above. `exit` is judged on `counterfactual`, what signals would
    be without the tier. `emergency` and `exit` fail where there is none; in the emergency's own tier it tells whether
    it goes on, and above it fails.
    """

    values: Values
    counterfactual: Values
    enters: Mapping[int, Verdict]
    exit: Verdict
    emergency: Verdict

    def asking(self, tier: int) -> int | None:
        """The lowest tier from this one on whose `enter` holds: whoever wants a higher one wants the next first."""
        return next((number for number, said in self.enters.items() if number >= tier and said is Verdict.HOLDS), None)


def judge(ladder: Ladder, tier: int, readings: Readings, now: datetime) -> Judged:
    """Judge a sample with `tier` in force, which the ladder must declare (or 0)."""
    values = good_values(ladder, readings, now)
    present = ladder.tier(tier)
    left = _without(ladder, tier, readings, values, present.exit) if present else values
    return Judged(
        values=values,
        counterfactual=left,
        enters={each.number: entering(each.enter, values) for each in ladder.tiers[max(tier - 1, 0) :]},
        exit=leaving(present.exit, left) if present else Verdict.FAILS,
        emergency=_emergency(ladder, tier, values),
    )


def good_values(ladder: Ladder, readings: Readings, now: datetime) -> dict[str, Decimal | None]:
    """The value of each declared signal, None unless it is good now."""
    given = readings.signals
    values: dict[str, Decimal | None] = {}
    for signal in ladder.signals:
        reading = given.get(signal.name)
        is_good = reading is not None and not fault(reading, readings.at, now, signal.usable_for)
        values[signal.name] = reading.value if is_good and reading is not None else None
    return values


def fault(reading: Reading | None, sampled_at: datetime, now: datetime, stale_after: timedelta) -> str:
    """Why a reading may not be used, in words; empty when it may.

    A reading is as old as its data, or as its sample where that is older or its data has no time of its own.
    """
    if reading is None:
        return "there is no reading of it"
    if reading.quality is not Quality.GOOD:
        return f"its reading is {reading.quality.value}" + (f" ({reading.reason})" if reading.reason else "")
    if reading.value is None or not reading.value.is_finite():
        return "its reading has no value"
    at = sampled_at if reading.at is None or sampled_at < reading.at else reading.at
    age = now - at
    if age > stale_after:
        return f"its data is {wording.duration(age)} old"
    if age < timedelta(0):
        return "its data is from the future"
    return ""


def entering(condition: Condition, values: Values) -> Verdict:
    """Whether signals are at their thresholds or above."""
    said = condition.needs_all
    for comparison in condition.comparisons:
        value = values.get(comparison.signal)
        if value is None:
            return Verdict.UNKNOWN
        if (value >= comparison.threshold) is not condition.needs_all:
            said = not condition.needs_all
    return Verdict.HOLDS if said else Verdict.FAILS


def leaving(condition: Condition, values: Values) -> Verdict:
    """Whether signals are below their thresholds."""
    said = condition.needs_all
    for comparison in condition.comparisons:
        value = values.get(comparison.signal)
        if value is None:
            return Verdict.UNKNOWN
        if (value < comparison.threshold) is not condition.needs_all:
            said = not condition.needs_all
    return Verdict.HOLDS if said else Verdict.FAILS


def without(readings: Readings, ladder: Ladder, tier: int) -> Readings:
    """The same sample as it would be without that tier: each signal higher by the saving × its `per_hour`, never lower.

    A signal whose sum cannot be told (not finite) is contradictory; one without `per_hour` stays as it is.
    """
    saving = saving_of(ladder, tier, readings)
    return replace(readings, signals={name: _raised(reading, saving) for name, reading in readings.signals.items()})


def saving_of(ladder: Ladder, tier: int, readings: Readings) -> Decimal:
    """What a tier saves now, in money an hour: by its receipt, else as declared; nothing when it is not declared."""
    declared = ladder.tier(tier)
    return readings.savings.get(tier, declared.saving_per_hour if declared else _NOTHING)


def _raised(reading: Reading, saving: Decimal) -> Reading:
    if reading.value is None or reading.per_hour is None:
        return reading
    value = _sum(reading.value, reading.per_hour, saving)
    if value is None:
        return replace(reading, quality=Quality.CONTRADICTORY, value=None, reason="what it would be cannot be told")
    return replace(reading, value=value)


def _without(ladder: Ladder, tier: int, readings: Readings, values: Values, condition: Condition) -> Values:
    """Only what the condition refers to: a month of history is judged in seconds."""
    saving = saving_of(ladder, tier, readings)
    raised: dict[str, Decimal | None] = {}
    for comparison in condition.comparisons:
        value = values.get(comparison.signal)
        per_hour = readings.signals[comparison.signal].per_hour if value is not None else None
        raised[comparison.signal] = value if value is None or per_hour is None else _sum(value, per_hour, saving)
    return raised


def _sum(value: Decimal, per_hour: Decimal, saving: Decimal) -> Decimal | None:
    """None when it is no number. Never below the value: that a tier costs money does not make it easier to leave."""
    try:
        more = per_hour * saving
        result = value + more if more > _NOTHING else value
    except ArithmeticError:  # not a number, or too large to be one
        return None
    return result if result.is_finite() else None


def _emergency(ladder: Ladder, tier: int, values: Values) -> Verdict:
    """At least two comparisons of different groups hold; unknown when any of their signals is."""
    emergency = ladder.emergency
    if emergency is None or emergency.tier < tier:
        return Verdict.FAILS
    if any(values.get(each.signal) is None for each in emergency.comparisons):
        return Verdict.UNKNOWN
    held = at_or_above(emergency.comparisons, values)
    groups = {signal.group for each in held if (signal := ladder.signal(each.signal))}
    return Verdict.HOLDS if len(groups) >= _INDEPENDENT else Verdict.FAILS


def at_or_above(comparisons: Sequence[Comparison], values: Values) -> list[Comparison]:
    """Those that hold."""
    return [each for each in comparisons if (value := values.get(each.signal)) is not None and value >= each.threshold]
