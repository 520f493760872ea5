"""What an item costs, as PromQL: of the last 5 minutes, and of what is paid by time also per hour at this moment.

Only ranges of 5 minutes of the user's own series are read. Each expression comes in two forms: for rules, which read
what was recorded before, and for the past, which read nothing of ours (ask for them every 5 minutes).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import Labels
from finops.pricing import opencost
from finops.pricing.model import Catalogue, Item, Measure, PriceMap, Usage
from finops.pricing.replicas import read_from_freshest
from finops.pricing.schedule import AS_IT_IS, known_share, unit_price
from finops.pricing.selectors import indented, labelled, quoted, renamed, summed, with_target

ROLLING: Final = timedelta(minutes=5)
MINUTE: Final = timedelta(minutes=1)
# Of what is there once a minute it holds exactly five, in Prometheus 2 (closed ranges) and 3 (open on the left).
FIVE_MINUTES: Final = "4m59s999ms"
_EACH_MINUTE: Final = "1m"
_HOURS_PER_FIVE_MINUTES: Final = 12
_MINUTES_PER_HOUR: Final = 60


def own_labels(item: Item, currency: str) -> Labels:
    """The labels that every spend of an item has."""
    resource = () if item.opencost else ((names.RESOURCE, item.resource),)
    return ((names.PRICE, item.name), (names.CURRENCY, currency), *resource, *item.labels)


def hourly(item: Item) -> str | None:
    """Money an hour at this moment, of what is paid by time; None for what is counted."""
    if item.opencost is not None:
        return opencost.hourly(item, opencost.workloads(item))
    if item.usage is None or item.usage.measure is not Measure.GAUGE:
        return None
    return _priced(_level(item, item.usage), item, MINUTE)


def recorded_hourly(item: Item) -> str | None:
    """As `hourly`, for a rule: what runs on nodes was recorded before."""
    if item.opencost is not None:
        return opencost.hourly(item, f"{names.NODE_WORKLOAD}{{{names.PRICE}={quoted(item.name)}}}")
    return hourly(item)


def rolling(item: Item, price_map: PriceMap) -> str:
    """Money of the last 5 minutes, for a rule. Absent while usage or price are."""
    if hourly(item) is not None:
        recorded = f"{names.ESTIMATE_HOURLY}{{{names.PRICE}={quoted(item.name)}}}"
        return f"{each_evaluation(recorded, evaluated(price_map))}\n/ {_HOURS_PER_FIVE_MINUTES}"
    if item.catalogue is not None:
        return _tokens(item, item.catalogue, recorded_prices(item))
    return _priced(counted(item), item, ROLLING)


def spend_over_past(item: Item) -> str:
    """Money of the 5 minutes that end now, without anything recorded, and without the item's own labels."""
    level = hourly(item)
    if level is not None:
        return f"sum_over_time(({level})[{FIVE_MINUTES}:{_EACH_MINUTE}]) / {_MINUTES_PER_HOUR}"
    if item.catalogue is not None:
        return _tokens(item, item.catalogue, _written_prices(item.catalogue))
    return _priced(counted(item), item, ROLLING)


def units_over_past(item: Item) -> str:
    """Units of the 5 minutes that end now, by the labels that the spend keeps; tokens also by model and kind."""
    assert item.usage is not None
    if item.catalogue is not None:
        return counted_tokens(item, item.catalogue)
    if item.usage.measure is Measure.COUNTER:
        return counted(item)
    return f"sum_over_time(({_level(item, item.usage)})[{FIVE_MINUTES}:{_EACH_MINUTE}]) / {_MINUTES_PER_HOUR}"


def unpriced(item: Item) -> str | None:
    """Units of the last 5 minutes that no price is known for, for a rule; None where that cannot be."""
    if item.catalogue is not None:
        units = counted_tokens(item, item.catalogue)
        unknown = f"{units}\nunless on ({names.MODEL}, {names.TOKEN_TYPE})\n{recorded_prices(item)}"
        return f"{summed(_with_model(item), f'({unknown}) > 0')}"
    known = None if item.is_money or item.usage is None else known_share(item.schedule, ROLLING)
    if known is None or item.usage is None:
        return None
    units = counted(item)
    if item.usage.measure is Measure.GAUGE:
        units = f"{_level(item, item.usage)} / {_HOURS_PER_FIVE_MINUTES}"
    return f"({units}\n* on () group_left () (1 - ({known}))) > 0"


def counted(item: Item) -> str:
    """What counters grew by in 5 minutes, by the labels that the spend keeps."""
    assert item.usage is not None
    return _kept(item, _increase(item, item.usage), item.by)


