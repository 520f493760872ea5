"""What a simulation must not come to, as people type it: `flaps>0`, `degraded_user_minutes >= 5000`."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Final

from finops.ladder.simulation.model import Totals

_OPERATORS: Final[Mapping[str, Callable[[Decimal, Decimal], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
FIGURES: Final = (
    "flaps",
    "moves",
    "undone",
    "saved",
    "degraded_minutes",
    "degraded_user_minutes",
    "max_tier",
    "held_minutes",
    "minutes_without_data",
)
_SHAPE: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*([<>=!]+)\s*(\S+)\s*", re.ASCII)
_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,15}(?:\.[0-9]{0,12})?|\.[0-9]{1,12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FailOn:
    """One figure against a number; it fails where this holds."""

    figure: str
    operator: str
    number: Decimal

    def holds(self, totals: Totals) -> bool:
        """Whether the simulation came to that."""
        return _OPERATORS[self.operator](value_of(totals, self.figure), self.number)

    def __str__(self) -> str:
        return f"{self.figure} {self.operator} {self.number:f}"


def fail_on(text: str) -> FailOn:
    """What was typed. Raises ValueError with what is wrong and how it is written."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise ValueError(f"`{text}` is not FIGURE OPERATOR NUMBER: write it as flaps>0; {_known()}")
    figure, sign, number = shape.groups()
    if figure not in FIGURES:
        near = get_close_matches(figure, FIGURES, 1)
        raise ValueError(f"`{figure}` is no figure" + (f", did you mean `{near[0]}`?" if near else f"; {_known()}"))
    if sign not in _OPERATORS:
        hint = ", did you mean `==`?" if sign == "=" else f": there are {' '.join(_OPERATORS)}"
        raise ValueError(f"`{sign}` is no operator{hint}")
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"`{number}` is no number such as 0 or 12.5: no unit, no thousands separator")
    return FailOn(figure, sign, Decimal(number))


def value_of(totals: Totals, figure: str) -> Decimal:
    """One of `FIGURES`."""
    return Decimal(getattr(totals, figure))


def _known() -> str:
    return f"figures are {', '.join(FIGURES)}"
