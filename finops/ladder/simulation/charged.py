"""History out of charges and traffic, without any metrics."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.model.budget import Budget
from finops.ladder.model import Ladder
from finops.ladder.readings import Readings
from finops.ladder.signals.scopes import OF_BUDGETS
from finops.ladder.simulation.computed import BudgetCourse, Courses, UnitCostCourse, UnitCourse, follows, without
from finops.ladder.simulation.model import History, Point
from finops.ladder.simulation.recorded import budgets_of, counted_budgets
from finops.ladder.simulation.spend_entries import Charge, Entries, entries_of

_AN_HOUR: Final = 12  # entries


@dataclass(frozen=True, slots=True)
class Charged:
    """What is known: charges by budget and by unit cost, units of work, users over time.

    The bill is complete from `start` to `end`. `targets` of unit costs: per how many units, and what those may cost.
    """

    start: datetime
    end: datetime
    budgets: Mapping[str, Budget]
    spent: Mapping[str, Sequence[Charge]]
    unit_spent: Mapping[str, Sequence[Charge]] = field(default_factory=dict)
    targets: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    units: Sequence[Charge] = ()
    users: Sequence[tuple[datetime, datetime, Decimal]] = ()
    origin: str = ""
    notes: tuple[str, ...] = ()


def charged_history(ladder: Ladder, of: Charged, start: datetime, end: datetime) -> tuple[Ladder, History]:
    """History from `start` to before `end`, a point each five minutes; and the ladder without what it cannot know."""
    entries = {name: entries_of(charges, of.start, of.end) for name, charges in of.spent.items()}
    courses = Courses(
        {name: BudgetCourse(of.budgets[name], each, of.end) for name, each in entries.items()},
        {name: UnitCostCourse(name, each, of.end) for name, each in _unit_courses(of)},
    )
    unknown = [
        signal.name
        for signal in ladder.signals
        if not follows(signal)
        or signal.subject not in (courses.budgets if signal.measure in OF_BUDGETS else courses.unit_costs)
    ]
    known, left_out = without(ladder, unknown)
    count = max((end - start) // LEDGER_INTERVAL, 1)
    counted = [entries[name] for name in counted_budgets(ladder, of.budgets) if name in entries]
    users = _stepwise(of.users)
    points = [_point(known, courses, start + (place + 1) * LEDGER_INTERVAL, counted, users) for place in range(count)]
    begin = start + LEDGER_INTERVAL  # an entry is known when it ends
    history = History(begin, LEDGER_INTERVAL, points, budgets_of(ladder, of.budgets), of.origin, (*of.notes, *left_out))
    return known, history


def _unit_courses(of: Charged) -> Iterable[tuple[str, UnitCourse]]:
    if not of.units:
        return
    units = entries_of(of.units, min(each.start for each in of.units), max(each.end for each in of.units))
    for name, charges in of.unit_spent.items():
        per, target = of.targets[name]
        yield name, UnitCourse(entries_of(charges, of.start, of.end), units, per, target)


def _point(
    ladder: Ladder, courses: Courses, at: datetime, counted: Sequence[Entries], users: Mapping[datetime, Decimal]
) -> Point:
    signals = {signal.name: courses.reading(signal, at) for signal in ladder.signals}
    known = [each[at] for each in counted if at in each]
    spend = sum(known, Decimal(0)) * _AN_HOUR if known else None
    return Point(Readings(at, signals), users.get(at), spend)


def _stepwise(spans: Sequence[tuple[datetime, datetime, Decimal]]) -> dict[datetime, Decimal]:
    """Users at the end of each five minutes."""
    found: dict[datetime, Decimal] = {}
    for start, end, users in spans:
        at = start + LEDGER_INTERVAL - (start - datetime.min.replace(tzinfo=start.tzinfo)) % LEDGER_INTERVAL
        while at <= end:
            found[at] = users
            at += LEDGER_INTERVAL
    return found
