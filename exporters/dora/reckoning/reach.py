"""How far a fact that is new or changed reaches: the days that must be measured again because of it.

It answers rather too many days than one too few: a day that is measured in vain gives the same sheet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from controlplane.model.delivery import Artifact, Change, DeliveryIncident, Deployment, SheetKey
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning import looks, neighbours
from exporters.dora.reckoning.stretch import is_named, names_of

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

Fact = Deployment | Change | Artifact | DeliveryIncident
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class FactChange:
    """What was known of one thing before and is now; None where nothing was, or is no longer."""

    old: Fact | None
    new: Fact | None

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Both that there are."""
        return tuple(fact for fact in (self.old, self.new) if fact is not None)


def days_touched(
    log: "DeliveryLog", changed: Sequence[FactChange], policy: DeliveryPolicy, today: date
) -> list[SheetKey]:
    """The days, sorted, whose measurements may be others because of these changes; `log` may know the new facts or not.

    None lies after `today`, unless a fact itself does. A fact that stays as it was touches nothing.
    """
    facts = [fact for change in changed if change.old != change.new for fact in change.facts]
    reach = _Reach(log, policy, today)
    reach.deployments([fact for fact in facts if isinstance(fact, Deployment)])
    reach.incidents([fact for fact in facts if isinstance(fact, DeliveryIncident)])
    reach.changes([fact for fact in facts if isinstance(fact, Change)])
    reach.artifacts([fact for fact in facts if isinstance(fact, Artifact)])
    return reach.days()


def days_of_correction(
    log: "DeliveryLog", incident: DeliveryIncident, deployments: Sequence[str], policy: DeliveryPolicy, today: date
) -> list[SheetKey]:
    """Those that change when a person says what caused an incident: `deployments` it is and was held against."""
    reach = _Reach(log, policy, today)
    reach.incidents([incident])
    reach.blamed(sorted(name for name in deployments if name))
    return reach.days()


