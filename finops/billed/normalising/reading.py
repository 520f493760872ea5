"""How one column is read: an expression for its value, and conditions that tell what was wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from finops.billed.faults import Action

NEVER: Final = "FALSE"


@dataclass(frozen=True, slots=True)
class Check:
    """A fault of a column: where `condition` (SQL) holds, the value `raw` (SQL, text) has it."""

    fault: str
    column: str
    ordinal: int
    condition: str
    action: Action
    raw: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A column's value as SQL over a raw row.

    `suspect` is cheap and holds wherever one of the checks may hold: only such rows are checked in full.
    """

    value: str
    suspect: str = NEVER
    checks: tuple[Check, ...] = ()


def identifier(name: str) -> str:
    """A name as SQL takes it, whatever characters it has."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def any_of(conditions: Sequence[str]) -> str:
    """Holds where one of them does; never without any."""
    real = [f"({each})" for each in conditions if each != NEVER]
    return " OR ".join(real) if real else NEVER


def is_text(type_: str) -> bool:
    """Whether a DuckDB type is text."""
    return type_ in ("VARCHAR", "JSON")


def nothing(column: str) -> str:
    """Where a text column has no value: NULL, blank, or the literal NULL."""
    return f"({column} IS NULL OR trim({column}) = '' OR upper(trim({column})) = 'NULL')"


def null_literal(column: str) -> str:
    """Where a text column says NULL in letters."""
    return f"upper(trim({column})) = 'NULL'"
