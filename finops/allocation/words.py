"""Allocation in words: what a step takes, by what key it spreads, and money to the last cent."""

from decimal import Decimal

from finops.allocation.model import CostAllocation, CostKey, EvenKey, Figure, Period, Scope, SharesKey, Step, UsageKey
from finops.allocation.rounding import places_of, rounded


def cents(amount: Decimal, currency: str) -> str:
    """An amount to the currency's last place: `1,234.50`, `−0.07`; what rounds to nothing has no sign."""
    shown = rounded(amount, currency)
    text = f"{abs(shown):,.{places_of(currency)}f}"
    return f"−{text}" if shown < 0 else text


def change(amount: Decimal, before: Decimal, currency: str) -> str:
    """A change against the month before: `+12.50 (+4.2 %)`, `0.00`; without a percentage where there was nothing."""
    difference = amount - before
    shown = cents(difference, currency)
    signed = shown if shown.startswith("−") or not rounded(difference, currency) else f"+{shown}"
    if not before or not rounded(difference, currency):
        return signed
    share = difference / abs(before) * 100
    places = 0 if abs(share) >= 100 else 1
    sign = "−" if share < 0 else "+"
    return f"{signed} ({sign}{abs(share):,.{places}f} %)"


def key_words(step: Step) -> str:
    """`in proportion to direct cost`, `by the usage calls`, …"""
    match step.key:
        case CostKey(loaded, where):
            what = "cost so far, with what earlier steps gave" if loaded else "direct cost"
            return f"in proportion to {what}" + (f" in {scope_words(where)}" if where else "")
        case UsageKey(name):
            return f"by the usage {name}"
        case EvenKey():
            return "evenly"
        case SharesKey():
            return "in fixed shares"


def step_words(step: Step, plan: CostAllocation) -> str:
    """What a step takes and who gets it."""
    if step.select:
        taken = f"cost of {scope_words(step.select)}"
        if all(dimension != step.over for dimension, _ in step.select):
            taken += f" without a {step.over}"
    else:
        taken = f"all cost without a {step.over}"
    who = f" to {step.over} {', '.join(step.targets)}" if step.targets else ""
    who = who or (f" to every {step.over}" if step.over != plan.target else "")
    return f"{taken}, {key_words(step)}{who}"


def scope_words(scope: Scope) -> str:
    """`service kafka or redis, category Tax`."""
    return ", ".join(f"{dimension} {' or '.join(value or '(none)' for value in values)}" for dimension, values in scope)


def figure_words(figure: Figure) -> str:
    """Which cost is meant, and by which column of FOCUS."""
    return "amortised cost (EffectiveCost)" if figure is Figure.EFFECTIVE else "invoiced cost (BilledCost)"


def period_words(period: Period) -> str:
    """`month by month`, `day by day`."""
    return f"{period.value} by {period.value}"
