"""From the facts of a stretch to what is said of each of its deployments and incidents. Pure.

The same facts give the same judgements, in whatever order they stand and whatever else is known of other times: nothing
beyond the looks (`exporters.dora.reckoning.looks`) plays a part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.model.delivery import Attribution, DeliveryIncident
from exporters.dora.model import JudgedDeployment
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning import looks
from exporters.dora.reckoning.attributing import Attributions
from exporters.dora.reckoning.deliveries import Deliveries, delivered
from exporters.dora.reckoning.outcomes import Outcomes
from exporters.dora.reckoning.rollbacks import Rollbacks
from exporters.dora.reckoning.stretch import Stretch, Track


@dataclass(frozen=True, slots=True)
class JudgedIncident:
    """An incident that counts. `restore_time` is None while it goes on, or where its times contradict each other."""

    incident: DeliveryIncident
    attribution: Attribution
    restore_time: timedelta | None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """Deployments by (at, id) and incidents by (start, id) of a span of time.

    `unexplained` are the ids of deployments of which nobody knows what they brought.
    """

    deployments: tuple[JudgedDeployment, ...]
    incidents: tuple[JudgedIncident, ...]
    unexplained: frozenset[str] = frozenset()

    @property
    def attributions(self) -> tuple[Attribution, ...]:
        """What its incidents are held against."""
        return tuple(one.attribution for one in self.incidents)


class Judge:
    """Reckons any part of a stretch; what was found out once is remembered."""

    def __init__(self, stretch: Stretch, start: datetime, end: datetime, policy: DeliveryPolicy) -> None:
        """`stretch` must hold all that lies within the looks around [start, end)."""
        self._stretch = stretch
        self._track = Track(stretch, policy)
        rollbacks = Rollbacks(self._track)
        self._deliveries = Deliveries(self._track, rollbacks)
        self._attributions = Attributions(self._track, rollbacks)
        held: dict[str, list[DeliveryIncident]] = {}
        for incident, attribution in self._attributed(start, end, policy):
            if attribution.deployment:
                held.setdefault(attribution.deployment, []).append(incident)
        self._outcomes = Outcomes(self._track, rollbacks, self._deliveries, held)

    def between(self, start: datetime, end: datetime) -> Reckoning:
        """What is said of the deployments and incidents of [start, end)."""
        stretch = self._stretch
        here = self._track.between(start, end)
        deployments = tuple(self._judged(index) for index in here)
        unknown = frozenset(self._track.deployments[index].id for index in here if self._deliveries.is_unknown(index))
        own = [one for one in stretch.incidents if self._is_own(one) and start <= one.started_at < end]
        own.sort(key=lambda one: (one.started_at, one.id))
        incidents = (JudgedIncident(one, self._attributions.of(one), _restore_time(one)) for one in own)
        return Reckoning(deployments, tuple(incidents), unknown)

    def _attributed(
        self, start: datetime, end: datetime, policy: DeliveryPolicy
    ) -> Iterator[tuple[DeliveryIncident, Attribution]]:
        first = start - looks.follow(policy) - looks.ROLLOUT_AT_MOST
        last = end + looks.causes(policy)
        for incident in sorted(self._stretch.incidents, key=lambda one: (one.started_at, one.id)):
            if not incident.is_counted:
                continue
            if self._is_own(incident) and first <= incident.started_at <= last:
                yield incident, self._attributions.of(incident)
            else:
                said = self._attributions.said(incident)
                if said is not None:
                    yield incident, said

    def _is_own(self, incident: DeliveryIncident) -> bool:
        mine = (self._stretch.service, self._stretch.environment)
        return incident.is_counted and (incident.service, incident.environment) == mine

    def _judged(self, index: int) -> JudgedDeployment:
        one = self._track.deployments[index]
        failure = self._outcomes.failure(index)
        rework = self._outcomes.rework(index)
        recovery = self._outcomes.recovery(index) if failure else None
        return JudgedDeployment(
            id=one.id,
            service=one.service,
            environment=one.environment,
            at=one.at,
            version=one.version,
            url=one.url,
            run=one.run,
            failure=failure[0] if failure else None,
            rework=rework[0] if rework else None,
            incidents=tuple(incident.id for incident in self._outcomes.incidents(index)),
            recovered_at=recovery.at if recovery else None,
            recovery_time=recovery.time if recovery else None,
            changes=tuple(delivered(change, one.at) for change in self._deliveries.of(index)),
            why="; ".join(said[1] for said in (failure, rework) if said is not None),
        )


def reckon(stretch: Stretch, start: datetime, end: datetime, policy: DeliveryPolicy) -> Reckoning:
    """What is said of the deployments and incidents of [start, end)."""
    return Judge(stretch, start, end, policy).between(start, end)


def _restore_time(incident: DeliveryIncident) -> timedelta | None:
    if incident.resolved_at is None or incident.resolved_at < incident.started_at:
        return None
    return incident.resolved_at - incident.started_at
