"""Costs and quantities: exact decimals with 18 places, whatever type the file has."""

import re
from dataclasses import dataclass
from typing import Final

from finops.billed.columns import BILLED, QUANTITY, Column
from finops.billed.faults import Action
from finops.billed.normalising.reading import NEVER, Check, Reading, any_of, identifier, is_text, null_literal

TYPE: Final = "DECIMAL(38,18)"
PLACES: Final = 18
LIMIT: Final = "1000000000000000"  # 10^15: sums of a hundred thousand such rows still fit into 38 digits
_FAST: Final = "DECIMAL(18,10)"
_FAST_BELOW: Final = "100000"
_SAFE_LENGTH: Final = 19  # a text that short has at most 18 decimals
_DECIMAL: Final = re.compile(r"DECIMAL\((\d+),(\d+)\)")
_WHOLE: Final = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT",
)  # fmt: skip
_NUMBER: Final = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$"
_NOT_FINITE: Final = r"^[-+]?(nan|inf|infinity)$"


class Unreadable(ValueError):
    """The column's type cannot hold such values."""


@dataclass(frozen=True, slots=True)
class _Exact:
    """A number's expression, where it may be wrong (without asking for its value), and where it was rounded.

    `bounded`: the value is NULL beyond the limit already.
    """

    value: str
    suspect: str
    rounded: str
    bounded: bool = False


def cost(name: str, column: Column) -> Reading:
    """A cost. Without a readable BilledCost a row cannot count; other costs are missing then.

    A DOUBLE has no exact digits: it is taken as the shortest decimal that reads back as the same DOUBLE, with 18 places
    (differs by 5 × 10^-19 at most). Raises `Unreadable`.
    """
    action = Action.QUARANTINED if name == BILLED else Action.EMPTIED
    return _number("cost", name, column, action, required=True)


def quantity(column: Column, *, is_usage: str) -> Reading:
    """ConsumedQuantity; empty where it cannot be read, or is negative though `is_usage` (SQL) says that it is usage."""
    reading = _number("quantity", QUANTITY, column, Action.EMPTIED, required=False)
    number = reading.value if is_text(column.type) else identifier(column.name)
    negative = f"({number}) < 0 AND {is_usage}"
    check = Check("quantity-negative", QUANTITY, column.ordinal, negative, Action.EMPTIED, _raw(column))
    value = f"CASE WHEN {negative} THEN NULL ELSE {reading.value} END"
    return Reading(value, any_of([reading.suspect, negative]), (*reading.checks, check))


def _number(kind: str, name: str, column: Column, action: Action, *, required: bool) -> Reading:
    x = identifier(column.name)
    exact = _exact(x, column.type)
    value = exact.value if exact.bounded else f"CASE WHEN abs({exact.value}) < {LIMIT} THEN {exact.value} END"
    raw = _raw(column)
    blank = f"trim(coalesce({raw}, '')) = ''"
    literal = null_literal(raw) if is_text(column.type) else NEVER
    number = f"regexp_matches(trim({raw}), '{_NUMBER}')"
    not_finite = f"regexp_matches(lower(trim({raw})), '{_NOT_FINITE}')"
    failed = f"({value}) IS NULL"

    def check(fault: str, condition: str, done: Action) -> Check:
        return Check(fault, name, column.ordinal, condition, done, raw)

    checks = [
        check("null-literal", literal, action if required and action is Action.QUARANTINED else Action.NORMALISED),
        check(f"{kind}-not-finite", f"{failed} AND {not_finite}", action),
        check(f"{kind}-out-of-range", f"{failed} AND {number}", action),
        check(
            f"{kind}-not-a-number",
            f"{failed} AND NOT ({blank}) AND NOT coalesce({literal}, FALSE) AND NOT ({number}) AND NOT ({not_finite})",
            action,
        ),
        check(f"{kind}-rounded", f"NOT ({failed}) AND ({exact.rounded})", Action.NORMALISED),
    ]
    if required:
        missing = f"({blank}) OR coalesce({literal}, FALSE)"
        checks.append(check(f"{kind}-missing", missing, action))
    present = NEVER if required else f"({x} IS NOT NULL)"
    suspect = exact.suspect if exact.bounded else any_of([failed, exact.suspect])
    suspect = suspect if required else f"({suspect}) AND {present}"
    return Reading(value, suspect, tuple(each for each in checks if each.condition != NEVER))