def counted_tokens(item: Item, catalogue: Catalogue) -> str:
    """The same by model and kind of token, too, under our names of these labels."""
    assert item.usage is not None
    theirs = {names.MODEL: catalogue.model_label, names.TOKEN_TYPE: catalogue.type_label}
    return _kept(
        item, _increase(item, item.usage), tuple(dict.fromkeys((*_with_model(item), names.TOKEN_TYPE))), theirs
    )


def recorded_prices(item: Item) -> str:
    """The series of what tokens cost."""
    return f"{names.PRICE_UNIT}{{{names.PRICE}={quoted(item.name)}}}"


def evaluated(price_map: PriceMap) -> str:
    """The series that the rules of a price map write at every evaluation."""
    return f"{names.PRICE_MAP_INFO}{{{names.PRICE_MAP}={quoted(price_map.name)}}}"


def each_evaluation(values: str, info: str) -> str:
    """What recorded values of 5 minutes sum to ÷ how often the rules were evaluated then, not how often there was one.

    That is 5, but for a Prometheus that was down or slow. `info` selects what is written at every evaluation; where it
    has just begun (a price map was renamed, an item has moved) the values that were there before tell.
    """
    counts = "\n  or\n".join(f"  count_over_time({each}[{FIVE_MINUTES}])" for each in (values, info))
    return f"sum_over_time({values}[{FIVE_MINUTES}])\n/ on () group_left ()\nmax (\n{counts}\n)"


def kept(item: Item, vector: str, labels: Sequence[str]) -> str:
    """The maximum of a vector by some of the labels that the spend keeps, under our names."""
    theirs = [item.label_in_metric(label) for label in labels]
    text = f"max by ({', '.join(theirs)}) ({vector})" if labels else f"max ({vector})"
    differing = [(our, their) for our, their in zip(labels, theirs, strict=True) if our != their]
    for ours, their in differing:
        text = renamed(text, ours, their)
    return f"max by ({', '.join(labels)}) ({text})" if differing else text


def _tokens(item: Item, catalogue: Catalogue, prices: str) -> str:
    units = counted_tokens(item, catalogue)
    money = f"{units}\n* on ({names.MODEL}, {names.TOKEN_TYPE}) group_left ()\n{prices}"
    return summed(item.by, money)


def _written_prices(catalogue: Catalogue) -> str:
    """What tokens cost, written out."""
    written = [
        labelled(
            labelled(unit_price(price.schedule, ROLLING), names.MODEL, price.model), names.TOKEN_TYPE, price.token_type
        )
        for price in catalogue.prices
    ]
    if not written:
        return "(vector(1) unless vector(1))"
    return "(\n" + "\n  or\n".join(indented(text) for text in written) + "\n)"


def _priced(units: str, item: Item, interval: timedelta) -> str:
    price = unit_price(AS_IT_IS if item.is_money else item.schedule, interval)
    if item.is_money:
        return units
    return f"{units}\n* on () group_left ()\n{price}"


def _level(item: Item, usage: Usage) -> str:
    """How much there is now. What is not a number, infinite, or (but for money) negative, is missing."""
    measured = f"({usage.text}) > -Inf < Inf" if item.is_money else f"({usage.text}) >= 0 < Inf"
    return _kept(item, read_from_freshest(measured, item.replicas, usage, item.staleness.after), item.by)


def _increase(item: Item, usage: Usage) -> str:
    """What counters grew by, and what those had at birth whose target was there before: `increase` misses that.

    What is not a number, or infinite, is missing.
    """
    selector = usage.text
    target = with_target(selector)
    born = f"({selector} unless {selector} offset 5m\n  and on (job, instance) ({target} and {target} offset 5m))"
    grown = f"(\n{indented(born)}\n  or increase({selector}[5m])\n) >= 0 < Inf"
    return read_from_freshest(grown, item.replicas, usage, item.staleness.after)


def _with_model(item: Item) -> tuple[str, ...]:
    return item.by if names.MODEL in item.by else (*item.by, names.MODEL)


def _kept(item: Item, vector: str, labels: Sequence[str], more: dict[str, str] | None = None) -> str:
    own = {label: (more or {}).get(label, item.label_in_metric(label)) for label in labels}
    text = summed(tuple(own.values()), vector)
    for ours, theirs in own.items():
        if ours != theirs:
            text = renamed(text, ours, theirs)
    return text if all(ours == theirs for ours, theirs in own.items()) else summed(tuple(labels), text)
