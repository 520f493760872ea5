"""Signals of a time in which nothing recorded them yet: a ladder is tried before its rules have run for a month.

What a budget spent is often known for longer than its burn rates, because a backfill writes ledgers only. Up to the
first moment at which a signal was recorded, it is computed from its budget's ledger; from then on, missing is missing.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, islice
from math import isfinite
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.model.budget import Budget
from controlplane.ports import MetricsBackend
from finops.ladder.readings import Reading
from finops.ladder.simulation.columns import Grid
from finops.ladder.simulation.computed import BudgetCourse
from finops.ladder.simulation.courses import SignalCourse
from finops.pricing.selectors import quoted

_HISTORY: Final = timedelta(days=35)  # a month for what was spent and for usual hours, and some days
_LEAST: Final = timedelta(minutes=15)  # a signal that begins that late was only missing for a moment


def begins_late(course: SignalCourse, grid: Grid) -> bool:
    """Whether the signal was not recorded in the first part of the time."""
    first = course.begins
    return first is None or first * grid.step >= _LEAST


def ledger_course(backend: MetricsBackend, budget: Budget, grid: Grid) -> BudgetCourse | None:
    """What a budget spent by its ledger; None where nobody recorded any. Raises what the backend raises."""
    expr = (
        f"sum ({names.BUDGET_LEDGER}"
        f"{{{names.BUDGET}={quoted(budget.name)},{names.CURRENCY}={quoted(budget.currency)}}})"
    )
    end = _floor(grid.last)
    entries: dict[datetime, Decimal] = {
        at: Decimal(repr(value))
        for series in backend.query_range(expr, _floor(grid.start) - _HISTORY, end, LEDGER_INTERVAL)
        for at, value in series.points
        if isfinite(value)
    }
    return BudgetCourse(budget, entries, end) if entries else None


def filled(course: SignalCourse, ledger: BudgetCourse, grid: Grid) -> Iterator[Reading]:
    """The signal's readings, those before it was recorded by the ledger."""
    first = grid.count if course.begins is None else course.begins
    return chain(_computed(course, ledger, grid, first), islice(course.readings(), first, None))


def notes(late: Mapping[str, SignalCourse], grid: Grid) -> Iterator[str]:
    """What was computed, in words."""
    for name, course in sorted(late.items()):
        until = "" if course.begins is None else f" up to {grid.at(course.begins):%Y-%m-%d %H:%M} UTC"
        yield f"{name} was not recorded{until}: it is computed from the ledger of {course.signal.subject}."


def _computed(course: SignalCourse, ledger: BudgetCourse, grid: Grid, count: int) -> Iterator[Reading]:
    known: tuple[datetime, Reading] | None = None
    for place in range(count):
        entry = _floor(grid.at(place))
        if known is None or known[0] != entry:
            known = (entry, ledger.reading(course.signal, entry))
        yield known[1]


def _floor(at: datetime) -> datetime:
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)