def _exact(x: str, type_: str) -> _Exact:
    if is_text(type_):
        return _of_text(x)
    if type_ == "DOUBLE":
        return _Exact(_of_double(x), f"{x} IS NULL OR NOT (abs({x}) < {LIMIT})", NEVER, bounded=True)
    if type_ == "FLOAT":
        return _Exact(f"try_cast(CAST({x} AS VARCHAR) AS {TYPE})", NEVER, NEVER)
    if type_ in _WHOLE:
        return _Exact(f"try_cast({x} AS {TYPE})", NEVER, NEVER)
    if found := _DECIMAL.fullmatch(type_):
        return _of_decimal(x, type_, precision=int(found[1]), scale=int(found[2]))
    raise Unreadable(type_)


def _of_decimal(x: str, type_: str, *, precision: int, scale: int) -> _Exact:
    if scale <= PLACES:
        if precision - scale < len(LIMIT):
            return _Exact(f"CAST({x} AS {TYPE})", f"{x} IS NULL", NEVER, bounded=True)
        value = f"CASE WHEN abs({x}) < {LIMIT} THEN CAST({x} AS {TYPE}) END"
        return _Exact(value, f"{x} IS NULL OR NOT (abs({x}) < {LIMIT})", NEVER, bounded=True)
    rounded = f"CAST(CAST({x} AS {TYPE}) AS {type_}) <> {x}"
    return _Exact(f"CAST({x} AS {TYPE})", rounded, rounded)


def _of_double(x: str) -> str:
    """Below 10^5, ten places that read back as the same DOUBLE are at most 15 digits: the shortest that do."""
    as_text = f"try_cast(CAST({x} AS VARCHAR) AS {TYPE})"
    fast = f"CAST({x} AS {_FAST})"
    return (
        f"CASE WHEN abs({x}) < {_FAST_BELOW} THEN "
        f"(CASE WHEN CAST({fast} AS DOUBLE) = {x} THEN CAST({fast} AS {TYPE}) ELSE {as_text} END) "
        f"WHEN abs({x}) < {LIMIT} THEN {as_text} END"
    )


def _of_text(x: str) -> _Exact:
    """DuckDB would also read `1_000` and `.` as numbers."""
    value = f"CASE WHEN contains({x}, '_') OR ltrim(trim({x}), '+-') = '.' THEN NULL ELSE try_cast({x} AS {TYPE}) END"
    has_exponent = f"contains(lower({x}), 'e')"
    mantissa = f"ltrim(regexp_replace(trim({x}), '[eE].*$', ''), '+-')"
    digits = f"replace({mantissa}, '.', '')"
    exponent = f"coalesce(try_cast(regexp_extract({x}, '[eE]([-+]?[0-9]+)', 1) AS INTEGER), 0)"
    decimals = (
        f"length(split_part({mantissa}, '.', 2)) - {exponent} - (length({digits}) - length(rtrim({digits}, '0')))"
    )
    rounded = (
        f"(length({x}) > {_SAFE_LENGTH} OR {has_exponent}) AND trim({digits}, '0') <> '' AND {decimals} > {PLACES}"
    )
    return _Exact(value, f"length({x}) > {_SAFE_LENGTH} OR {has_exponent}", rounded)


def _raw(column: Column) -> str:
    x = identifier(column.name)
    return x if is_text(column.type) else f"CAST({x} AS VARCHAR)"
