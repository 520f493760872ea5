"""Past unit costs as text, JSON and CSV."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from controlplane import wording
from exporters.unit_cost.history import Group, UnitCostRow
from exporters.unit_cost.texts import grouped
from flyball.money.text_table import text_table
from flyball.money.unit_costs import PastUnitCost

CSV_COLUMNS: Final = ("unit_cost", "day", "group", "currency", "cost", "units", "per", "unit_cost_value")
_NO_VALUE: Final = "no units"
_ONE_DAY: Final = timedelta(days=1)


def as_data(past: PastUnitCost) -> dict[str, Any]:
    """For programs: decimals as strings, None where something is unknown."""
    it = past.unit_cost
    return {
        "unitCost": it.name,
        "currency": it.currency,
        "per": _text(it.per),
        "unit": it.units.what,
        "target": _text(it.target),
        "from": _iso(past, first=True),
        "to": _iso(past, first=False),
        "groups": [
            {
                "group": dict(zip(past.by, row.group, strict=True)),
                "days": row.days,
                "cost": _text(row.cost),
                "units": _text(row.units),
                "value": _text(row.value),
                "ofTarget": _text(_share(past, row)),
                "costWithoutUnits": _text(row.uncounted),
                "unitsWithoutCost": _text(row.unpaid),
            }
            for row in past.rows
        ],
    }


def csv_rows(past: PastUnitCost) -> Iterator[Mapping[str, str]]:
    """A row for each day and group; what is unknown is empty."""
    it = past.unit_cost
    for row in past.days:
        yield {
            "unit_cost": it.name,
            "day": row.day[:10],
            "group": named(past.by, row.group, ""),
            "currency": it.currency,
            "cost": _text(row.cost) or "",
            "units": _text(row.units) or "",
            "per": _text(it.per) or "",
            "unit_cost_value": _text(row.value) or "",
        }


def as_text(past: PastUnitCost) -> str:
    """For people: a title, a table, and what is missing."""
    return "\n".join(_lines(past))


def _lines(past: PastUnitCost) -> Iterator[str]:
    it = past.unit_cost
    days = (past.until - past.start) // _ONE_DAY
    yield f"{it.display_name or it.name}: {it.currency} for {grouped(it.per)} {it.units.what}"
    if not days:
        yield f"The ledger has no whole day since {past.start:%Y-%m-%d} yet."
        return
    last = past.until - _ONE_DAY
    target = f"; target {grouped(it.target)} {it.currency}" if it.target is not None else ""
    yield f"{past.start:%Y-%m-%d} to {last:%Y-%m-%d}, UTC, {days} day{'' if days == 1 else 's'}{target}"
    if not past.rows:
        yield "No cost and no units are known. Check the scope, the ledger and the query of its units."
        return
    yield ""
    yield from _table(past)
    yield from _missing(past, days)


def _table(past: PastUnitCost) -> Iterator[str]:
    it = past.unit_cost
    header = [", ".join(past.by) or "all", f"cost, {it.currency}", "units", f"per {grouped(it.per)}"]
    header += ["of target"] if it.target is not None else []
    rows = []
    for row in past.rows:
        value = wording.money(row.value, "") if row.value is not None else _NO_VALUE
        cells = [named(past.by, row.group, "all"), wording.money(row.cost, ""), wording.count(float(row.units)), value]
        share = _share(past, row)
        rows.append([*cells, *([] if it.target is None else ["" if share is None else _per_cent(share)])])
    yield text_table(header, rows)


def _per_cent(share: Decimal) -> str:
    return f"{wording.percent(float(share))}{' ▲' if share > 1 else ''}"


def _missing(past: PastUnitCost, days: int) -> Iterator[str]:
    it = past.unit_cost
    if past.left_out:
        yield f"Only bills know what these steps spread: {', '.join(past.left_out)}."
    above = [row for row in past.rows if (share := _share(past, row)) is not None and share > 1]
    if above:
        which = ", ".join(named(past.by, row.group, "it") for row in above)
        yield f"Above the target (▲): {which}."
    uncounted = sum((row.uncounted for row in past.rows), Decimal(0))
    if uncounted:
        yield f"Left out: {wording.money(uncounted, it.currency)} of days without known units."
    if any(row.unpaid for row in past.rows):
        yield "Left out: units of days without known cost."
    fewest = min(row.days for row in past.rows)
    if fewest < days:
        yield f"Not every group has both every day: one has them on {fewest} of {days}."


def named(by: tuple[str, ...], group: Group, without: str) -> str:
    """A group as people read it: `jdbc`, `none`; several labels as `tenant=alpha, route=/pay`."""
    if not by:
        return without
    texts = [value or "(none)" for value in group]
    return texts[0] if len(by) == 1 else ", ".join(f"{label}={text}" for label, text in zip(by, texts, strict=True))


def _share(past: PastUnitCost, row: UnitCostRow) -> Decimal | None:
    return None if past.unit_cost.target is None or row.value is None else row.value / past.unit_cost.target


def _text(value: Decimal | None) -> str | None:
    if value is None:
        return None
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _iso(past: PastUnitCost, *, first: bool) -> str:
    return f"{past.start if first else past.until:%Y-%m-%dT%H:%M:%SZ}"
