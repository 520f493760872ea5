"""What the rules of price maps cost a Prometheus: samples touched and time, per item and minute, by kind of item."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.prometheus_data import Backend, Column, Cost
from benchmarks.report import Figure, show
from controlplane.model.rule import RecordingRule
from finops.pricing.model import Catalogue, Item, Measure, OpenCost, Price, PriceMap, Replicas, Staleness, Usage
from finops.pricing.rules import rule_file
from finops.pricing.token_catalogue import resolved
from flyball.demo import servers

SERIES: Final = 100
SCRAPE_SECONDS: Final = 30
HOURS: Final = 2
MINUTE: Final = 60
_GIB: Final = 1 << 30
_TWO: Final = Replicas("exporter")
_ONE_PRICE: Final = (Price(Decimal("0.4"), Decimal(1_000_000)),)


def run() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.prometheus(Path(folder), out_of_order="40d", block_duration="60d") as server,
    ):
        backend = Backend(server.url)
        end = int(time.time()) // MINUTE * MINUTE
        backend.write(_series(end))
        show("Price rules: what an item costs every minute", list(_figures(backend, end)))


def _figures(backend: Backend, end: int) -> Iterator[Figure]:
    for what, item in _items().items():
        cost = _per_minute(backend, PriceMap(item.name, "USD", (item,)), end)
        detail = f"{cost.samples / SERIES:.1f} a series; {cost.seconds * 1000:.1f} ms"
        yield Figure(f"{what}, {SERIES} series", cost.samples, "samples", detail=detail)


def _items() -> Mapping[str, Item]:
    counter, gauge = Usage(Measure.COUNTER, "used_total"), Usage(Measure.GAUGE, "level")
    by = ("service", "tenant")
    tokens = resolved(Catalogue("model", "type", (("input", "input"), ("output", "output")), models=("gpt-4o",)))[0]
    return {
        "a counter": Item("counter", "request", counter, by, schedule=_ONE_PRICE),
        "a gauge": Item("gauge", "pod", gauge, by, schedule=_ONE_PRICE),
        "a counter of two exporters": Item(
            "twice", "request", Usage(Measure.COUNTER, "twice_total"), by, schedule=_ONE_PRICE, replicas=_TWO
        ),
        "tokens of a model": Item("tokens", "token", Usage(Measure.COUNTER, "tokens_total"), by, catalogue=tokens),
        "nodes by OpenCost": Item(
            "nodes", "node", None, ("service",), opencost=OpenCost(), staleness=Staleness(optional=True)
        ),
    }


def _per_minute(backend: Backend, price_map: PriceMap, end: int) -> Cost:
    """All recording rules once, in order, over what they recorded in the minutes before; ledgers a fifth."""
    total = Cost(0, 0)
    for group in rule_file(price_map).groups:
        for rule in (rule for rule in group.rules if isinstance(rule, RecordingRule)):
            found = backend.range(rule.expr, end - 10 * MINUTE, end, MINUTE)
            own = {"__name__": rule.record, **dict(rule.labels)}
            backend.write(({**each.labels, **own}, each.times, each.values) for each in found)
            share = 1 if group.interval.total_seconds() == MINUTE else 1 / 5
            total += backend.cost(rule.expr, end).times(share)
    return total


def _series(end: int) -> Iterator[Column]:
    times = np.arange(end - HOURS * 3600, end + 1, SCRAPE_SECONDS, dtype=np.float64)
    growing, steady = (times - times[0]) * 3.0, np.full(times.size, 2.0)
    for number in range(SERIES):
        labels = {"service": f"s{number % 10}", "tenant": f"t{number // 10}", "job": "j", "instance": f"i{number % 5}"}
        yield {"__name__": "used_total", **labels}, times, growing
        yield {"__name__": "level", **labels}, times, steady
        kind = ("input", "output")[number % 2]
        yield {"__name__": "tokens_total", "model": "gpt-4o", "type": kind, **labels}, times, growing
        exporter = ("a", "b")[number % 2]
        yield {"__name__": "twice_total", **labels, "exporter": exporter, "tenant": f"t{number // 2}"}, times, growing
        pod = {"pod": f"p{number}", "service": f"s{number % 10}", "node": f"n{number % 10}"}
        for name, value in (("container_cpu_allocation", 0.5), ("container_memory_allocation_bytes", float(_GIB))):
            yield {"__name__": name, **pod}, times, np.full(times.size, value)
    for number in range(10):
        for name, value in (
            ("node_total_hourly_cost", 0.4),
            ("node_cpu_hourly_cost", 0.03),
            ("node_ram_hourly_cost", 0.005),
        ):
            yield {"__name__": name, "node": f"n{number}"}, times, np.full(times.size, value)


if __name__ == "__main__":
    run()
