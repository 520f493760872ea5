"""Measures the effects of deployments when their time after them is over."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.delivery import DeliveryIncident, Deployment, DeploymentKind
from controlplane.model.event import Event
from controlplane.ports import HeldLease, MetricsBackend, Permanent, Store, Transaction, Transient
from exporters.dora.effects.confounding import Surroundings
from exporters.dora.effects.estimating import history
from exporters.dora.effects.fetching import Recorded, fetch
from exporters.dora.effects.measuring import effects
from exporters.dora.effects.rows import from_row, to_row
from exporters.dora.effects.slots import Window
from exporters.dora.effects.windows import LATE, LONGEST, LOOK_BACK, ready_at, settled_at
from exporters.dora.policy.model import DeliveryPolicy, EffectTerms
from exporters.unit_cost.model import UnitCost

BATCH: Final = 50  # deployments that are measured in one transaction
_SLICE: Final = timedelta(hours=6)  # of deployments that are looked through at once
_SLICES: Final = 40  # in one turn: more than a week
_AGAIN_AFTER: Final = timedelta(hours=1)  # everything is looked through again: facts may come late
_SPREAD: Final = timedelta(days=1)  # between the first and the last deployment that share queries

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: deployments `measured` (unknown ones too); `waits` says why the rest of them waits."""

    measured: int = 0
    waits: str = ""


