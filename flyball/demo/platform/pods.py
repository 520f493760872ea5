"""Which pods live when: rollouts, pods that are replaced, containers that restart."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from flyball.demo.platform.shapes import Catalogue, Deployment, Service
from flyball.demo.platform.traffic import MINUTES_PER_DAY

_ROLLOUT_STEP_MINUTES: Final = 2
_DAYS_BETWEEN_REPLACEMENTS: Final = 6.0  # of one pod
_DAYS_BETWEEN_RESTARTS: Final = 7.0
_DAYS_AHEAD: Final = 14


@dataclass(frozen=True, slots=True)
class Life:
    """A pod from one start of its counters to the next: [start, end) in minutes; `replaced` when its name ends too."""

    pod: str
    address: str
    version: str
    start: int
    end: int
    replaced: bool

    @property
    def target_labels(self) -> tuple[tuple[str, str], ...]:
        """What service discovery says of the pod, besides its job."""
        return (("instance", self.address), ("pod", self.pod))


@dataclass(frozen=True, slots=True)
class Slot:
    """One of the replicas of a service, and the pods that fill it one after the other, without a gap."""

    service: Service
    lives: tuple[Life, ...]

    def at(self, minute: int) -> Life:
        """Who fills it at this minute; the last one stays for ever."""
        return next((life for life in self.lives if life.start <= minute < life.end), self.lives[-1])


def slots_of(catalogue: Catalogue, *, seed: int, start: int, seam: int) -> tuple[Slot, ...]:
    """Every slot with its whole past from `start` and the churn of the next two weeks; the same for the same seed."""
    slots: list[Slot] = []
    for service in catalogue.services:
        for number in range(service.pods):
            random = np.random.default_rng([seed, len(slots), 7])
            rollouts = [deployment for deployment in catalogue.deployments if deployment.service == service.name]
            slots.append(Slot(service, _lives(service, number, rollouts, random=random, start=start, seam=seam)))
    return tuple(slots)


def _lives(
    service: Service, number: int, rollouts: list[Deployment], *, random: np.random.Generator, start: int, seam: int
) -> tuple[Life, ...]:
    horizon = seam + _DAYS_AHEAD * MINUTES_PER_DAY
    changes: dict[int, str | None] = {}  # a new version, "" for a new pod, None for a restart of the container
    for minute in _arrivals(random, _DAYS_BETWEEN_RESTARTS, start, horizon):
        changes[minute] = None
    for minute in _arrivals(random, _DAYS_BETWEEN_REPLACEMENTS, start, horizon):
        changes[minute] = ""
    for rollout in rollouts:
        changes[seam - round(rollout.days_ago * MINUTES_PER_DAY) + number * _ROLLOUT_STEP_MINUTES] = rollout.version
    version = service.version
    pod = _pod_name(service.name, version, random)
    lives = []
    begun = start
    for minute, change in [*sorted(item for item in changes.items() if item[0] > start), (horizon, "")]:
        replaced = change is not None
        lives.append(Life(pod, _address(pod), version, begun, minute, replaced))
        version = change or version
        pod = _pod_name(service.name, version, random) if replaced else pod
        begun = minute
    return tuple(lives)


def _arrivals(random: np.random.Generator, mean_days: float, start: int, end: int) -> list[int]:
    gaps = random.exponential(mean_days * MINUTES_PER_DAY, size=200)
    return [start + round(minute) for minute in np.cumsum(gaps) if minute < end - start]


def _pod_name(service: str, version: str, random: np.random.Generator) -> str:
    replica_set = hashlib.sha256(f"{service} {version}".encode()).hexdigest()[:9]
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    return f"{service}-{replica_set}-" + "".join(alphabet[i] for i in random.integers(len(alphabet), size=5))


def _address(pod: str) -> str:
    digest = hashlib.sha256(pod.encode()).digest()
    return f"10.{digest[0] % 64}.{digest[1]}.{digest[2] % 254 + 1}:9090"
