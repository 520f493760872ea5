"""Enter and exit against each other, and against those of the neighbours."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Final

from finops.ladder.lint.bounds import WHOLE, is_in_reach
from finops.ladder.lint.examined import Examined, at_tier, called, thresholds_of
from finops.ladder.model import Condition, Measure, Tier

HYSTERESIS: Final = "ladder-hysteresis"
CONTRADICTION: Final = "ladder-contradiction"
ORDER: Final = "ladder-order"
_USUAL: Final = (Measure.BURN_RATE, Measure.SPIKE)
_MOVED_UNKNOWN: Final = (Measure.QUERY, Measure.ANOMALY)


def check(it: Examined) -> None:
    """Tiers that would be entered and left at once, or entered before those below them."""
    for tier in it.ladder.tiers:
        _exit_below_enter(it, tier)
        if all(it.ladder.signal(each.signal) for each in (*tier.enter.comparisons, *tier.exit.comparisons)):
            _both_at_once(it, tier)
        _always(it, tier)
        _unmoved(it, tier)
    for lower, upper in pairwise(it.ladder.tiers):
        _order(it, lower, upper)
    for tier in it.ladder.tiers:
        _between(it, tier)


def _exit_below_enter(it: Examined, tier: Tier) -> None:
    enter, at = _by_signal(tier.enter), thresholds_of(tier, "exit")
    for each in tier.exit.comparisons:
        threshold = enter.get(each.signal)
        if threshold is not None and each.threshold >= threshold:
            message = f"left below {each.threshold:f}, but entered at {threshold:f} already: it would flap"
            hint = f"write less than {threshold:f}"
            it.report.error(*at, each.signal, message=message, hint=hint, rule=HYSTERESIS)


def _both_at_once(it: Examined, tier: Tier) -> None:
    """`exit` may hold while `enter` does unless each way to hold the one shares a signal with each of the other."""
    entering, leaving = _ways(tier.enter), _ways(tier.exit)
    if not entering or not leaving:
        return
    at = (*at_tier(tier.number), "exit")
    if not any(one & other for one in entering for other in leaving):
        message = f"looks at none of the signals by which {called(tier)} is entered"
        hint = "while those are high and these are low it is held, and people are told"
        it.report.warning(*at, message=message, hint=hint, rule=CONTRADICTION)
        return
    apart = next(((one, other) for one in entering for other in leaving if not one & other), None)
    if apart is not None:
        message = f"may hold while `enter` does: {_listed(apart[0], 'high')} and {_listed(apart[1], 'low')}"
        hint = "then it is held, and people are told; leave by `all` of the signals by which it may be entered"
        it.report.warning(*at, message=message, hint=hint, rule=CONTRADICTION)


def _always(it: Examined, tier: Tier) -> None:
    """Spend at its pace is no reason to reduce anything."""
    for each in tier.enter.comparisons:
        signal = it.ladder.signal(each.signal)
        if signal is not None and signal.measure in _USUAL and each.threshold <= 1:
            message = f"holds while nothing is wrong: {WHOLE[signal.measure]}"
            at = (*thresholds_of(tier, "enter"), each.signal)
            it.report.warning(*at, message=message, hint="write more than 1", rule=ORDER)


def _unmoved(it: Examined, tier: Tier) -> None:
    """A figure that falls because of the tier says nothing of what it would be without it."""
    enter = _by_signal(tier.enter)
    for each in tier.exit.comparisons:
        signal = it.ladder.signal(each.signal)
        if signal is None or signal.measure not in _MOVED_UNKNOWN or signal.per_hour_query:
            continue
        if each.signal not in enter:
            continue
        message = f"what `{each.signal}` would be without the tier is not known: if the tier lowers it, it may flap"
        hint = (
            "give the signal `perHour`: by how much it rises with each unit of money an hour; vector(0) if not at all"
        )
        it.report.warning(*thresholds_of(tier, "exit"), each.signal, message=message, hint=hint, rule=HYSTERESIS)


def _order(it: Examined, lower: Tier, upper: Tier) -> None:
    """A higher tier that asks for less leads through the one below, whose own condition has no say then."""
    below, above = _by_signal(lower.enter), _by_signal(upper.enter)
    less = [
        name
        for name, threshold in above.items()
        if name in below and threshold < below[name] and is_in_reach(it.ladder.signal(name), below[name])
    ]
    if less and upper.enter_samples <= lower.enter_samples and _implies(lower.enter, upper.enter):
        name = less[0]
        message = (
            f"{above[name]:f} is less than the {below[name]:f} of {called(lower)}, and leads through that tier, too"
        )
        hint = f"let it rise from tier to tier: more than {below[name]:f}"
        it.report.warning(*thresholds_of(upper, "enter"), name, message=message, hint=hint, rule=ORDER)


def _between(it: Examined, lower: Tier) -> None:
    """Between `enter` of a tier above and a higher `exit` of this one both are asked for."""
    for each in lower.exit.comparisons:
        for upper in it.ladder.tiers[lower.number :]:
            threshold = _by_signal(upper.enter).get(each.signal)
            if threshold is None or threshold >= each.threshold or not _may_agree(lower.exit, upper.enter):
                continue
            message = f"from {threshold:f} to {each.threshold:f} {called(lower)} is to be left and {called(upper)}"
            hint = f"then it is held, and people are told; write {threshold:f} or less"
            at = (*thresholds_of(lower, "exit"), each.signal)
            it.report.warning(*at, message=f"{message} entered", hint=hint, rule=CONTRADICTION)
            break


def _may_agree(leaving: Condition, entering: Condition) -> bool:
    """Whether thresholds allow that both hold at once: what one needs low the other does not need as high."""
    high = _by_signal(entering)
    if not leaving.needs_all or not entering.needs_all:
        return True
    return all(each.signal not in high or high[each.signal] < each.threshold for each in leaving.comparisons)


def _implies(one: Condition, other: Condition) -> bool:
    """Whether `other` (at or above) holds whenever `one` does."""
    known = _by_signal(one)

    def met(name: str, threshold: Decimal, given: Mapping[str, Decimal]) -> bool:
        return name in given and given[name] >= threshold

    cases = [known] if one.needs_all else [{name: threshold} for name, threshold in known.items()]
    wanted = _by_signal(other).items()
    holds = all if other.needs_all else any
    return all(holds(met(name, threshold, case) for name, threshold in wanted) for case in cases)


def _by_signal(condition: Condition) -> dict[str, Decimal]:
    return {each.signal: each.threshold for each in condition.comparisons}


def _ways(condition: Condition) -> list[frozenset[str]]:
    """The least sets of signals that make it hold."""
    names = [each.signal for each in condition.comparisons]
    if condition.needs_all:
        return [frozenset(names)] if names else []
    return [frozenset({name}) for name in names]


def _listed(names: frozenset[str], what: str) -> str:
    shown = " and ".join(f"`{name}`" for name in sorted(names))
    return f"{shown} {what}"
