"""The controller's sentences: plain, with figures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import wording
from finops.ladder.controller.judging import Values
from finops.ladder.model import Comparison, Condition, Ladder

_FAR: Final = timedelta(days=365)
_FEWEST: Final = 3
_MOST: Final = 17


def figure(value: Decimal, beside: Decimal) -> str:
    """Three significant digits, or as many as it takes to tell it from the one that it is compared with."""
    other = f"{beside.normalize():f}"
    for digits in range(_FEWEST, _MOST):
        text = wording.significant(float(value), digits)
        if value == beside or text != other:
            return text
    return f"{value.normalize():f}"


def named(ladder: Ladder, tier: int) -> str:
    """`tier 2 (throttle)`; `full service` for 0."""
    declared = ladder.tier(tier)
    return "full service" if tier == 0 else f"tier {tier} ({declared.name})" if declared else f"tier {tier}"


def capital(text: str) -> str:
    """With a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def wanted(condition: Condition, values: Values, tier: int) -> str:
    """Why a tier is wanted: `llm-burn is 4.31, tier 2 wants 4 or more`, of each comparison that holds."""
    said = [
        f"{each.signal} is {figure(value, each.threshold)}, tier {tier} wants {each.threshold.normalize():f} or more"
        for each in condition.comparisons
        if (value := values.get(each.signal)) is not None and value >= each.threshold
    ]
    return "; ".join(said)


def left(condition: Condition, values: Values, counterfactual: Values, tier: int) -> str:
    """Why a tier may go: `llm-burn would be 1.02 without tier 2 (it is 0.8), below 1.2`, of each comparison."""
    return "; ".join(
        _left(each, value, counterfactual.get(each.signal), tier)
        for each in condition.comparisons
        if (value := values.get(each.signal)) is not None
    )


def _left(comparison: Comparison, value: Decimal, without: Decimal | None, tier: int) -> str:
    threshold = f"{comparison.threshold.normalize():f}"
    is_or_would_be = without if without is not None else value
    side = "below" if is_or_would_be < comparison.threshold else "not below"
    told = figure(is_or_would_be, comparison.threshold)
    if is_or_would_be == value:
        return f"{comparison.signal} is {told}, {side} {threshold}"
    return (
        f"{comparison.signal} would be {told} without tier {tier} "
        f"(it is {figure(value, comparison.threshold)}), {side} {threshold}"
    )


def counts(count: int, of: int) -> str:
    """`2 of 3 samples in a row`."""
    return f"{count} of {of} sample{'' if of == 1 else 's'} in a row"


def until(now: datetime, rest: timedelta) -> str:
    """`until 2026-10-16 12:34 UTC (7 min)`."""
    if rest > _FAR:
        return "for more than a year"
    return f"until {wording.utc(now + rest)} ({wording.duration(rest)})"


def joined(texts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1]))) if texts else ""
