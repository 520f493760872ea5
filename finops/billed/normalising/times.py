"""Times: aware UTC, in every form that exports write."""

from typing import Final

from finops.billed.columns import Column
from finops.billed.faults import Action
from finops.billed.normalising.numbers import Unreadable
from finops.billed.normalising.reading import Check, Reading, identifier, is_text, nothing, null_literal

_EARLIEST: Final = "TIMESTAMP '2000-01-01'"
_AFTER_LATEST: Final = "TIMESTAMP '2100-01-01'"
_OTHER_FORMS: Final = (
    "%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%Y%m%d", "%Y%m%dT%H%M%SZ",
    "%Y%m%dT%H%M%S.%fZ", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y",
)  # fmt: skip
"""Tried after ISO 8601. Slashes are month first, as Azure writes them: 13/01/2026 is none of these."""
_ZONE: Final = r"([Zz]|UTC|GMT|[-+][0-9]{2}(:?[0-9]{2})?)$"


def time(name: str, column: Column) -> Reading:
    """A TIMESTAMP in UTC, NULL where it cannot be read or lies out of range. Raises `Unreadable`."""
    x = identifier(column.name)
    if is_text(column.type):
        return _of_text(name, column, x)
    if column.type == "TIMESTAMP WITH TIME ZONE":
        moment = f"({x} AT TIME ZONE 'UTC')"
    elif column.type == "DATE" or column.type.startswith("TIMESTAMP"):
        moment = f"CAST({x} AS TIMESTAMP)"
    else:
        raise Unreadable(column.type)
    value = _in_range(moment)
    raw = f"CAST({x} AS VARCHAR)"
    checks = (
        Check("time-missing", name, column.ordinal, f"{x} IS NULL", Action.QUARANTINED, raw),
        Check("time-out-of-range", name, column.ordinal, f"{x} IS NOT NULL AND ({value}) IS NULL",
              Action.QUARANTINED, raw),
    )  # fmt: skip
    return Reading(value, f"({value}) IS NULL", checks)


def _in_range(moment: str) -> str:
    return f"CASE WHEN {moment} >= {_EARLIEST} AND {moment} < {_AFTER_LATEST} THEN {moment} END"


def _of_text(name: str, column: Column, x: str) -> Reading:
    trimmed = f"trim({x})"
    iso = (
        f"CASE WHEN {trimmed} < ':' THEN try_cast({x} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"  # words sort after digits
    )
    forms = ", ".join(f"'{form}'" for form in _OTHER_FORMS)
    moment = f"coalesce({iso}, try_strptime({trimmed}, [{forms}]))"
    value = _in_range(moment)

    def check(fault: str, condition: str, done: Action = Action.QUARANTINED) -> Check:
        return Check(fault, name, column.ordinal, condition, done, x)

    zone = f"regexp_matches(substr({trimmed}, 11), '{_ZONE}')"
    checks = (
        check("null-literal", null_literal(x)),
        check("time-missing", nothing(x)),
        check("time-unreadable", f"NOT {nothing(x)} AND ({moment}) IS NULL"),
        check("time-out-of-range", f"({moment}) IS NOT NULL AND ({value}) IS NULL"),
        check("time-form", f"({value}) IS NOT NULL AND ({iso}) IS NULL", Action.NORMALISED),
        check("time-without-zone", f"({value}) IS NOT NULL AND ({iso}) IS NOT NULL AND NOT {zone}", Action.NORMALISED),
    )
    suspect = f"({value}) IS NULL OR right({x}, 1) <> 'Z' OR substr({x}, 11, 1) <> 'T'"
    return Reading(value, suspect, checks)
