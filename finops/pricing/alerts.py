"""When somebody is told that the estimate does not know something: silence, and usage without a price."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, number, seconds
from controlplane.model.rule import AlertingRule, Labels
from finops.pricing.model import Item, PriceMap
from finops.pricing.selectors import any_of, quoted

_TICKET: Final = ((names.SEVERITY, names.SEVERITY_TICKET),)
_UNPRICED_FOR: Final = timedelta(minutes=5)


def alerts(price_map: PriceMap) -> Iterator[AlertingRule]:
    """Silence by item, and by the labels that an item names; items that never spoke; usage without a price."""
    yield _silent(price_map)
    for item in price_map.items:
        if not item.staleness.optional:
            yield _never_heard(price_map, item)
    yield _unpriced(price_map)


def _silent(price_map: PriceMap) -> AlertingRule:
    alike: dict[timedelta, list[str]] = {}
    for item in price_map.items:
        alike.setdefault(item.staleness.after, []).append(item.name)
    kept = dict.fromkeys(label for item in price_map.items for label in item.staleness.by)
    more = (f"{{{{ with $labels.{label} }}}}, {label} {{{{ . }}}}{{{{ end }}}}" for label in kept)
    whose = "".join(("{{ $labels.price }}", *more))
    description = (
        "The newest usage of this price item is {{ $value | humanizeDuration }} old. Until there is newer, it adds "
        "nothing to the spend: what budgets show is too low, not lower. Look for the exporter behind it; "
        "the PriceMap " + price_map.name + " says which metric it is."
    )
    return AlertingRule(
        names.ALERT_COST_STALE,
        "\nor\n".join(_older(after, tuple(items)) for after, items in alike.items()),
        (*_TICKET, (names.PRICE_MAP, price_map.name)),
        _annotations(price_map, f"{whose}: cost data is stale", description),
    )


def _older(after: timedelta, items: tuple[str, ...]) -> str:
    return f"time() - {names.USAGE_AT}{{{any_of(names.PRICE, items)}}} > {number(seconds(after))}"


def _never_heard(price_map: PriceMap, item: Item) -> AlertingRule:
    description = (
        f"No usage was seen for {duration(item.staleness.after)} and none is remembered: the metric's name or its "
        f"labels may be wrong in the PriceMap {price_map.name}, or nothing exports it. What it costs is missing from "
        "the spend."
    )
    return AlertingRule(
        names.ALERT_COST_STALE,
        f"absent({names.USAGE_AT}{{{names.PRICE}={quoted(item.name)}}})",
        (*_TICKET, (names.PRICE, item.name), (names.PRICE_MAP, price_map.name)),
        _annotations(price_map, f"{item.name}: no cost data", description),
        hold=item.staleness.after,
    )


def _unpriced(price_map: PriceMap) -> AlertingRule:
    kept = f"{names.PRICE}, {names.RESOURCE}, {names.MODEL}"
    chosen = any_of(names.PRICE, tuple(item.name for item in price_map.items))
    description = (
        "{{ $value | humanize }} units in 5 minutes have no price{{ with $labels.model }}: the model {{ . }} is not in "
        "the catalogue or not among the item's models, or a kind of its tokens has no price{{ end }}. They are missing "
        f"from the spend, not free. Add a price to the PriceMap {price_map.name}."
    )
    return AlertingRule(
        names.ALERT_UNPRICED,
        f"sum by ({kept}) ({names.UNPRICED_USAGE}{{{chosen}}}) > 0",
        (*_TICKET, (names.PRICE_MAP, price_map.name)),
        _annotations(price_map, "{{ $labels.price }}: usage without a price", description),
        hold=_UNPRICED_FOR,
    )


def _annotations(price_map: PriceMap, summary: str, description: str) -> Labels:
    runbook = ((names.RUNBOOK_URL, price_map.runbook_url),) if price_map.runbook_url else ()
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description), *runbook)