class EffectsDaemon:
    """`policy` and `unit_costs` as they are declared now. Prometheus away: deployments wait, and nothing is lost."""

    def __init__(
        self,
        store: Store,
        metrics: MetricsBackend,
        policy: Callable[[], DeliveryPolicy],
        unit_costs: Callable[[], Sequence[UnitCost]] = tuple,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._policy = policy
        self._unit_costs = unit_costs
        self._at: datetime | None = None
        self._looked_at: datetime | None = None

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Turn:
        """Measure at most `BATCH` deployments of the last 7 days that wait for it, the oldest first.

        What was spent until a deployment was ended is measured again when that is over. Raises `Transient` and
        `Permanent` of the store only.
        """
        pending = self._pending(now)
        return self._measure(pending, now, lease)

    def again(
        self, since: datetime, now: datetime, *, service: str = "", deployment: str = "", lease: HeldLease | None = None
    ) -> Turn:
        """Measure all deployments that finished since then anew, such as after a ledger was restated.

        Stops when Prometheus does not answer, and says so; what was measured before stays.
        """
        policy = self._policy()
        with self._store.transaction(read_only=True) as transaction:
            found = _production(transaction, since, now, policy, service)
        ready = [each for each in _ready(found, policy.effects, now) if deployment in ("", each.id)]
        done = 0
        for first in range(0, len(ready), BATCH):
            turn = self._measure(ready[first : first + BATCH], now, lease)
            done += turn.measured
            if turn.waits:
                return Turn(done, turn.waits)
        return Turn(done)

    def _pending(self, now: datetime) -> list[Deployment]:
        """From where the last turn ended; from the beginning every hour."""
        policy = self._policy()
        oldest = now - LOOK_BACK
        if self._at is None or self._looked_at is None or now - self._looked_at >= _AGAIN_AFTER:
            self._at, self._looked_at = oldest, now
        found: list[Deployment] = []
        until = now - policy.effects.settle - policy.effects.window - LATE
        for _ in range(_SLICES):
            start = max(self._at, oldest)
            end = min(start + _SLICE, until)
            if start >= end or len(found) >= BATCH:
                break
            with self._store.transaction(read_only=True) as transaction:
                candidates = _production(transaction, start, end, policy)
                waiting = _waiting(transaction, candidates, policy, now)
            found += waiting[: BATCH - len(found)]
            self._at = found[-1].at if len(found) >= BATCH else end
        return found + self._ended_early(until, now, policy)[: BATCH - len(found)]

    def _ended_early(self, until: datetime, now: datetime, policy: DeliveryPolicy) -> list[Deployment]:
        """Those whose window is not over, but that another deployment of the service has ended."""
        with self._store.transaction(read_only=True) as transaction:
            candidates = _ready(_production(transaction, until, now, policy), policy.effects, now)
            return _waiting(transaction, candidates, policy, now)

    def _measure(self, chosen: Sequence[Deployment], now: datetime, lease: HeldLease | None) -> Turn:
        done = 0
        for batch in _near(chosen):
            policy = self._policy()
            around = self._surroundings(batch, policy)
            try:
                recorded = self._fetched(batch, policy.effects, now)
            except (Transient, Permanent) as error:
                self._at = None  # they are looked for again
                log.warning("dora.effects_wait", extra={"reason": str(error), "deployments": len(chosen) - done})
                return Turn(done, str(error))
            rows = [
                to_row(effect)
                for each in batch
                for effect in effects(each, around[each.id], recorded, policy.effects, now)
            ]
            with self._store.transaction(lease=lease) as transaction:
                transaction.delivery.put_effects(rows)
            done += len(batch)
        return Turn(done)

    def _fetched(self, batch: Sequence[Deployment], terms: EffectTerms, now: datetime) -> Recorded:
        first, last = batch[0].at, batch[-1].at
        start = first - terms.window
        end = min(last + LONGEST + terms.settle + LATE, now)
        past = start - history(terms.window)
        services = {each.service for each in batch}
        return fetch(self._metrics, services, self._unit_costs(), past, Window(start, end), now)

    def _surroundings(self, batch: Sequence[Deployment], policy: DeliveryPolicy) -> Mapping[str, Surroundings]:
        terms = policy.effects
        first, last = batch[0].at, batch[-1].at
        start, end = first - history(terms.window) - terms.window, last + LONGEST + terms.settle
        near = Window(first - terms.window, last + terms.settle + terms.window)
        found = {}
        with self._store.transaction(read_only=True) as transaction:
            same_time = _production(transaction, near.start, near.end, policy)
            tiers = [
                each.event for each in transaction.events.between(near.start, near.end, [names.EVENT_TIER_CHANGED])
            ]
            for service, own in _by_service(batch).items():
                others = _production(transaction, start, end, policy, service)
                incidents = transaction.delivery.incidents_between(near.start, near.end, service=service)
                for each in own:
                    found[each.id] = _around(each, others, same_time, incidents, tiers)
        return found


def _around(
    deployment: Deployment,
    others: Sequence[Deployment],
    same_time: Sequence[Deployment],
    incidents: Sequence[DeliveryIncident],
    tiers: Sequence[Event],
) -> Surroundings:
    order = (deployment.at, deployment.id)
    earlier = [each for each in others if (each.at, each.id) < order]
    later = [each for each in others if (each.at, each.id) > order]
    run = {each.service for each in same_time if deployment.run and each.run == deployment.run}
    return Surroundings(
        earlier[-1] if earlier else None,
        later[0] if later else None,
        [each.at for each in others if each.id != deployment.id],
        sorted(run - {deployment.service}),
        incidents,
        tiers,
    )


def _ready(found: Sequence[Deployment], terms: EffectTerms, now: datetime) -> list[Deployment]:
    """Of deployments in order those that can be measured: their window is over, or cut by the next of the service."""
    ready, following = [], dict[str, Deployment]()
    for each in reversed(found):
        ended = following.get(each.service)
        if ready_at(each.at, terms) <= now or (ended is not None and settled_at(ended, terms) + LATE <= now):
            ready.append(each)
        following[each.service] = each
    return ready[::-1]


def _waiting(
    transaction: Transaction, candidates: Sequence[Deployment], policy: DeliveryPolicy, now: datetime
) -> list[Deployment]:
    """Those of which nothing was measured, and those whose spending was still growing then and no longer does."""
    known = transaction.delivery.effects_of([each.id for each in candidates])
    growing = [each for each in candidates if any(from_row(row).is_open for row in known.get(each.id, ()))]
    over = set()
    for service, own in _by_service(growing).items():
        last = own[-1].at + LONGEST
        later = _production(transaction, own[0].at, last, policy, service)
        over |= {each.id for each in own if _is_over(each, later, policy.effects, now)}
    return [each for each in candidates if each.id not in known or each.id in over]


def _is_over(deployment: Deployment, later: Sequence[Deployment], terms: EffectTerms, now: datetime) -> bool:
    """Whether its day is over, or another one has ended it."""
    following = next((each for each in later if (each.at, each.id) > (deployment.at, deployment.id)), None)
    end = deployment.at + LONGEST
    return now >= min(end, settled_at(following, terms) if following else end) + LATE


def _production(
    transaction: Transaction, start: datetime, end: datetime, policy: DeliveryPolicy, service: str = ""
) -> list[Deployment]:
    """Deployments that users met, oldest first: what SLOs measure is production."""
    found = [
        each
        for environment in policy.production
        for each in transaction.delivery.deployments_between(start, end, service=service, environment=environment)
        if each.kind is not DeploymentKind.REMOVED
    ]
    return sorted(found, key=lambda each: (each.at, each.id))


def _near(chosen: Sequence[Deployment]) -> Iterable[list[Deployment]]:
    """In order of time, in parts of which one stretch of Prometheus' data tells everything."""
    part: list[Deployment] = []
    for each in sorted(chosen, key=lambda each: (each.at, each.id)):
        if part and each.at - part[0].at > _SPREAD:
            yield part
            part = []
        part.append(each)
    if part:
        yield part


def _by_service(batch: Sequence[Deployment]) -> Mapping[str, list[Deployment]]:
    found: dict[str, list[Deployment]] = defaultdict(list)
    for each in batch:
        found[each.service].append(each)
    return found
