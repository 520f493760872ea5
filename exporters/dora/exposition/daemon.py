"""Keeps what /metrics says of deliveries in memory: a scrape only hands it on."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from controlplane import delivery_names as names
from controlplane.model.delivery import CounterRow, Deployment, DeploymentKind, DeploymentOutcome, StoredEffect
from controlplane.ports import Clock, Store
from exporters.dora.exposition.counters import counter_families
from exporters.dora.exposition.effects import effect_families
from exporters.dora.exposition.gauges import (
    Labels,
    Windows,
    deployment_families,
    gauge_families,
    scope_labels,
)
from exporters.dora.exposition.lines import Family, Line, text_of
from exporters.dora.measuring.stored import StoredMetrics
from exporters.dora.model import DoraMetrics
from exporters.dora.policy.model import DeliveryPolicy

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

MOST_SHOWN: Final = 300  # pairs of service and environment: some 50,000 lines, 7 MB
WINDOWS: Final = {"30d": timedelta(days=30), "90d": timedelta(days=90)}
EFFECTS_SHOWN: Final = timedelta(days=7)
REMEASURED_AFTER: Final = timedelta(minutes=10)  # where nothing new came: windows move on
FORGOTTEN_AFTER: Final = timedelta(minutes=10)  # without an answer of the store we say nothing: it may have changed
_REST: Final = 20  # times as long as it took, before it is measured again
_LATEST: Final = 5  # deployments looked at for the one that runs
_MOST_EFFECTS: Final = 1000
_END: Final = b"# EOF\n"
_OPENMETRICS: Final = "openmetrics"
Pair = tuple[str, str]  # service, environment
log = logging.getLogger(__name__)


class Measure(Protocol):
    """Metrics of every service and environment with anything in [start, end)."""

    def __call__(
        self, deliveries: "DeliveryLog", start: datetime, end: datetime, policy: DeliveryPolicy, /
    ) -> Sequence[DoraMetrics]:
        """Read from what was measured. Raises Transient."""
        ...


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a turn did: pairs of service and environment that are said, and those for which there is no room."""

    shown: int
    hidden: int
    was_measured: bool


@dataclass(frozen=True, slots=True)
class _Told:
    """What a scrape is given, what it was made of, and when that was so last."""

    plain: bytes = b""
    openmetrics: bytes = b""
    shown: int = 0
    hidden: int = 0
    key: object = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """What the store says."""

    policy: DeliveryPolicy
    counters: Sequence[CounterRow]
    measured: "_Measured"
    effects: Sequence[StoredEffect]


@dataclass(frozen=True, slots=True)
class _Measured:
    """Gauges, what they were made of, and how long that took."""

    key: object
    at: datetime
    cost: timedelta
    windows: Mapping[str, Sequence[DoraMetrics]]

    def holds(self, key: object, now: datetime) -> bool:
        """Whether it need not be measured again: nothing came, or measuring would take too much of the time."""
        age = now - self.at
        if age < timedelta(0) or age >= REMEASURED_AFTER:
            return False
        return self.key == key or age < self.cost * _REST


