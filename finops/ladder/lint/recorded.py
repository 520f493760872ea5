"""Over which windows burn rates and unit costs are recorded."""

import re
from datetime import timedelta
from typing import Final

from controlplane.specfile import Document
from finops.budgets.declared import declared as budgets_of
from finops.budgets.subject import Subject
from finops.ladder.lint.other_kinds import texts_at
from finops.ladder.model import Measure

_LENGTH: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])")  # as UnitCosts write them
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_OF_UNIT_COSTS: Final = (("spec", "windows"), ("spec", "alert", "short"), ("spec", "alert", "long"))


def recorded_windows(measure: Measure, document: Document) -> tuple[timedelta, ...]:
    """Of a Budget or UnitCost, in order; none where that is not known, as of one with mistakes."""
    if measure is Measure.BURN_RATE:
        return tuple(length for budget in budgets_of([document]).values for length in Subject(budget).lengths)
    texts = (text for path in _OF_UNIT_COSTS for text in texts_at(document, *path))
    matches = (_LENGTH.fullmatch(text) for text in texts)
    return tuple(sorted({int(match[1]) * _UNITS[match[2]] for match in matches if match}))
