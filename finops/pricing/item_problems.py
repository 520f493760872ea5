"""What is wrong with the items of a price map, figures and times aside."""

import re
from collections.abc import Iterator
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem
from controlplane.promql import check_promql
from controlplane.specfile import Document
from finops.pricing.reading_prices import RULE
from finops.pricing.selectors import is_selector, is_vector
from finops.pricing.spec import ItemPart, MeasurePart, PriceMapDocument, ReplicasPart

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_OURS: Final = frozenset({names.PRICE, names.RESOURCE, names.CURRENCY, names.PRICE_MAP, "__name__", "le", "quantile"})
_PROMQL: Final = "promql"
_Path = tuple[str | int, ...]


def item_problems(document: Document, value: PriceMapDocument) -> Iterator[Problem]:
    """Names, labels, queries, and which of the ways to say what it costs are written together."""
    yield from _name_problems(document, ("metadata", "name"), value.metadata.name)
    spec = value.spec
    yield from _replica_problems(document, ("spec", "replicas"), spec.replicas)
    for index, item in enumerate(spec.items):
        place = ("spec", "items", index)
        yield from _name_problems(document, (*place, "name"), item.name)
        yield from _combination_problems(document, place, item)
        yield from _measure_problems(document, (*place, "usage"), item.usage)
        yield from _measure_problems(document, (*place, "spend"), item.spend)
        yield from _label_problems(document, place, item)
        yield from _replica_problems(document, (*place, "replicas"), item.replicas)
        yield from _unreadable_replicas(document, place, item, item.replicas or spec.replicas)


def _name_problems(document: Document, path: _Path, name: str) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        message = f"`{name[:70]}` is not a name"
        hint = "up to 63 lower-case letters, digits and `-`, not at either end"
        yield document.problem(*path, message=message, hint=hint, rule="name")


def _combination_problems(document: Document, place: _Path, item: ItemPart) -> Iterator[Problem]:
    """Exactly one way to say what it costs."""
    ways = {"usage": item.usage, "spend": item.spend, "openCost": item.open_cost}
    there = [way for way, written in ways.items() if written is not None]
    if len(there) != 1:
        message = "nothing says what is used" if not there else f"{' and '.join(there)} exclude each other"
        hint = "write one of usage (with prices or a catalogue), spend and openCost"
        yield document.problem(*place, message=message, hint=hint, rule=RULE)
    if item.usage is not None and bool(item.prices) == (item.catalogue is not None):
        message = "prices and a catalogue exclude each other" if item.prices else "usage without a price"
        hint = "write prices: [{amount: …, per: …}], or catalogue: genai-prices for tokens"
        yield document.problem(*place, message=message, hint=hint, rule=RULE)
    if item.usage is None and item.prices:
        message = f"{(there or ['it'])[0]} is money already: it has no prices"
        yield document.problem(*place, "prices", message=message, rule=RULE, on_key=True)
    yield from _pointless(document, place, item)
    if item.catalogue is not None and item.usage is not None and item.usage.counter is None:
        message = "the catalogue prices tokens that are counted: a counter is needed"
        yield document.problem(*place, "usage", message=message, rule=RULE)
    if item.open_cost is not None and not item.by:
        message = "by which labels is the cost of nodes split?"
        hint = "write by: [namespace], or labels that container_cpu_allocation has"
        yield document.problem(*place, message=message, hint=hint, rule=RULE)


def _pointless(document: Document, place: _Path, item: ItemPart) -> Iterator[Problem]:
    of_catalogue = {
        "models": item.models,
        "overrides": item.overrides,
        "tokens": item.tokens,
        "provider": item.provider,
    }
    for key, written in of_catalogue.items():
        if written and item.catalogue is None:
            message = "means something only with `catalogue: genai-prices`"
            yield document.problem(*place, key, message=message, rule=RULE, on_key=True)
    if item.open_cost_options is not None and item.open_cost is None:
        message = "means something only with `openCost: auto`"
        yield document.problem(*place, "openCostOptions", message=message, rule=RULE, on_key=True)


def _measure_problems(document: Document, path: _Path, part: MeasurePart | None) -> Iterator[Problem]:
    if part is None:
        return
    if (part.counter is None) == (part.gauge is None):
        message = "counter and gauge exclude each other" if part.counter else "nothing is measured"
        yield document.problem(*path, message=message, hint="write counter: or gauge:", rule=RULE)
        return
    key, text = ("counter", part.counter) if part.counter is not None else ("gauge", part.gauge)
    yield from _query_problems(document, (*path, key), text or "", selector=key == "counter")


