"""Enumerated values, currencies, plain texts and tags."""

from collections.abc import Sequence
from typing import Final

from finops.billed.columns import CATEGORY, CURRENCY, ENUMS, REQUIRED, Column
from finops.billed.faults import Action
from finops.billed.normalising.reading import (
    NEVER,
    Check,
    Reading,
    any_of,
    identifier,
    is_text,
    nothing,
    null_literal,
    text,
)

_COMMON: Final = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK", "BRL", "PLN")


def enum(name: str, column: Column) -> Reading:
    """A value as FOCUS spells it, NULL where there is none or an unknown one."""
    x = as_text(column)
    cases = " ".join(f"WHEN {text(each.lower())} THEN {text(each)}" for each in ENUMS[name])
    value = f"CASE lower(trim({x})) {cases} END"
    known = f"({value}) IS NOT NULL"

    def check(fault: str, condition: str, done: Action) -> Check:
        return Check(fault, name, column.ordinal, condition, done, x)

    checks = [
        check("null-literal", null_literal(x), Action.NORMALISED),
        check("enum-case", f"{known} AND ({value}) <> {x}", Action.NORMALISED),
        check("enum-unknown", f"NOT ({known}) AND NOT {nothing(x)}", Action.EMPTIED),
    ]
    suspect = f"({value}) IS DISTINCT FROM nullif({x}, '')"
    if name == CATEGORY:
        checks.append(check("value-missing", nothing(x), Action.EMPTIED))
        suspect = f"({value}) IS DISTINCT FROM {x} OR {x} IS NULL"
    return Reading(value, suspect, tuple(checks))


def currency(column: Column, expected: Sequence[str] = ()) -> Reading:
    """An ISO 4217 code in capitals; a row without one, or with one that is not `expected`, cannot count."""
    x = as_text(column)
    common = ", ".join(text(each) for each in _COMMON)
    code = f"upper(trim({x}))"
    readable = (
        f"CASE WHEN {x} IN ({common}) THEN {x} "
        f"WHEN regexp_matches({code}, '^[A-Z]{{3}}$') AND {code} <> 'NUL' THEN {code} END"
    )
    fits = f"({readable}) IN ({', '.join(text(each) for each in expected)})" if expected else "TRUE"
    value = f"CASE WHEN {fits} THEN {readable} END"

    def check(fault: str, condition: str, done: Action) -> Check:
        return Check(fault, CURRENCY, column.ordinal, condition, done, x)

    checks = [
        check("null-literal", null_literal(x), Action.QUARANTINED),
        check("currency-missing", nothing(x), Action.QUARANTINED),
        check("currency-unknown", f"NOT {nothing(x)} AND ({readable}) IS NULL", Action.QUARANTINED),
        check("enum-case", f"({readable}) IS NOT NULL AND {x} <> ({readable})", Action.NORMALISED),
    ]
    if expected:
        checks.append(check("currency-unexpected", f"NOT ({fits})", Action.QUARANTINED))
    return Reading(value, f"({value}) IS DISTINCT FROM {x} OR {x} IS NULL", tuple(checks))


def plain(name: str, column: Column) -> Reading:
    """A text as it is written; blank and the literal NULL are none."""
    x = as_text(column)
    value = f"nullif(nullif({x}, ''), 'NULL')"
    literal = f"{x} = 'NULL'"
    checks = [Check("null-literal", name, column.ordinal, literal, Action.NORMALISED, x)]
    suspects = [literal]
    if name in REQUIRED:
        missing = f"{x} IS NULL OR {x} IN ('', 'NULL')"
        checks.append(Check("value-missing", name, column.ordinal, missing, Action.EMPTIED, x))
        suspects.append(missing)
    return Reading(value, any_of(suspects), tuple(checks))


def tags(name: str, column: Column) -> Reading:
    """Tags as JSON text: an object, or a list of keys and values. What is in it is looked at once per distinct text."""
    x = identifier(column.name)
    if column.type == "VARCHAR":
        value = f"nullif(nullif({x}, ''), 'NULL')"
        literal = f"{x} = 'NULL'"
        check = Check("null-literal", name, column.ordinal, literal, Action.NORMALISED, x)
        return Reading(value, literal, (check,))
    json = x if column.type == "JSON" else f"to_json({x})"
    return Reading(f"CASE WHEN {x} IS NOT NULL THEN CAST({json} AS VARCHAR) END", NEVER)


def as_text(column: Column) -> str:
    """The column as text, whatever its type."""
    x = identifier(column.name)
    return x if is_text(column.type) else f"CAST({x} AS VARCHAR)"
