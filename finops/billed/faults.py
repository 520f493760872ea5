"""Data faults: what may be wrong with a value, and what becomes of its row. Each has a name of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Action(Enum):
    """What was done about it."""

    NORMALISED = "normalised"  # the value is clear although it is spelled otherwise: the row counts
    EMPTIED = "emptied"  # the row counts, the field is empty
    QUARANTINED = "quarantined"  # the row counts nowhere; its money is told apart


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault, as reports and the metric `flyball_billed_faults` name it."""

    name: str
    meaning: str


ALL: Final = (
    Fault("null-literal", "the text NULL stands for no value"),
    Fault("value-missing", "a value that FOCUS requires is not there"),
    Fault("cost-missing", "a cost is empty"),
    Fault("cost-not-finite", "a cost is NaN or infinite"),
    Fault("cost-not-a-number", "a cost is no number"),
    Fault("cost-out-of-range", "a cost is beyond ±10^15"),
    Fault("cost-rounded", "a cost has more than 18 decimals and was rounded to 18"),
    Fault("quantity-not-finite", "a quantity is NaN or infinite"),
    Fault("quantity-not-a-number", "a quantity is no number"),
    Fault("quantity-out-of-range", "a quantity is beyond ±10^15"),
    Fault("quantity-rounded", "a quantity has more than 18 decimals and was rounded to 18"),
    Fault("quantity-negative", "usage is negative, and the charge is no correction"),
    Fault("time-missing", "a time is empty"),
    Fault("time-unreadable", "a time is in no form that we know"),
    Fault("time-without-zone", "a time has no time zone and was taken as UTC"),
    Fault("time-form", "a time is not written as in ISO 8601"),
    Fault("time-out-of-range", "a time lies before 2000 or after 2099"),
    Fault("period-reversed", "ChargePeriodEnd does not come after ChargePeriodStart"),
    Fault("enum-case", "an enumerated value is spelled in other letter case"),
    Fault("enum-unknown", "a value is not among those that FOCUS allows"),
    Fault("currency-missing", "there is no currency"),
    Fault("currency-unknown", "a currency is not a code of three letters (ISO 4217)"),
    Fault("currency-unexpected", "the source names its currencies, and this is another one"),
    Fault("currency-mixed", "the period has several currencies; they are never added up"),
    Fault("tags-unreadable", "tags are not a JSON object, nor a list of keys and values"),
    Fault("tag-key-spaced", "a tag's key has spaces around it"),
    Fault("tag-conflict", "two keys of a row are the same but for spaces or letter case, with different values"),
    Fault("row-shape", "a row has more or fewer fields than the header, or broken quotes"),
)
BY_NAME: Final[Mapping[str, Fault]] = {fault.name: fault for fault in ALL}

MAX_SHOWN: Final = 80  # characters of a value that a report repeats
EXAMPLES: Final = 100  # of a fault in a column that a report lists; all are counted


@dataclass(frozen=True, slots=True)
class Example:
    """One faulty value. `row` counts data rows from 1; `line` is that of a text file, None elsewhere."""

    file: str
    row: int
    line: int | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """How often a fault was found in a column, and the first of those places. `ordinal` is the column's, from 1."""

    fault: str
    column: str
    ordinal: int
    action: Action
    rows: int
    examples: tuple[Example, ...] = ()


def shown(value: str | None) -> str | None:
    """A value as reports repeat it: one line of at most 80 characters."""
    if value is None:
        return None
    flat = value.replace("\r", "␍").replace("\n", "␊")
    return flat if len(flat) <= MAX_SHOWN else f"{flat[: MAX_SHOWN - 1]}…"
