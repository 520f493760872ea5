"""Price maps as values: what is measured, what it costs from when on, and which labels the spend keeps."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum

from controlplane.model.source import SourcePosition

Labels = tuple[tuple[str, str], ...]


class Measure(Enum):
    """What the numbers of a metric mean."""

    COUNTER = "counter"  # it grows by what is used: the units of an interval are its increase
    GAUGE = "gauge"  # how much there is at a moment: the units are unit-hours


@dataclass(frozen=True, slots=True)
class Usage:
    """PromQL that measures: of a counter a selector, of a gauge any instant vector."""

    measure: Measure
    text: str


@dataclass(frozen=True, slots=True)
class Price:
    """`amount` of money for `per` units, from `start` (None: ever since) until `end` (None: until the next price)."""

    amount: Decimal
    per: Decimal = Decimal(1)
    start: datetime | None = None
    end: datetime | None = None


Schedule = tuple[Price, ...]
"""Prices one after the other: each begins no earlier than the one before it ends; only the first may have no start."""


@dataclass(frozen=True, slots=True)
class Replicas:
    """Exporters that report the same usage: `label` tells them apart, the freshest is read.

    `timestamp` is a gauge with that label that says up to when an exporter knows; empty: its samples' own times.
    """

    label: str
    timestamp: str = ""


@dataclass(frozen=True, slots=True)
class Staleness:
    """Silence longer than `after` is told: of the whole item, or of each combination of the labels `by`.

    `optional`: an item that was never seen is nothing to tell.
    """

    after: timedelta = timedelta(minutes=10)
    by: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What tokens of one kind cost with one model, by the values of the metric's own labels."""

    model: str
    token_type: str
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Override:
    """A user's own price of a model, by our names of token kinds (`input`, `output`, …); it wins from `start` on."""

    model: str
    amounts: tuple[tuple[str, Decimal], ...]
    per: Decimal
    start: datetime | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Prices of language models. `types` are the values of `type_label` with the token kind that each stands for.

    `prices` are resolved for `models`; what has none is unpriced. `notes` say what a price leaves out.
    """

    model_label: str
    type_label: str
    types: tuple[tuple[str, str], ...]
    provider: str = ""
    models: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    input_includes_cached: bool = False
    prices: tuple[TokenPrice, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """How large nodes of an instance type are, where nobody exports it."""

    instance_type: str
    cores: Decimal
    gib: Decimal


@dataclass(frozen=True, slots=True)
class OpenCost:
    """Nodes, volumes and load balancers by OpenCost's metrics, as far as they are there.

    `cpu_share` is the part of a node's price that is for its cores, where no price per core is exported.
    """

    node_labels: tuple[str, ...] = ()
    cpu_share: Decimal = Decimal("0.5")
    machines: tuple[Machine, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that costs money. Exactly one of these says how much: `schedule`, `catalogue`, `opencost`, `is_money`.

    `by` are the labels that the spend keeps, `renamed` those of them whose metric calls them otherwise (ours, theirs),
    `labels` are added to every spend. What is not in any bill (`is_billed`) is neither compared nor corrected.
    """

    name: str
    resource: str
    usage: Usage | None
    by: tuple[str, ...] = ()
    renamed: Labels = ()
    labels: Labels = ()
    schedule: Schedule = ()
    is_money: bool = False
    catalogue: Catalogue | None = None
    opencost: OpenCost | None = None
    is_billed: bool = True
    replicas: Replicas | None = None
    staleness: Staleness = Staleness()
    source: SourcePosition | None = field(default=None, compare=False)

    def label_in_metric(self, label: str) -> str:
        """What the metric calls a label that the spend keeps."""
        return dict(self.renamed).get(label, label)


@dataclass(frozen=True, slots=True)
class Correction:
    """Which correction ratios are believed: between the bounds, and made from a bill no older than `longest_age`."""

    lowest: Decimal = Decimal("0.2")
    highest: Decimal = Decimal(5)
    longest_age: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class BilledNames:
    """How the bill calls things: the dimension of its ledger that has services, and its names for each of ours.

    A service without names of its own is called the same in the bill.
    """

    dimension: str = "service"
    services: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class PriceMap:
    """Prices of one currency; items in the order in which they were written."""

    name: str
    currency: str
    items: tuple[Item, ...]
    correction: Correction = Correction()
    billed: BilledNames = BilledNames()
    owner: str = ""
    runbook_url: str = ""
    source: SourcePosition | None = field(default=None, compare=False)
