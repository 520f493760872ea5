"""The metrics that a signal is made from: what PromQL is behind it, and which metrics that reads.

A query of the user's speaks for itself. A budget is made from the items of PriceMaps whose spend may fall in its scope,
a unit cost from those in its scope and from what counts its units, a detector's anomalies from its query or the ledger
that it watches. Quotas are made from usage events, not from metrics.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import promql_parser

from controlplane import conventions as names
from controlplane.promql import check_promql, with_window
from finops.budgets.spec import BudgetDocument
from finops.ladder.lint.examined import Ground
from finops.ladder.lint.other_kinds import scope_at, value_at
from finops.ladder.model import Measure, Signal
from finops.pricing import opencost
from finops.pricing.model import Item, OpenCost
from finops.pricing.spec import ItemPart, MeasurePart, PriceMapDocument

_ENDINGS: Final = ("", "_bucket", "_count", "_sum", "_total")  # a family's series, by the family's name
_OPENCOST_RESOURCES: Final = ("node", "storage", "load_balancer")  # what finops.pricing.opencost makes of it
_NO_LABEL: Final = ("",)
_UNITS: Final = ("units", "spread")
Scope = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Behind:
    """PromQL that a signal depends on; `via` says how, empty where the signal is that query."""

    promql: str
    via: str = ""


def behind(signal: Signal, ground: Ground) -> tuple[Behind, ...]:
    """Everything that is asked for a signal, as far as it is declared."""
    if signal.measure is Measure.QUERY:
        texts = (signal.query, signal.per_hour_query)
        return tuple(each for text in texts if text for each in (Behind(text), *_behind_recorded(text, ground)))
    if signal.measure is Measure.QUOTA:
        return ()
    if signal.measure is Measure.UNIT_COST:
        return tuple(_behind_unit_cost(signal.subject, ground))
    if signal.measure is Measure.ANOMALY:
        return tuple(_behind_detector(signal.subject, ground))
    return (*_behind_budget(signal.subject, ground), *_behind_detector(signal.detector, ground))


def metrics_behind(signal: Signal, ground: Ground) -> frozenset[str]:
    """The metrics that are asked for a signal by their names."""
    found = (selector for each in behind(signal, ground) for selector in _selectors(each.promql))
    return frozenset(name for selector in found if (name := selector.name or _equal(selector)))


def reads(promql: str, metric: str) -> bool:
    """Whether an expression reads a metric, or a series of the family of that name. Not, where it is no PromQL."""
    wanted = {f"{metric}{ending}" for ending in _ENDINGS}
    return any(_selects(selector, name) for selector in _selectors(promql) for name in wanted)


def _behind_budget(name: str, ground: Ground) -> Iterator[Behind]:
    document = ground.named("Budget").get(name)
    if document is not None and isinstance(document.value, BudgetDocument):
        spec = document.value.spec
        yield from _spend(spec.scope, spec.currency, ground, f"budget `{name}`")


def _behind_unit_cost(name: str, ground: Ground) -> Iterator[Behind]:
    document = ground.named("UnitCost").get(name)
    if document is None:
        return
    for part in _UNITS:
        for form in ("counter", "query"):
            text = value_at(document, "spec", part, form)
            if isinstance(text, str) and text:
                yield Behind(text, f"unit cost `{name}` counts by it")
    currency = str(value_at(document, "spec", "currency") or "")
    yield from _spend(scope_at(document, "spec", "scope"), currency, ground, f"unit cost `{name}`")


def _behind_detector(name: str, ground: Ground) -> Iterator[Behind]:
    document = ground.named("AnomalyDetector").get(name)
    if document is None:
        return
    for path in (("query",), ("denominator", "query")):
        text = value_at(document, "spec", *path)
        if isinstance(text, str) and text:
            yield Behind(text, f"detector `{name}` watches it")
            yield from _behind_recorded(text, ground)
    if isinstance(value_at(document, "spec", "cost", "ledger"), str):
        currency = str(value_at(document, "spec", "cost", "currency") or "")
        yield from _spend(scope_at(document, "spec", "cost", "where"), currency, ground, f"detector `{name}`")


def _behind_recorded(promql: str, ground: Ground) -> Iterator[Behind]:
    """What is behind series that Flyball itself records, in a user's query."""
    for selector in _selectors(promql):
        metric = selector.name or ""
        asked = {each.name: each.value for each in selector.matchers.matchers if each.op == promql_parser.MatchOp.Equal}
        if metric.startswith("budget:") and names.BUDGET in asked:
            yield from _behind_budget(asked[names.BUDGET], ground)
        elif metric.startswith("unit_cost:") and names.UNIT_COST in asked:
            yield from _behind_unit_cost(asked[names.UNIT_COST], ground)
        elif metric in (names.SPEND_ROLLING, names.SPEND_LEDGER, names.ESTIMATE_ROLLING, names.ESTIMATE_LEDGER):
            scope = {label: [value] for label, value in asked.items() if label != names.CURRENCY}
            yield from _spend(scope, asked.get(names.CURRENCY, ""), ground, f"`{metric}`")


