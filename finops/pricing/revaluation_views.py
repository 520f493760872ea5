"""What a changed price map would have done, in words and as JSON."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from controlplane.model.event import JSON
from controlplane.wording import percent
from finops.pricing.revaluing import Revaluation, RevaluedItem

_PLACES: Final = Decimal("1e-12")
_CENT: Final = Decimal("0.01")
_WELL_KNOWN: Final = Decimal("0.99")
_MOST_SERVICES: Final = 3


def words(found: Revaluation) -> Iterator[str]:
    """A line for each item that differs, the largest change first, and one that sums them up by currency."""
    for item in sorted(found.items, key=lambda each: -abs(_change(each.old, each.new))):
        yield f"{item.item}: {_told(item)}{_services(found, item)}{_unsure(item)}"
    for currency in sorted({item.currency for item in found.items}):
        alike = [item for item in found.items if item.currency == currency]
        old, new = _total([item.old for item in alike]), _total([item.new for item in alike])
        if len(alike) > 1:
            yield f"in all: {_from_to(old, new, currency)}"


def as_json(found: Revaluation) -> JSON:
    """Decimals as text; null where nothing is known or the map has no such item."""
    return {
        "from": f"{found.start:%Y-%m-%dT%H:%M:%SZ}",
        "to": f"{found.end:%Y-%m-%dT%H:%M:%SZ}",
        "items": [
            {
                "item": each.item,
                "currency": each.currency,
                "old": _text(each.old),
                "new": _text(each.new),
                "known_ratio": _text(each.known),
                "unpriced_units": _text(each.unpriced),
            }
            for each in found.items
        ],
        "services": [
            {
                "item": row.item,
                "service": row.service or None,
                "currency": row.currency,
                "old": _text(row.old),
                "new": _text(row.new),
            }
            for row in found.rows
        ],
    }


def money(amount: Decimal, currency: str) -> str:
    """Rounded to cents, with its currency: `4,210.33 USD`."""
    return f"{amount.quantize(_CENT):,} {currency}"


def _told(item: RevaluedItem) -> str:
    if item.old is None and item.new is None:
        return "no usage is known, so nothing can be said"
    if item.old is None:
        return f"new; would have cost {money(item.new or Decimal(0), item.currency)}"
    if item.new is None:
        return f"gone; cost {money(item.old, item.currency)}"
    return _from_to(item.old, item.new, item.currency)


def _from_to(old: Decimal, new: Decimal, currency: str) -> str:
    if old == new:
        return f"{money(old, currency)}, unchanged"
    text = f"{money(old, currency)} → {money(new, currency)}"
    if not old:
        return text
    change = (new - old) / old
    return f"{text} ({'+' if change > 0 else ''}{percent(float(change))})"


def _services(found: Revaluation, item: RevaluedItem) -> str:
    """Where most of the change is."""
    rows = [row for row in found.rows if row.item == item.item and row.service and row.old is not None]
    changed = sorted((row for row in rows if row.new not in (None, row.old)), key=lambda r: -abs(_change(r.old, r.new)))
    if len(rows) < 2 or not changed:
        return ""
    told = (f"{row.service} {_signed(_change(row.old, row.new), row.currency)}" for row in changed[:_MOST_SERVICES])
    return f"; most of it: {', '.join(told)}"


def _unsure(item: RevaluedItem) -> str:
    parts = []
    if item.unpriced > 0:
        parts.append(f"{item.unpriced.quantize(Decimal(1)):,} units would have no price")
    if item.known < _WELL_KNOWN and (item.old is not None or item.new is not None):
        parts.append(f"usage is known for {percent(float(item.known))} of the time")
    return f" ({'; '.join(parts)})" if parts else ""


def _signed(change: Decimal, currency: str) -> str:
    return f"{'+' if change > 0 else '−'}{money(abs(change), currency)}"


def _change(old: Decimal | None, new: Decimal | None) -> Decimal:
    return (new or Decimal(0)) - (old or Decimal(0))


def _total(values: Sequence[Decimal | None]) -> Decimal:
    return sum((value for value in values if value is not None), start=Decimal(0))


def _text(value: Decimal | None) -> str | None:
    """At most twelve places, without trailing zeros."""
    if value is None:
        return None
    text = f"{value.quantize(_PLACES):f}"
    return text.rstrip("0").rstrip(".")
