"""Tiers that can never be entered."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import duration
from finops.ladder.lint.bounds import WHOLE, highest
from finops.ladder.lint.examined import Examined, Path, at_tier, thresholds_of
from finops.ladder.model import Comparison, Measure, Tier

RULE: Final = "ladder-unreachable"
_LONGEST: Final = timedelta(days=1)
_PERCENT: Final = 100


def check(it: Examined) -> None:
    """Thresholds out of reach, and waits that are too long.

    A tier above it may lead through such a tier all the same: each step goes one up. But then its own condition, which
    somebody wrote, says nothing.
    """
    for tier in it.ladder.tiers:
        _thresholds(it, tier)
        _enter_samples(it, tier)
        _exit_samples(it, tier)
        _expiry(it, tier)
    _changes(it)
    _jump(it)


def _thresholds(it: Examined, tier: Tier) -> None:
    at = thresholds_of(tier, "enter")
    beyond = [(each, most) for each in tier.enter.comparisons if (most := _exceeded(it, each)) is not None]
    never = bool(beyond) and (tier.enter.needs_all or len(beyond) == len(tier.enter.comparisons))
    is_jumped_to = it.ladder.emergency is not None and it.ladder.emergency.tier == tier.number
    for each, most in beyond:
        where = (*at, each.signal)
        if never and is_jumped_to:
            _tell_threshold(it, where, each, most, so="; only the emergency jump leads here")
        else:
            _tell_threshold(it, where, each, most, is_lost=never)


def _exceeded(it: Examined, comparison: Comparison) -> Decimal | None:
    """What a signal never exceeds, when the threshold is above it."""
    signal = it.ladder.signal(comparison.signal)
    most = highest(signal) if signal is not None else None
    return most if most is not None and comparison.threshold > most else None


def _tell_threshold(
    it: Examined, at: Path, comparison: Comparison, most: Decimal, *, is_lost: bool = False, so: str = ""
) -> None:
    signal = it.ladder.signal(comparison.signal)
    measure = signal.measure if signal is not None else Measure.QUERY
    if measure is Measure.QUERY:
        message, hint = f"the query of `{comparison.signal}` never gives more than {most.normalize():f}", ""
    else:
        message = f"`{comparison.signal}` never gets there: {WHOLE[measure]}"
        share = comparison.threshold / _PERCENT
        hint = f"write {share.normalize():f} if {comparison.threshold:f} % is meant"
    tell = it.report.error if is_lost else it.report.warning
    tell(*at, message=message + so, hint=hint, rule=RULE)


def _enter_samples(it: Examined, tier: Tier) -> None:
    takes = tier.enter_samples * it.ladder.every
    if takes > _LONGEST:
        each = duration(it.ladder.every)
        message = f"{tier.enter_samples:,} samples in a row, one every {each}, take {_long(takes)}"
        hint = f"a day is the most: {_LONGEST // it.ladder.every:,} samples"
        it.report.error(*at_tier(tier.number), "enter", "samples", message=message, hint=hint, rule=RULE)


def _exit_samples(it: Examined, tier: Tier) -> None:
    takes = tier.exit_samples * it.ladder.every
    if takes > _LONGEST:
        message = f"it is left {_long(takes)} after the signals are calm at the earliest"
        hint = f"{tier.exit_samples:,} samples in a row, one every {duration(it.ladder.every)}"
        it.report.warning(*at_tier(tier.number), "exit", "samples", message=message, hint=hint, rule=RULE)


def _expiry(it: Examined, tier: Tier) -> None:
    if tier.expires_after is not None and tier.expires_after <= tier.dwell:
        message = f"expires after {duration(tier.expires_after)}, but is kept for {duration(tier.dwell)} at least"
        hint = "let `expires` be longer than `dwell`: no tier above it can be entered before"
        it.report.error(*at_tier(tier.number), "expires", message=message, hint=hint, rule=RULE)


def _changes(it: Examined) -> None:
    ladder, most = it.ladder, it.ladder.limits.changes_per_day
    at = ("spec", "limits", "changesPerDay")
    if most < ladder.top:
        message = f"{ladder.top} tiers take {ladder.top} changes, and only {most} are allowed in 24 h"
        hint = f"so tier {most + 1} `{ladder.tiers[most].name}` is not reached in a day: allow {2 * ladder.top}"
        it.report.error(*at, message=message, hint=hint, rule=RULE)
    elif most < 2 * ladder.top:
        message = f"up {ladder.top} tiers and back takes {2 * ladder.top} changes, and {most} are allowed in 24 h"
        it.report.warning(*at, message=message, hint="the rest of the way back waits for the next day", rule=RULE)


def _jump(it: Examined) -> None:
    jump = it.ladder.emergency
    for each in jump.comparisons if jump else ():
        most = _exceeded(it, each)
        if most is not None:
            _tell_threshold(it, ("spec", "emergency", "any", each.signal), each, most, is_lost=True)


def _long(length: timedelta) -> str:
    """`2d 2h`: to the hour."""
    hours = length // timedelta(hours=1)
    return f"{hours // 24}d {hours % 24}h" if hours % 24 else f"{hours // 24}d"