def _query_problems(document: Document, path: _Path, text: str, *, selector: bool) -> Iterator[Problem]:
    fault = check_promql(text)
    if fault is not None:
        yield document.problem(
            *path, message=fault.message, offset=fault.offset, length=fault.length, hint=fault.hint, rule=_PROMQL
        )
    elif selector and not is_selector(text):
        hint = "only the selector, such as http_requests_total{job='shop'}: rates and sums are ours to take"
        yield document.problem(*path, message="not a selector of a metric", hint=hint, rule=_PROMQL)
    elif not selector and not is_vector(text):
        hint = "an expression whose samples say how much there is now, such as kube_pod_info"
        yield document.problem(*path, message="not an instant vector", hint=hint, rule=_PROMQL)


def _label_problems(document: Document, place: _Path, item: ItemPart) -> Iterator[Problem]:
    node_labels = item.open_cost_options.node_labels if item.open_cost_options else []
    stale = item.stale.by if item.stale else []
    tokens = [item.tokens.model_label, item.tokens.type_label] if item.tokens else []
    for path, label in (
        *(((*place, "by", index), label) for index, label in enumerate(item.by)),
        *(((*place, "openCostOptions", "nodeLabels", index), label) for index, label in enumerate(node_labels)),
        *(((*place, "labels", label), label) for label in item.labels),
        *(((*place, "from", label), label) for label in item.from_),
    ):
        yield from _label_name(document, path, label)
    for path, label in (
        *(((*place, "from", ours), theirs) for ours, theirs in item.from_.items()),
        *(((*place, "tokens"), label) for label in tokens),
    ):
        if not _LABEL.fullmatch(label):
            yield document.problem(*path, message=f"`{label[:70]}` is not the name of a label", rule=RULE)
    yield from _clashes(document, place, item)
    for index, label in enumerate(stale):
        if label not in item.by:
            message = f"`{label[:70]}` is not among the labels that the item keeps (by)"
            yield document.problem(*place, "stale", "by", index, message=message, rule=RULE)


def _clashes(document: Document, place: _Path, item: ItemPart) -> Iterator[Problem]:
    for label in item.labels:
        kept = label in item.by or (item.open_cost is not None and label == names.SERVICE)
        if kept:
            message = f"`{label[:70]}` is kept from the metric and fixed as well: which one counts?"
            yield document.problem(*place, "labels", label, message=message, rule=RULE, on_key=True)
    for ours, theirs in item.from_.items():
        if ours not in item.by:
            message = f"`{ours[:70]}` is not among the labels that the item keeps (by)"
            yield document.problem(*place, "from", ours, message=message, rule=RULE, on_key=True)
        elif theirs != ours and theirs in item.by:
            message = f"`{theirs[:70]}` is kept under its own name, too"
            yield document.problem(*place, "from", ours, message=message, hint="leave one of them out", rule=RULE)


def _label_name(document: Document, path: _Path, label: str) -> Iterator[Problem]:
    if label in _OURS:
        message = f"`{label}` is a label that we set ourselves"
        yield document.problem(*path, message=message, hint="choose another", rule=RULE)
    elif not _LABEL.fullmatch(label) or label.startswith("__"):
        yield document.problem(*path, message=f"`{label[:70]}` is not the name of a label", rule=RULE)


def _replica_problems(document: Document, path: _Path, part: ReplicasPart | None) -> Iterator[Problem]:
    if part is None:
        return
    yield from _label_name(document, (*path, "label"), part.label)
    if part.timestamp is not None:
        yield from _query_problems(document, (*path, "timestamp"), part.timestamp, selector=True)


def _unreadable_replicas(
    document: Document, place: _Path, item: ItemPart, part: ReplicasPart | None
) -> Iterator[Problem]:
    """Of a computed gauge nobody can tell when its samples were taken."""
    measured = item.usage or item.spend
    if part is None or measured is None or measured.gauge is None or part.timestamp is not None:
        return
    if check_promql(measured.gauge) is None and not is_selector(measured.gauge):
        message = "which exporter is fresher cannot be seen from a computed gauge"
        hint = "write the metric's selector alone, or replicas.timestamp"
        yield document.problem(*place, "usage" if item.usage else "spend", message=message, hint=hint, rule=RULE)
