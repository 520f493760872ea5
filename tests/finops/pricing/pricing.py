"""Price maps for tests: from text, and rules of theirs recorded in a Prometheus with a past."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from textwrap import dedent

from controlplane import conventions as names
from controlplane.model.rule import RecordingRule
from controlplane.problems import Problem
from controlplane.specfile import Declared, SourceFile, read
from finops.pricing.declared import declared
from finops.pricing.kinds import KINDS
from finops.pricing.model import Item, Measure, Price, PriceMap, Usage
from finops.pricing.rules import rule_file
from tests.slo.evaluating import Past

MINUTE, FIVE_MINUTES = timedelta(minutes=1), timedelta(minutes=5)
D = Decimal


def read_text(*texts: str) -> Declared[PriceMap]:
    """What files named a.yaml, b.yaml, … declare; problems of their shape come first."""
    files = [SourceFile(f"{chr(97 + index)}.yaml", dedent(text).encode()) for index, text in enumerate(texts)]
    result = read(files, KINDS)
    found = declared(result.documents)
    return Declared(found.values, (*result.problems, *found.problems))


def told(problems: Iterable[Problem]) -> list[str]:
    """Every problem on a line."""
    return [
        f"{problem.line}:{problem.column}: {problem.field}: {problem.message}"
        + (f" ({problem.hint})" if problem.hint else "")
        for problem in problems
    ]


def counted(text: str = "requests_total", **fields: object) -> Item:
    """An item that pays one dollar a unit, unless told otherwise."""
    return an_item(Usage(Measure.COUNTER, text), **fields)


def present(text: str = "nodes", **fields: object) -> Item:
    """An item that pays one dollar an hour."""
    return an_item(Usage(Measure.GAUGE, text), **fields)


def an_item(usage: Usage | None, **fields: object) -> Item:
    """An item named after nothing but `item`."""
    own = {"name": "item", "resource": "custom", "usage": usage, "schedule": (Price(D(1)),), **fields}
    return Item(**own)  # type: ignore[arg-type]


def a_map(*items: Item, name: str = "prices") -> PriceMap:
    """A price map in dollars."""
    return PriceMap(name, "USD", items)


def record(memory: Past, price_map: PriceMap, start: datetime, end: datetime) -> None:
    """What its rules write from start to end: every minute, then the ledgers."""
    for group in rule_file(price_map).groups:
        rules = [rule for rule in group.rules if isinstance(rule, RecordingRule)]
        for rule in rules:
            memory.record([rule], start, end, group.interval)


def ledger_sum(memory: Past, end: datetime, length: str, chosen: str, series: str = names.ESTIMATE_LEDGER) -> float:
    """The sum of ledger entries."""
    value = memory.value(f"sum(sum_over_time({series}{{{chosen}}}[{length}]))", end)
    assert value is not None
    return value