class _Reach:
    """Gathers days. Spans of one service that overlap are walked once."""

    def __init__(self, log: "DeliveryLog", policy: DeliveryPolicy, today: date) -> None:
        self._log = log
        self._policy = policy
        self._today = today
        self._keys: set[SheetKey] = set()
        self._moved = 1  # how many deployments come or go

    def days(self) -> list[SheetKey]:
        """What was gathered."""
        return sorted(self._keys)

    def deployments(self, facts: Sequence[Deployment]) -> None:
        """The days around them and around those that look back at them, and incidents that name them."""
        tracks: dict[tuple[str, str], set[datetime]] = {}
        for fact in facts:
            self._keys.add(SheetKey(fact.service, fact.environment, fact.at.date()))
            tracks.setdefault((fact.service, fact.environment), set()).add(fact.at)
        self._moved = max(self._moved, len(facts))
        for (service, environment), times in sorted(tracks.items()):
            for first, last in self._clusters(sorted(times)):
                self._stretch(service, environment, first, last)
                self._pushed_out((service, environment), first, last)
        names = {name for fact in facts for name in names_of(fact)}
        self.incidents(self._log.incidents_naming(sorted(names)) if names else [])

    def incidents(self, facts: Sequence[DeliveryIncident]) -> None:
        """Their own days, those of deployments that they may be held against, and of reverts of these."""
        before, after = looks.causes(self._policy), looks.ROLLOUT_AT_MOST + looks.follow(self._policy)
        for fact in facts:
            start = fact.started_at
            self._keys.add(SheetKey(fact.service, fact.environment, start.date()))
            self._between(fact.service, fact.environment, start - before, start + after)
            self._named(fact)
        corrections = self._log.corrections([fact.id for fact in facts]) if facts else {}
        self.blamed(sorted({correction.deployment for correction in corrections.values() if correction.deployment}))

    def changes(self, facts: Sequence[Change]) -> None:
        """Deployments of their repositories from some days before they were merged on, and those that name them."""
        if not facts:
            return
        named = self._log.deployments_awaiting(changes=sorted({fact.id for fact in (*facts, *self._alike(facts))}))
        merged: dict[str, datetime] = {}
        for fact in facts:
            merged[fact.repository] = min(fact.merged_at, merged.get(fact.repository, fact.merged_at))
        self._around(named)
        for repository, first in sorted(merged.items()):
            since = (first - looks.BEFORE_MERGE - looks.SAME_REVISION).date()
            self._around(self._log.deployments_awaiting(repositories=[repository], since=since))

    def _alike(self, facts: Sequence[Change]) -> Iterator[Change]:
        """What is one with these: changes of the same revisions."""
        made = [fact for fact in facts if fact.revision]
        near = looks.SAME_REVISION
        for repository in sorted({fact.repository for fact in made}):
            revisions = {fact.revision for fact in made if fact.repository == repository}
            times = [fact.merged_at for fact in made if fact.repository == repository]
            found = self._log.changes_merged(repository, min(times) - near - _INSTANT, max(times) + near)
            yield from (change for change in found if change.revision in revisions)

    def artifacts(self, facts: Sequence[Artifact]) -> None:
        """Deployments of them."""
        if facts:
            self._around(self._log.deployments_awaiting(artifacts=sorted({fact.id for fact in facts})))

    def blamed(self, deployments: Sequence[str]) -> None:
        """Days of deployments that incidents are held against, and of what may revert them."""
        if not deployments:
            return
        for fact in self._log.deployments(deployments).values():
            self._between(fact.service, fact.environment, fact.at, fact.at + looks.follow(self._policy))

    def _named(self, incident: DeliveryIncident) -> None:
        """Deployments that its own words may mean: an id, or a version or revision deployed not long before."""
        if not incident.deployment:
            return
        self.blamed([incident.deployment])
        before = incident.started_at + looks.ROLLOUT_AT_MOST
        track = (incident.service, incident.environment)
        for fact in self._log.last_deployments_before(*track, before, looks.VERSIONS + self._moved):
            if is_named(fact, incident.deployment):
                self._between(*track, fact.at, fact.at + looks.follow(self._policy))

    def _pushed_out(self, track: tuple[str, str], first: datetime, last: datetime) -> None:
        """Incidents after these that name a version: of the last so many deployments others are seen now."""
        service, environment = track
        begin, end = first - looks.ROLLOUT_AT_MOST, datetime.combine(self._today + 2 * _DAY, time.min, UTC)
        later = self._log.incidents_between(begin, end, service=service, environment=environment)
        naming = [one for one in later if one.deployment and one.started_at >= begin]
        if not naming:
            return
        seen = self._log.first_deployments_after(service, environment, last, looks.VERSIONS)
        until = seen[-1].at + looks.ROLLOUT_AT_MOST if len(seen) == looks.VERSIONS else end
        self.incidents([one for one in naming if one.started_at <= until])

    def _around(self, keys: Sequence[SheetKey]) -> None:
        """What changes when deployments of these days do."""
        tracks: dict[tuple[str, str], set[datetime]] = {}
        for key in keys:
            midnight = datetime.combine(key.day, time.min, UTC)
            tracks.setdefault((key.service, key.environment), set()).update((midnight, midnight + _DAY))
        for (service, environment), times in sorted(tracks.items()):
            for first, last in self._clusters(sorted(times)):
                self._stretch(service, environment, first, last)

    def _stretch(self, service: str, environment: str, first: datetime, last: datetime) -> None:
        """Days that deployments from `first` to `last` may change, and those of deployments that look back at them."""
        policy = self._policy
        self._between(service, environment, first - looks.back(policy), last + looks.back(policy))
        later = neighbours.first_after(self._log, (service, environment), last, looks.CONTEXT)
        for fact in later:
            self._between(service, environment, fact.at - looks.back(policy), fact.at + looks.back(policy))
        if later:
            end = later[-1].at + policy.rollback_window + looks.back(policy)
            self._between(service, environment, later[-1].at, end)

    def _clusters(self, times: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
        """First and last of those that lie so near each other that their days overlap."""
        first = last = times[0]
        for at in times[1:]:
            if at - last > 2 * looks.back(self._policy):
                yield first, last
                first = at
            last = at
        yield first, last

    def _between(self, service: str, environment: str, first: datetime, last: datetime) -> None:
        day, end = first.date(), min(last.date(), self._today)
        while day <= end:
            self._keys.add(SheetKey(service, environment, day))
            day += _DAY
