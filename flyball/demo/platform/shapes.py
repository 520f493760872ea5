"""What the simulated platform is made of, as values: tenants, services, flows of events, incidents, deployments."""

import math
from dataclasses import dataclass, replace
from enum import Enum
from itertools import pairwise
from typing import Final

from flyball.demo.platform.retries import Retries

Labels = tuple[tuple[str, str], ...]
INFINITY: Final = math.inf


class Demand(Enum):
    """How a flow's traffic moves."""

    BUSINESS = "business"  # with the working hours of the tenants
    STEADY = "steady"  # the same at every hour


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer: its share of the traffic and the time zone that it works in."""

    name: str
    share: float
    utc_offset_hours: float
    weekend_ratio: float


@dataclass(frozen=True, slots=True)
class Size:
    """What one pod of a service asks for, and the pool of nodes that it runs on."""

    cores: float
    memory_gib: float
    pool: str


@dataclass(frozen=True, slots=True)
class Service:
    """A workload with `pods` replicas; `version` is what it ran a month ago."""

    name: str
    pods: int
    version: str
    namespace: str = "default"
    size: Size = Size(1, 2, "general")


@dataclass(frozen=True, slots=True)
class NodePool:
    """Machines of one kind. `working_hours`: they are there from Monday to Friday, 06:00 to 20:00 UTC, only.

    `hourly_usd` is the list price of one machine.
    """

    name: str
    nodes: int
    instance_type: str
    cores: int
    memory_gib: int
    region: str
    hourly_usd: float
    working_hours: bool = False


@dataclass(frozen=True, slots=True)
class ForgottenNodes:
    """A bill that grew: `nodes` more than needed in a pool, from `days_ago` on for `minutes`."""

    days_ago: float
    minutes: int
    pool: str
    nodes: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One way in which an event can end: what its counter is labelled with, or the bucket that it falls into.

    `weight` is its share among the good (or the bad) cells of its flow; `seconds` a typical duration.
    """

    bad: bool
    weight: float
    labels: Labels = ()
    le: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Flow:
    """One kind of event that one service counts, with one counter or classic histogram.

    `per_second` is the mean over the whole platform and month; `bad_ratio` the share that ends badly on a quiet day.
    With `every_minutes`, exactly one event happens each so many minutes instead. `tenanted` adds the label `tenant`.
    With `per_observation`, the events are units (tokens, say) and a summary counts them: `METRIC_sum` has the units,
    `METRIC_count` an observation for so many of them.
    """

    name: str
    service: str
    metric: str
    documentation: str
    per_second: float
    bad_ratio: float
    cells: tuple[Cell, ...]
    demand: Demand = Demand.BUSINESS
    labels: Labels = ()
    tenanted: bool = False
    routes: tuple[tuple[str, float], ...] = ()
    every_minutes: int = 0
    noise: float = 0.06
    per_observation: int = 0

    @property
    def is_histogram(self) -> bool:
        """Whether the events are observed into buckets rather than counted."""
        return self.cells[0].le is not None


@dataclass(frozen=True, slots=True)
class Effect:
    """What changes for a flow while something is wrong: a share of bad events, a factor on the traffic.

    `load` sets the traffic instead, as a multiple of the flow's mean, whatever the hour; `retries` lets it follow from
    how long it has been wrong. `tenant` empty means all of them.
    """

    flow: str
    bad_ratio: float | None = None
    traffic: float = 1.0
    tenant: str = ""
    load: float | None = None
    retries: Retries | None = None

    def during(self, start: float, end: float) -> "Effect":
        """The effect between two moments, in seconds since it began: its load is known then."""
        return replace(self, load=self.retries.mean(start, end), retries=None) if self.retries else self


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong in the past: `days_ago` before the history's end, for `minutes`."""

    days_ago: float
    minutes: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A new version rolled out over the pods of a service, one after the other; what its `effects` change stays.

    `rolls_back` is the version that it takes back; `mends` is the `days_ago` of the incident because of which it was
    made, where there is one.
    """

    days_ago: float
    service: str
    version: str
    effects: tuple[Effect, ...] = ()
    rolls_back: str = ""
    mends: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a user of the demo can break and heal. `title` says what breaks, in one line."""

    name: str
    title: str
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The whole platform as data. Names of tenants, services, flows and pools are unique."""

    tenants: tuple[Tenant, ...]
    services: tuple[Service, ...]
    flows: tuple[Flow, ...]
    incidents: tuple[Incident, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    faults: tuple[Fault, ...] = ()
    pools: tuple[NodePool, ...] = ()
    forgotten: tuple[ForgottenNodes, ...] = ()


def counted(good: dict[Labels, float], bad: dict[Labels, float]) -> tuple[Cell, ...]:
    """Cells of a counter from the weights of its label sets; each side adds up to 1."""
    return tuple(
        Cell(bad=is_bad, weight=weight / sum(side.values()), labels=labels)
        for is_bad, side in ((False, good), (True, bad))
        for labels, weight in side.items()
    )


def timed(threshold: float, buckets: tuple[float, ...], *, median: float, spread: float = 0.6) -> tuple[Cell, ...]:
    """Cells of a histogram in seconds: good ones lie lognormally below the threshold, bad ones tail off above it.

    `threshold` must be one of `buckets`; +Inf is added.
    """
    if threshold not in buckets:
        raise ValueError(f"no bucket ends at {threshold}")
    edges = (0.0, *buckets, INFINITY)
    cells = []
    for low, high in pairwise(edges):
        bad = low >= threshold
        weight = _tail(low, high, threshold) if bad else _lognormal(low, high, median, spread)
        seconds = low * 1.4 if high == INFINITY else (low + high) / 2
        cells.append(Cell(bad=bad, weight=weight, le=high, seconds=seconds))
    return tuple(_normalised(cells))


def _normalised(cells: list[Cell]) -> list[Cell]:
    totals = {bad: sum(cell.weight for cell in cells if cell.bad is bad) for bad in (False, True)}
    return [
        Cell(bad=cell.bad, weight=cell.weight / totals[cell.bad], le=cell.le, seconds=cell.seconds) for cell in cells
    ]


def _lognormal(low: float, high: float, median: float, spread: float) -> float:
    def below(value: float) -> float:
        return 0.0 if value <= 0 else 0.5 * (1 + math.erf(math.log(value / median) / (spread * math.sqrt(2))))

    return below(high) - below(low)


def _tail(low: float, high: float, threshold: float) -> float:
    """A Pareto tail that halves each time the duration doubles."""
    return threshold / low - (0.0 if high == INFINITY else threshold / high)