class ExpositionDaemon:
    """One in every replica; safe to be asked while it computes.

    Of more services than there is room for, those with the most deployments ever are said, with all their environments:
    every replica chooses the same. `refresh` is for a job every 30 s. Without a `measure` it is `StoredMetrics`.
    """

    def __init__(
        self,
        store: Store,
        policy: Callable[[], DeliveryPolicy],
        clock: Clock,
        *,
        measure: Measure | None = None,
        most_shown: int = MOST_SHOWN,
    ) -> None:
        self._store = store
        self._policy = policy
        self._measure = measure or StoredMetrics()
        self._clock = clock
        self._most = most_shown
        self._told = _Told()
        self._measured: _Measured | None = None
        self._hidden = 0

    def joined(self, body: bytes, content_type: str) -> bytes:
        """What `prometheus_client` gave for this content type, and our metrics behind it."""
        told = self._told
        if told.at is None or self._clock.now() - told.at > FORGOTTEN_AFTER:
            return body
        if _OPENMETRICS in content_type:
            return b"".join((body.removesuffix(_END), told.openmetrics, _END))
        return body + told.plain

    def refresh(self, now: datetime) -> Refreshed:
        """Compute it anew: counters when one grew, gauges then, too, or when ten minutes went by.

        Measuring the windows takes a twentieth of the time at most: where there is very much, gauges are a minute late.

        Raises Transient; what was known before is said for ten minutes more.
        """
        policy = self._policy()
        with self._store.transaction(read_only=True) as transaction:
            deliveries = transaction.delivery
            counters = deliveries.counters()
            measured, is_new = self._measured_now(deliveries, counters, policy, now)
            effects = deliveries.effects_between(now - EFFECTS_SHOWN, now, state="measured", limit=_MOST_EFFECTS)
            key = (_key(counters, policy), effects)
            if is_new or self._told.key != key:
                told = self._written(deliveries, _Read(policy, counters, measured, effects), now)
                self._told = replace(told, key=key)
        self._measured = measured
        self._told = replace(self._told, at=now)
        self._tell_hidden(self._told.hidden)
        return Refreshed(self._told.shown, self._told.hidden, is_new)

    def _written(self, deliveries: "DeliveryLog", it: "_Read", now: datetime) -> "_Told":
        """All of it as text."""
        chosen, hidden = _chosen(it.counters, it.measured, self._most)
        latest = [(pair, found) for pair in sorted(chosen) if (found := _running(deliveries, pair, now)) is not None]
        named = deliveries.deployments([each.deployment for each in it.effects])
        shown = [(_labels(it.policy, _pair(each)), each) for each in it.effects if _pair(each) in chosen]
        families = [
            *_families(_Scene(it.policy, chosen, it.counters, it.measured.windows, latest)),
            *effect_families(shown, named),
            Family(names.SERVICES_HIDDEN, "gauge", _HIDDEN_TEXT, (Line(names.SERVICES_HIDDEN, "", float(hidden)),)),
        ]
        plain, openmetrics = (text_of(families, is_openmetrics=each) for each in (False, True))
        return _Told(plain, openmetrics, len(chosen), hidden)

    def _measured_now(
        self, deliveries: "DeliveryLog", counters: Sequence[CounterRow], policy: DeliveryPolicy, now: datetime
    ) -> tuple[_Measured, bool]:
        key = _key(counters, policy)
        known = self._measured
        if known is not None and known.holds(key, now):
            return known, False
        begun = self._clock.now()
        windows = {name: self._measure(deliveries, now - length, now, policy) for name, length in WINDOWS.items()}
        return _Measured(key, now, self._clock.now() - begun, windows), True

    def _tell_hidden(self, hidden: int) -> None:
        """Once, when there begin to be some or their number changes."""
        if hidden and hidden != self._hidden:
            log.warning("dora.services_hidden", extra={"hidden": hidden, "most": self._most})
        self._hidden = hidden


_HIDDEN_TEXT: Final = "Services, each in an environment, that have no metrics here for want of room."


@dataclass(frozen=True, slots=True)
class _Scene:
    policy: DeliveryPolicy
    chosen: frozenset[Pair]
    counters: Sequence[CounterRow]
    windows: Mapping[str, Sequence[DoraMetrics]]
    latest: Sequence[tuple[Pair, Deployment]]


def _families(it: _Scene) -> list[Family]:
    labels = {pair: _labels(it.policy, pair) for pair in it.chosen}
    counted = [row for row in it.counters if (row.service, row.environment) in it.chosen]
    windows: Windows = {
        window: [
            (labels[pair], metrics)
            for metrics in found
            if (pair := (metrics.scope.service, metrics.scope.environment)) in it.chosen
        ]
        for window, found in it.windows.items()
    }
    return [
        *counter_families(counted, lambda service, environment: labels[service, environment]),
        *gauge_families(windows),
        *deployment_families([(labels[pair], deployment) for pair, deployment in it.latest]),
    ]


def _key(counters: Sequence[CounterRow], policy: DeliveryPolicy) -> object:
    """Is another one when something was counted, or when another policy holds."""
    return policy, tuple(counters)


def _labels(policy: DeliveryPolicy, pair: Pair) -> Labels:
    service, environment = pair
    return scope_labels(service, policy.team(service), environment)


def _pair(effect: StoredEffect) -> Pair:
    return effect.service, effect.environment


def _chosen(counters: Sequence[CounterRow], measured: _Measured, most: int) -> tuple[frozenset[Pair], int]:
    """Whole services, those that were deployed most first, while there is room; and how many pairs have none."""
    pairs = {(row.service, row.environment) for row in counters}
    pairs |= {(it.scope.service, it.scope.environment) for found in measured.windows.values() for it in found}
    deployed: dict[str, float] = {service: 0.0 for service, _ in pairs}
    for row in counters:
        if row.name == names.DEPLOYMENTS:
            deployed[row.service] += float(row.value)
    environments: dict[str, list[Pair]] = {}
    for pair in pairs:
        environments.setdefault(pair[0], []).append(pair)
    chosen: set[Pair] = set()
    for service in sorted(deployed, key=lambda name: (-deployed[name], name)):
        if len(chosen) + len(environments[service]) <= most:  # one with an environment a pull request hides no others
            chosen |= set(environments[service])
    return frozenset(chosen), len(pairs) - len(chosen)


def _running(deliveries: "DeliveryLog", pair: Pair, now: datetime) -> Deployment | None:
    """The last one whose roll-out went well; None where the service was taken away after it."""
    found = deliveries.last_deployments_before(*pair, now, _LATEST)
    for deployment in reversed(found):
        if deployment.kind is DeploymentKind.REMOVED:
            return None
        if deployment.outcome is DeploymentOutcome.SUCCEEDED:
            return deployment
    return None
