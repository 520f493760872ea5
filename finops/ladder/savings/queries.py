"""PromQL of what a ladder's tiers save: the money of its budgets, and the load that this money follows."""

from typing import Final

from controlplane import conventions as names
from finops.ladder.model import Ladder, Measure
from finops.ladder.signals.scopes import OF_BUDGETS, MoneyScope, Scopes
from finops.pricing.selectors import quoted

_ENTRIES_AN_HOUR: Final = 12
_SILENT: Final = 600  # seconds: what falls silent makes spend look lower long before an alert says so


def money_query(ladder: Ladder, scopes: Scopes) -> str:
    """Money an hour of all budgets that its signals are about, in its currency; what two of them count, counts once.

    Absent while usage that is priced in it is silent and usually is not: spend is unknown then, not lower.
    """
    money = sorted(_scopes(ladder, scopes), key=lambda scope: scope.matchers)
    entries = [f"{names.SPEND_LEDGER}{{{scope.matchers}}}" for scope in money]
    every = "\n  or\n  ".join(entries)
    items = f"group by ({names.PRICE}) (last_over_time({entries[0]}[1d])"
    items += "".join(f" or last_over_time({entry}[1d])" for entry in entries[1:]) + ")"
    age = f"(time() - max by ({names.PRICE}) ({names.USAGE_AT}))"
    silent = f"{age} > {_SILENT} and on ({names.PRICE}) {items}"
    slow = f"quantile_over_time(0.5, {age}[1d:30m]) > {_SILENT // 2}"
    return (
        f"{_ENTRIES_AN_HOUR} * sum (\n  {every}\n)\nunless on () (\n  {silent}\n  unless on ({names.PRICE}) {slow}\n)"
    )


def load_query(ladder: Ladder) -> tuple[str, str] | None:
    """Units of five minutes of the unit cost that tells growth, or of its first signal of one, and the name of that.

    None when no signal is about a unit cost: then hours of earlier days and weeks stand in.
    """
    signals = [signal for signal in ladder.signals if signal.measure is Measure.UNIT_COST]
    chosen = ladder.signal(ladder.growth.signal) if ladder.growth else None
    if chosen is None or chosen.measure is not Measure.UNIT_COST:
        chosen = signals[0] if signals else None
    if chosen is None:
        return None
    return f"sum ({names.UNIT_COST_UNITS_LEDGER}{{{names.UNIT_COST}={quoted(chosen.subject)}}})", chosen.subject


def _scopes(ladder: Ladder, scopes: Scopes) -> set[MoneyScope]:
    """Those of its budgets, in its currency; without any all money in it."""
    found = {scopes.of(ladder, signal) for signal in ladder.signals if signal.measure in OF_BUDGETS}
    own = {scope for scope in found if scope is not None and scope.currency == ladder.currency}
    return own or {MoneyScope(ladder.currency)}