def _spend(scope: Scope, currency: str, ground: Ground, of: str) -> Iterator[Behind]:
    """The usage of every item whose spend may be in the scope; any currency where none is named."""
    for document in ground.documents:
        value = document.value
        if not isinstance(value, PriceMapDocument) or currency not in ("", value.spec.currency):
            continue
        for item in value.spec.items:
            if not _may_fall(item, scope):
                continue
            via = f"{of} is made from item `{item.name}` of PriceMap `{value.metadata.name}`"
            yield from (Behind(text, via) for text in _usage(item))


def _may_fall(item: ItemPart, scope: Scope) -> bool:
    """Whether spend of an item may be in a scope: no label that it always has, or never has, says otherwise."""
    fixed: dict[str, tuple[str, ...]] = {
        names.PRICE: (item.name,),
        **{label: (value,) for label, value in item.labels.items()},
    }
    varying = set(item.by)
    if item.open_cost is not None:
        fixed[names.RESOURCE] = _OPENCOST_RESOURCES
        varying |= {names.SERVICE, *(item.open_cost_options.node_labels if item.open_cost_options else ())}
    else:
        fixed[names.RESOURCE] = (item.resource,)
    if item.catalogue is not None:
        varying.add(names.MODEL)
    return all(
        label in varying - fixed.keys() or not set(values).isdisjoint(fixed.get(label, _NO_LABEL))
        for label, values in scope.items()
    )


def _usage(item: ItemPart) -> Iterator[str]:
    for part in (item.usage, item.spend):
        yield from (text for text in _measured(part) if text)
    if item.replicas is not None and item.replicas.timestamp:
        yield item.replicas.timestamp
    if item.open_cost is not None:
        options = item.open_cost_options
        made = OpenCost(node_labels=tuple(options.node_labels) if options else ())
        plain = Item(item.name, item.resource, usage=None, by=tuple(item.by), opencost=made)
        yield opencost.hourly(plain, opencost.workloads(plain))


def _measured(part: MeasurePart | None) -> Iterable[str | None]:
    return (part.counter, part.gauge) if part is not None else ()


def _selectors(promql: str) -> list[promql_parser.VectorSelector]:
    text = with_window(promql, "5m")
    if check_promql(text) is not None:
        return []
    found: list[promql_parser.VectorSelector] = []
    waiting: list[object] = [promql_parser.parse(text)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, promql_parser.VectorSelector):
            found.append(part)
        elif isinstance(part, promql_parser.MatrixSelector):
            found.append(part.vector_selector)
        elif isinstance(part, promql_parser.BinaryExpr):
            waiting += [part.rhs, part.lhs]
        elif isinstance(part, promql_parser.AggregateExpr):
            waiting += [part.param, part.expr]
        elif isinstance(part, promql_parser.Call):
            waiting += reversed(part.args)
        elif isinstance(part, promql_parser.ParenExpr | promql_parser.UnaryExpr | promql_parser.SubqueryExpr):
            waiting.append(part.expr)
    return found


def _selects(selector: promql_parser.VectorSelector, metric: str) -> bool:
    if selector.name:
        return selector.name == metric
    about_name = [each for each in selector.matchers.matchers if each.name == "__name__"]
    return bool(about_name) and all(_fits(each, metric) for each in about_name)


def _equal(selector: promql_parser.VectorSelector) -> str:
    named = (each for each in selector.matchers.matchers if each.name == "__name__")
    return next((each.value for each in named if each.op == promql_parser.MatchOp.Equal), "")


def _fits(matcher: promql_parser.Matcher, value: str) -> bool:
    if matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.NotEqual):
        return (matcher.value == value) is (matcher.op == promql_parser.MatchOp.Equal)
    try:
        found = re.fullmatch(matcher.value, value) is not None
    except re.error:  # what RE2 takes and Python does not
        return False
    return found is (matcher.op == promql_parser.MatchOp.Re)
