"""A whole row: which SQL reads the raw rows of a file with a given schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from finops.billed import columns as names
from finops.billed.columns import Column, Schema
from finops.billed.faults import Action
from finops.billed.normalising import numbers, times, words
from finops.billed.normalising.numbers import Unreadable
from finops.billed.normalising.reading import Check, Reading, any_of, identifier

_MISSING: Final = Reading("NULL")
NEEDED: Final = (names.BILLED, names.CURRENCY, *names.TIMES)
"""A row counts only with all of these."""

OUTPUT: Final[Mapping[str, str]] = {
    names.START: "start",
    names.END: "until",
    names.SERVICE: "service",
    names.SERVICE_CATEGORY: "service_category",
    names.PROVIDER: "provider",
    names.BILLING_ACCOUNT: "billing_account",
    names.ACCOUNT: "account",
    names.ACCOUNT_NAME: "account_name",
    names.REGION: "region",
    names.RESOURCE: "resource",
    names.SKU: "sku",
    names.CATEGORY: "category",
    names.CLASS: "class",
    names.COMMITMENT_STATUS: "commitment",
    names.COMMITMENT: "commitment_id",
    names.CURRENCY: "currency",
    names.BILLED: "billed",
    names.EFFECTIVE: "effective",
    names.LIST: "list",
    names.QUANTITY: "quantity",
    names.UNIT: "unit",
    names.TAGS: "tags",
}
"""FOCUS columns and what the ledger's own columns are called."""
_TYPES: Final = {
    "start": "TIMESTAMP", "until": "TIMESTAMP",
    **dict.fromkeys(("billed", "effective", "list", "quantity"), numbers.TYPE),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnreadableColumn(ValueError):
    """A column's type can hold no such values."""

    column: str
    type: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class RowReader:
    """SQL over raw rows of one schema.

    `period` is the billing period's first moment, `selected` the ledger's columns, `quarantined` holds where a row
    cannot count, `suspects` tells by FOCUS column where one of its `checks` may hold.
    """

    period: str
    selected: Mapping[str, str]
    quarantined: str
    suspects: Mapping[str, str]
    checks: tuple[Check, ...]


def row_reader(schema: Schema, currencies: Sequence[str] = ()) -> RowReader:
    """How rows of this schema are read. Raises `UnreadableColumn`."""
    readings = {name: _reading(name, column, schema, currencies) for name, column in schema.columns.items()}
    readings[names.END] = _after_start(schema, readings[names.START].value, readings[names.END])
    selected = {ours: _typed(ours, readings.get(name, _MISSING).value) for name, ours in OUTPUT.items()}
    quarantined = any_of([f"({readings[name].value}) IS NULL" for name in NEEDED])
    suspects = {name: reading.suspect for name, reading in readings.items() if reading.checks}
    checks = tuple(check for reading in readings.values() for check in reading.checks)
    return RowReader(readings[names.PERIOD].value, selected, quarantined, suspects, checks)


def _typed(ours: str, value: str) -> str:
    return f"CAST({value} AS {_TYPES.get(ours, 'VARCHAR')})" if value == "NULL" else value


def _after_start(schema: Schema, start: str, end: Reading) -> Reading:
    """An end that does not come after the start is none."""
    column = schema.columns[names.END]
    raw = f"CAST({identifier(column.name)} AS VARCHAR)"
    reversed_ = f"({end.value}) <= ({start})"
    check = Check("period-reversed", names.END, column.ordinal, reversed_, Action.QUARANTINED, raw)
    value = f"CASE WHEN ({end.value}) > ({start}) THEN {end.value} END"
    return Reading(value, any_of([end.suspect, reversed_]), (*end.checks, check))


def _reading(name: str, column: Column, schema: Schema, currencies: Sequence[str]) -> Reading:
    try:
        if name in names.COSTS:
            return numbers.cost(name, column)
        if name in names.TIMES:
            return times.time(name, column)
        if name == names.QUANTITY:
            return numbers.quantity(column, is_usage=_is_usage(schema))
    except Unreadable:
        raise UnreadableColumn(column.name, column.type, column.ordinal) from None
    if name in names.ENUMS:
        return words.enum(name, column)
    if name == names.CURRENCY:
        return words.currency(column, currencies)
    if name == names.TAGS:
        return words.tags(name, column)
    return words.plain(name, column)


def _is_usage(schema: Schema) -> str:
    """Where a row is usage and no correction."""
    category = words.enum(names.CATEGORY, schema.columns[names.CATEGORY]).value
    corrected = schema.get(names.CLASS)
    if corrected is None:
        return f"({category}) = 'Usage'"
    return f"({category}) = 'Usage' AND ({words.enum(names.CLASS, corrected).value}) IS NULL"
