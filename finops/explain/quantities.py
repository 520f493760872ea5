"""How much of each item of a PriceMap was used: what live estimates, which record money, have to be told again.

Usage is asked of Prometheus every 5 minutes, as when a changed price map is valued. Of nodes that are split by
OpenCost's metrics it is the cores that were allocated; what else costs there (memory) shows in the price of a
core-hour, or has no quantity (idle nodes).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.model.series import Series
from controlplane.ports import MetricsBackend, Permanent, Transient
from finops.explain.model import Key
from finops.pricing.expressions import units_over_past
from finops.pricing.model import Item, Measure, PriceMap
from finops.pricing.opencost import NODE
from finops.pricing.selectors import indented

STEP: Final = timedelta(minutes=5)
LEAST_KNOWN: Final = Decimal("0.9")  # of a period: usage that is known for less of it would make prices look higher
ALLOCATED_CORES: Final = "container_cpu_allocation"
_STEPS_AN_HOUR: Final = 12
Quantities = Mapping[Key, tuple[Decimal, str]]


def fetch_quantities(
    backend: MetricsBackend,
    price_maps: Sequence[PriceMap],
    by: Sequence[str],
    where: Mapping[str, tuple[str, ...]],
    period: tuple[datetime, datetime],
    missing: list[str],
) -> Quantities:
    """Quantity and unit by the dimensions `by`, which hold `price` and `resource`, in one period.

    Items whose usage does not keep one of the dimensions that are asked for, or selected by, have none; nor have those
    that are money already. What could not be asked is added to `missing`.
    """
    found: dict[Key, tuple[Decimal, str]] = {}
    for item in (each for price_map in price_maps for each in price_map.items if _is_counted(each)):
        if not _fits(item, where):
            continue
        try:
            series = backend.query_range(_expression(item, by, where), period[0] + STEP, period[1], STEP)
        except (Transient, Permanent) as error:
            missing.append(f"quantities of {item.name}: {error}")
            continue
        known = len({at for each in series for at, value in each.points if math.isfinite(value)})
        if known < LEAST_KNOWN * ((period[1] - period[0]) // STEP):
            missing.append(f"quantities of {item.name}: its usage is not known for all of {period[0]:%Y-%m-%d} …")
            continue
        for key, quantity in _sums(item, series, by, where):
            old = found.get(key, (Decimal(0), ""))[0]
            found[key] = (old + quantity, unit_of(item))
    return found


def unit_of(item: Item) -> str:
    """What is counted, as `unit` of a line: `token`, `pod-hour`, `core-hour`."""
    if item.opencost is not None:
        return "core-hour"
    is_level = item.usage is not None and item.usage.measure is Measure.GAUGE
    return f"{item.resource}-hour" if is_level else item.resource


def _is_counted(item: Item) -> bool:
    return item.opencost is not None or (item.usage is not None and not item.is_money)


def _kept(item: Item) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*item.by, names.MODEL))) if item.catalogue is not None else item.by


def _fits(item: Item, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether what is selected can be told apart in the item's usage, and the item itself is not left out."""
    fixed = {**dict(item.labels), names.PRICE: item.name, names.RESOURCE: _resource(item)}
    for name, values in where.items():
        if name in fixed and fixed[name] not in values:
            return False
        if name not in fixed and name not in _kept(item):
            return False
    return True


def _resource(item: Item) -> str:
    return NODE if item.opencost is not None else item.resource


def _expression(item: Item, by: Sequence[str], where: Mapping[str, tuple[str, ...]]) -> str:
    """Units of the 5 minutes that end now, by as few labels as are needed."""
    kept = [label for label in _kept(item) if label in by or label in where]
    if item.opencost is None:
        return f"sum by ({', '.join(kept)}) (\n{indented(units_over_past(item))}\n)"
    theirs = ", ".join(item.label_in_metric(label) for label in kept)
    cores = f"max without (job, instance) ({ALLOCATED_CORES})"
    return f"sum by ({theirs}) ({cores}) / {_STEPS_AN_HOUR}"


def _sums(
    item: Item, found: Sequence[Series], by: Sequence[str], where: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[Key, Decimal]]:
    fixed = {**dict(item.labels), names.PRICE: item.name, names.RESOURCE: _resource(item)}
    for series in found:
        theirs = {label: series.labels.get(_label(item, label)) for label in _kept(item)}
        labels = {**theirs, **fixed}
        if any((labels.get(name) or "") not in values for name, values in where.items()):
            continue
        amounts = (Decimal(repr(value)) for _, value in series.points if math.isfinite(value))
        yield tuple(labels.get(name) or None for name in by), sum(amounts, Decimal(0))


def _label(item: Item, label: str) -> str:
    """Only OpenCost's own metrics still have their names here."""
    return item.label_in_metric(label) if item.opencost is not None else label
