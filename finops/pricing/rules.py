"""Price maps as Prometheus rules: the estimate every minute, its ledger every 5 minutes, and both corrected.

The rolling series say what the last 5 minutes cost, once a minute. The ledger takes what five of them say together ÷ 5,
so that its entries add up; where the rules themselves did not run, what they said when they did.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import number, seconds
from controlplane.model.rule import Labels, RecordingRule, Rule, RuleFile, RuleGroup
from finops.pricing import expressions, opencost
from finops.pricing.alerts import alerts
from finops.pricing.model import Item, PriceMap
from finops.pricing.replicas import reported_at
from finops.pricing.schedule import unit_price
from finops.pricing.selectors import any_of, quoted

MINUTE: Final = timedelta(minutes=1)
FIVE_MINUTES: Final = timedelta(minutes=5)
_A_DAY: Final = "86400"


def rule_files(price_maps: Sequence[PriceMap]) -> tuple[RuleFile, ...]:
    """A file for each price map."""
    return tuple(rule_file(price_map) for price_map in price_maps)


def rule_file(price_map: PriceMap) -> RuleFile:
    """Its rules in two groups: every minute, in the order in which they read one another, and every 5 minutes."""
    name = f"finops:pricing:{price_map.name}"
    groups = (
        RuleGroup(f"{name}:1m", MINUTE, tuple(_every_minute(price_map))),
        RuleGroup(f"{name}:5m", FIVE_MINUTES, tuple(_ledgers(price_map))),
    )
    return RuleFile(f"finops-pricing-{price_map.name}.yaml", groups)


def _every_minute(price_map: PriceMap) -> Iterator[Rule]:
    yield RecordingRule(names.PRICE_MAP_INFO, "vector(1)", ((names.PRICE_MAP, price_map.name),))
    for item in price_map.items:
        yield from _of_item(item, price_map)
    yield from _corrected(price_map)
    yield from alerts(price_map)


def _of_item(item: Item, price_map: PriceMap) -> Iterator[RecordingRule]:
    price: Labels = ((names.PRICE, item.name),)
    yield RecordingRule(names.USAGE_AT, _newest(item), price)
    own = expressions.own_labels(item, price_map.currency)
    if item.catalogue is not None:
        for token in item.catalogue.prices:
            labels: Labels = (*price, (names.CURRENCY, price_map.currency), (names.MODEL, token.model))
            labels = (*labels, (names.TOKEN_TYPE, token.token_type))
            yield RecordingRule(names.PRICE_UNIT, unit_price(token.schedule, FIVE_MINUTES), labels)
    if item.opencost is not None:
        yield RecordingRule(names.NODE_WORKLOAD, opencost.workloads(item), price)
    hourly = expressions.recorded_hourly(item)
    if hourly is not None:
        yield RecordingRule(names.ESTIMATE_HOURLY, hourly, own)
    yield RecordingRule(names.ESTIMATE_ROLLING, expressions.rolling(item, price_map), own)
    unpriced = expressions.unpriced(item)
    if unpriced is not None:
        labels = tuple((label, value) for label, value in own if label != names.CURRENCY)
        yield RecordingRule(names.UNPRICED_USAGE, unpriced, labels)


def _newest(item: Item) -> str:
    """When the newest sample was taken; of what fell silent, for a day."""
    usage = item.usage
    reported = f"timestamp({opencost.NODE_PRICE})" if usage is None else reported_at(item.replicas, usage)
    by = item.staleness.by
    again = f"last_over_time({names.USAGE_AT}{{{names.PRICE}={quoted(item.name)}}}[1h]) > time() - {_A_DAY}"
    known = f"max by ({', '.join(by)}) ({again})" if by else f"max ({again})"
    return f"{expressions.kept(item, reported, by)}\nor\n{known}"


def _corrected(price_map: PriceMap) -> Iterator[RecordingRule]:
    """The estimate × billed ÷ estimated, where that ratio is known, fresh and believable; else as it is."""
    chosen = f"{{{_items(price_map)}}}"
    belief = price_map.correction
    currency = f"{{{names.CURRENCY}={quoted(price_map.currency)}}}"
    pair = f"{names.SERVICE}, {names.CURRENCY}"
    ratio = f"max by ({pair}) (last_over_time({names.CORRECTION_RATIO}{currency}[1h]))"
    ratio += f" >= {number(belief.lowest)} <= {number(belief.highest)}"
    made = f"max by ({pair}) (last_over_time({names.CORRECTION_AT}{currency}[1h]))"
    fresh = f"{made} > time() - {number(seconds(belief.longest_age))}"
    own = ((names.PRICE_MAP, price_map.name),)
    yield RecordingRule(names.CORRECTION_USED, f"{ratio}\nand on ({pair})\n{fresh}", own)
    used = f"{names.CORRECTION_USED}{{{names.PRICE_MAP}={quoted(price_map.name)}}}"
    estimate = f"{names.ESTIMATE_ROLLING}{chosen}"
    billed = tuple(item.name for item in price_map.items if item.is_billed)
    corrected = f"{names.ESTIMATE_ROLLING}{{{any_of(names.PRICE, billed)}}}\n* on ({pair}) group_left ()\n{used}\nor\n"
    yield RecordingRule(names.SPEND_ROLLING, f"{corrected if billed else ''}{estimate}")


def _ledgers(price_map: PriceMap) -> Iterator[RecordingRule]:
    info = expressions.evaluated(price_map)
    pairs = ((names.ESTIMATE_ROLLING, names.ESTIMATE_LEDGER), (names.SPEND_ROLLING, names.SPEND_LEDGER))
    for rolling, ledger in pairs:
        yield RecordingRule(ledger, expressions.each_evaluation(f"{rolling}{{{_items(price_map)}}}", info))


def _items(price_map: PriceMap) -> str:
    return any_of(names.PRICE, tuple(item.name for item in price_map.items))
