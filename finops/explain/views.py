"""An explained change in words, as data and as rows."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import wrap
from typing import Final
from urllib.parse import quote

from controlplane.model.event import JSON
from controlplane.model.spend import Ledger
from finops.explain.explaining import Report
from finops.explain.model import Effects, Explanation, Key, Mover
from finops.explain.tables import without_quantity

EFFECTS: Final[Mapping[str, str]] = {
    "volume": "more or fewer of what it is for",
    "efficiency": "more or less consumed for each",
    "usage": "more or less consumed (no driver known)",
    "mix": "dearer or cheaper items",
    "price": "unit prices",
    "new": "not there before",
    "gone": "no longer there",
    "other": "without a quantity: taxes, credits, idle, purchases",
}
MOST_MOVERS: Final = 8
MOST_CHANGES: Final = 12
_SHORT: Final = timedelta(hours=6)  # of which 9 minutes are more than 2 %
_WIDTH: Final = 80
_NAME: Final = 20
_CELL: Final = 11
_NONE: Final = "(none)"
_CENTS_BELOW: Final = 10_000
_HALF_A_CENT: Final = Decimal("0.005")


def signed(amount: Decimal) -> str:
    """`+1,234.56`, without cents from ten thousand on; a proper minus sign."""
    text = f"{abs(amount):,.{0 if abs(amount) >= _CENTS_BELOW else 2}f}"
    if not text.strip("0.,"):
        return text
    return f"−{text}" if amount < 0 else f"+{text}"


def trace_url(template: str, trace_id: str) -> str:
    """Where a trace can be seen; empty without a template that has `{trace_id}`."""
    return template.replace("{trace_id}", quote(trace_id, safe="")) if "{trace_id}" in template else ""


def as_lines(report: Report, *, traces_at: str = "", most: int = MOST_MOVERS) -> Iterator[str]:
    """What changed, by what, who moved most, what was changed meanwhile, and traces; tables fit 80 columns."""
    periods = report.asked.periods
    yield (
        f"{_span(periods.start, periods.end)} against {_span(periods.against_start, periods.against_end)}, "
        f"{report.asked.ledger.value}"
    )
    if not report.explanations:
        yield "Nothing was spent in either period, as far as this ledger knows."
    for found in report.explanations:
        yield ""
        yield from _currency(found, report, most)
    yield from _changes(report)
    yield from _traces(report, traces_at)
    yield from _notes(report)


def _shows(amount: Decimal) -> bool:
    """Whether there is anything to see with two decimal places."""
    return abs(amount) >= _HALF_A_CENT


def _span(start: datetime, end: datetime) -> str:
    whole = not any((start.hour, start.minute, start.second, end.hour, end.minute, end.second))
    form = "%Y-%m-%d" if whole else "%Y-%m-%d %H:%M"
    return f"{start:{form}} … {end:{form}}"


def _currency(found: Explanation, report: Report, most: int) -> Iterator[str]:
    relative = f" ({signed(found.change / abs(found.before) * 100)} %)" if found.before else ""
    yield f"{found.currency}  {found.before:,.2f} → {found.after:,.2f}   {signed(found.change)}{relative}"
    for name, value in found.effects.by_name().items():
        if _shows(value):
            yield f"  {name:<10} {signed(value):>14}  {EFFECTS[name]}"
    yield ""
    yield from _movers(found, report.asked.by, most)


def _movers(found: Explanation, by: Sequence[str], most: int) -> Iterator[str]:
    told = [mover for mover in found.groups if _shows(mover.change)][:most]
    if not told:
        yield "  nothing moved"
        return
    effects = [name for name in EFFECTS if any(_shows(mover.effects.by_name()[name]) for mover in told)]
    room = max((_WIDTH - _NAME - 13) // _CELL, 1)
    shown = sorted(effects, key=lambda name: -sum(abs(mover.effects.by_name()[name]) for mover in told))[:room]
    shown = [name for name in effects if name in shown]
    title = " / ".join(by).upper() or "ALL"
    yield f"  {_fit(title, _NAME)} {'CHANGE':>9} " + "".join(f"{name.upper():>11}" for name in shown)
    for mover in told:
        cells = "".join(f"{signed(mover.effects.by_name()[name]):>11}" for name in shown)
        yield f"  {_fit(label(mover.group), _NAME)} {signed(mover.change):>9} {cells}"
    rest = sum(_shows(mover.change) for mover in found.groups) - len(told)
    if rest:
        yield f"  … and {rest} more (--json has all)"


def label(key: Key) -> str:
    """A group's or an item's name."""
    return " / ".join(part or _NONE for part in key) or "all"


def _fit(text: str, width: int) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return f"{printable if len(printable) <= width else printable[: width - 1] + '…':<{width}}"


def _changes(report: Report) -> Iterator[str]:
    yield ""
    if not report.changes:
        yield "Changed in that time: nothing that the event log or build_info knows of"
        return
    yield "Changed in that time"
    for change in report.changes[-MOST_CHANGES:]:
        yield _fit(f"  {change.at:%Y-%m-%d %H:%M}  {change.kind}  {change.subject}  {change.detail}", _WIDTH).rstrip()
    if len(report.changes) > MOST_CHANGES:
        yield f"  … and {len(report.changes) - MOST_CHANGES} before them (--json has all)"


def _traces(report: Report, traces_at: str) -> Iterator[str]:
    if report.traces:
        yield ""
        yield "Traces"
    for trace in report.traces:
        where = trace_url(traces_at, trace.trace_id) or trace.trace_id
        yield f"  {_fit(trace.service, 18)} {trace.at:%m-%d %H:%M}  {where}"


def _notes(report: Report) -> Iterator[str]:
    notes = []
    for found in report.explanations:
        uncounted = without_quantity(found)
        if uncounted:
            notes.append(f"{uncounted:,.2f} {found.currency} has no quantity: its change is told as other")
        if found.undriven:
            notes.append(
                f"no driver is known of {_few([label(key) for key in found.undriven])}: volume and efficiency are told "
                "as usage; --driver counts what the spend is for"
            )
    if not report.is_covered:
        until = report.complete_until
        known = f"the ledger ends at {until:%Y-%m-%d %H:%M} UTC" if until else "the ledger has no end"
        notes.append(f"{known}: the later period is not complete")
    asked = report.asked
    if asked.ledger is Ledger.ESTIMATED and asked.periods.length < _SHORT:
        notes.append(
            "periods this short: money is in the ledger every 5 minutes, up to 9 minutes after its usage, and what that"
            " leaves is told as price"
        )
    notes.extend(report.missing)
    if notes:
        yield ""
        yield "Note"
        for note in notes:
            yield from wrap(note, _WIDTH, initial_indent="  ", subsequent_indent="    ")


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def as_data(report: Report, *, traces_at: str = "") -> dict[str, JSON]:
    """For programs: decimals as strings, times as ISO 8601, every group and item."""
    asked, periods = report.asked, report.asked.periods
    return {
        "ledger": asked.ledger.value,
        "from": periods.start.isoformat(),
        "to": periods.end.isoformat(),
        "against": {"from": periods.against_start.isoformat(), "to": periods.against_end.isoformat()},
        "by": list(asked.by),
        "where": {name: list(values) for name, values in asked.where.items()},
        "complete_until": report.complete_until.isoformat() if report.complete_until else None,
        "currencies": [_currency_data(found, asked.by) for found in report.explanations],
        "changes": [
            {"at": each.at.isoformat(), "kind": each.kind, "subject": each.subject, "detail": each.detail}
            for each in report.changes
        ],
        "traces": [
            {
                "service": each.service, "trace_id": each.trace_id, "at": each.at.isoformat(), "metric": each.metric,
                "value": repr(each.value), "url": trace_url(traces_at, each.trace_id),
            }
            for each in report.traces
        ],
        "missing": list(report.missing),
    }  # fmt: skip


def _currency_data(found: Explanation, by: Sequence[str]) -> JSON:
    return {
        "currency": found.currency,
        "before": f"{found.before:f}",
        "after": f"{found.after:f}",
        "change": f"{found.change:f}",
        "effects": _effects(found.effects),
        "driver": found.driver,
        "without_quantity": f"{without_quantity(found):f}",
        "groups": [_mover_data(mover, by) for mover in found.groups],
        "items": [_mover_data(mover, by) for mover in found.items],
    }


def _mover_data(mover: Mover, by: Sequence[str]) -> JSON:
    data: dict[str, JSON] = {
        "group": dict(zip(by, mover.group, strict=True)),
        "before": f"{mover.before:f}",
        "after": f"{mover.after:f}",
        "change": f"{mover.change:f}",
        "effects": _effects(mover.effects),
    }
    if mover.item is not None:
        quantities = (mover.quantity_before, mover.quantity_after)
        old, new = (None if quantity is None else f"{quantity:f}" for quantity in quantities)
        data |= {"item": list(mover.item), "unit": mover.unit, "quantity_before": old, "quantity_after": new}
    return data


def _effects(effects: Effects) -> dict[str, JSON]:
    return {name: f"{value:f}" for name, value in effects.by_name().items()}


def csv_columns(by: Sequence[str]) -> tuple[str, ...]:
    """The header of `csv_rows`."""
    return ("currency", *by, "before", "after", "change", *EFFECTS)


def csv_rows(report: Report) -> Iterator[Mapping[str, str]]:
    """A row for each group and currency, exact figures."""
    by = report.asked.by
    for found in report.explanations:
        for mover in found.groups:
            groups = {name: part or "" for name, part in zip(by, mover.group, strict=True)}
            sums = {"before": f"{mover.before:f}", "after": f"{mover.after:f}", "change": f"{mover.change:f}"}
            effects = {name: f"{value:f}" for name, value in mover.effects.by_name().items()}
            yield {"currency": found.currency, **groups, **sums, **effects}
