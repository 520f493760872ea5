"""The machines below the pods, as OpenCost and kube-state-metrics would tell of them: gauges, no counters."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from controlplane import conventions
from flyball.demo.platform.pods import Life, Slot
from flyball.demo.platform.shapes import Catalogue, Labels, NodePool, Service
from flyball.demo.platform.traffic import MINUTES_PER_DAY, Integers

NODE_COST: Final = "node_total_hourly_cost"
CORES: Final = "container_cpu_allocation"
MEMORY: Final = "container_memory_allocation_bytes"
POD_INFO: Final = "kube_pod_info"
CAPACITY_CORES: Final = "kube_node_status_capacity_cpu_cores"
CAPACITY_BYTES: Final = "kube_node_status_capacity_memory_bytes"
DOCUMENTATION: Final = {
    NODE_COST: "USD an hour that a node costs.",
    CAPACITY_CORES: "Cores of a node.",
    CAPACITY_BYTES: "Bytes of memory of a node.",
    CORES: "Cores that a pod has asked for or used, whichever is more.",
    MEMORY: "Bytes that a pod has asked for or used, whichever is more.",
    POD_INFO: "Where a pod runs; always 1.",
}
TARGET: Final[Labels] = (("job", "opencost"), ("instance", "opencost:9003"))
"""What service discovery says of the exporter."""

IDLE: Final = conventions.IDLE_SERVICE
"""The service that what nobody asked for of a node belongs to."""

_PROVIDER: Final = "aws"
_BYTES_PER_GIB: Final = 1 << 30
_WORK_BEGINS, _WORK_ENDS = 6 * 60, 20 * 60  # minutes of the day, UTC
_WEEKDAYS: Final = 5
_FOREVER: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a pool; `until` and `since` (minutes) bound the life of one that somebody forgot."""

    name: str
    pool: NodePool
    since: int | None = None
    until: int | None = None

    @property
    def labels(self) -> Labels:
        """What the exporter says of it."""
        return (
            ("instance_type", self.pool.instance_type),
            ("node", self.name),
            ("provider", _PROVIDER),
            ("region", self.pool.region),
        )

    def alive(self, minutes: Integers) -> NDArray[np.bool_]:
        """In which of these minutes it is there, and paid for."""
        there = np.ones(minutes.shape, dtype=np.bool_)
        if self.since is not None:
            there &= minutes >= self.since
        if self.until is not None:
            there &= minutes < self.until
        if self.pool.working_hours:
            of_day = minutes % MINUTES_PER_DAY
            weekday = (minutes // MINUTES_PER_DAY + 3) % 7  # the epoch was a Thursday; Monday is 0
            there &= (weekday < _WEEKDAYS) & (of_day >= _WORK_BEGINS) & (of_day < _WORK_ENDS)
        return there


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series of the exporter, its value at every moment at which it is there, and in which minutes that is."""

    name: str
    labels: Labels
    value: float
    alive: NDArray[np.bool_]


class Infrastructure:
    """All nodes, and which pods run on which. Minutes are counted from the Unix epoch; `seam` ends the history."""

    def __init__(self, catalogue: Catalogue, slots: tuple[Slot, ...], seam: int) -> None:
        self.nodes: Final = tuple(_nodes(catalogue, seam))
        self._slots: Final = slots
        self._homes: Final = tuple(self._home(slots, number) for number in range(len(slots)))

    def gauges(self, minutes: Integers) -> Iterator[Gauge]:
        """Every series that is there in at least one of these consecutive minutes."""
        for node in self.nodes:
            alive = node.alive(minutes)
            if alive.any():
                yield Gauge(NODE_COST, node.labels, node.pool.hourly_usd, alive)
                size: Labels = (("node", node.name),)
                yield Gauge(CAPACITY_CORES, size, node.pool.cores, alive)
                yield Gauge(CAPACITY_BYTES, size, node.pool.memory_gib * _BYTES_PER_GIB, alive)
        for slot, home in zip(self._slots, self._homes, strict=True):
            for life in _pods(slot):
                alive = (minutes >= life.start) & (minutes < life.end)
                if alive.any():
                    yield from _of_pod(slot, life.pod, home, alive)

    def pods_of(self, node: Node) -> tuple[Service, ...]:
        """The services of the pods that run on a node, one for each pod."""
        return tuple(slot.service for slot, home in zip(self._slots, self._homes, strict=True) if home == node.name)

    def _home(self, slots: tuple[Slot, ...], number: int) -> str:
        """The node of a slot: siblings on different ones, as long as there are."""
        size = slots[number].service.size
        steady = [node.name for node in self.nodes if node.pool.name == size.pool and node.until is None]
        if not steady:
            return ""
        siblings = [i for i, other in enumerate(slots) if other.service == slots[number].service]
        first = hashlib.sha256(slots[number].service.name.encode()).digest()[0]
        return steady[(first + siblings.index(number)) % len(steady)]


def _of_pod(slot: Slot, pod: str, node: str, alive: NDArray[np.bool_]) -> Iterator[Gauge]:
    service, size = slot.service, slot.service.size
    labels = (("namespace", service.namespace), ("node", node), ("pod", pod), ("service", service.name))
    yield Gauge(CORES, labels, size.cores, alive)
    yield Gauge(MEMORY, labels, size.memory_gib * _BYTES_PER_GIB, alive)
    yield Gauge(POD_INFO, labels, 1.0, alive)


def _pods(slot: Slot) -> Iterator[Life]:
    """The pods of a slot, each from its first start to its end: a container that restarts is still the same pod."""
    begun: Life | None = None
    for life in slot.lives:
        begun = begun or life
        if life.replaced:
            end = _FOREVER if life is slot.lives[-1] else life.end
            yield Life(begun.pod, begun.address, begun.version, begun.start, end, replaced=True)
            begun = None


def _nodes(catalogue: Catalogue, seam: int) -> Iterator[Node]:
    for pool in catalogue.pools:
        for number in range(pool.nodes):
            yield Node(_node_name(pool, number), pool)
        for extra in catalogue.forgotten:
            if extra.pool == pool.name:
                since = seam - round(extra.days_ago * MINUTES_PER_DAY)
                for number in range(extra.nodes):
                    yield Node(_node_name(pool, pool.nodes + number), pool, since, since + extra.minutes)


def _node_name(pool: NodePool, number: int) -> str:
    digest = hashlib.sha256(f"{pool.name} {number}".encode()).digest()
    return f"ip-10-{digest[0] % 64}-{digest[1]}-{digest[2] % 254 + 1}.{pool.region}.compute.internal"
