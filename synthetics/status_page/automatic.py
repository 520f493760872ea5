"""Incidents that begin, go on and end by the page's policy, from what was measured.

Components that fail within `merge_within` are one incident; one that a person's open incident is about begins none.
When all components of an incident are well it is monitored, and resolved after they were well for `calm_for`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from controlplane.model.public_status import AffectedComponent, ComponentStatus, IncidentStatus
from controlplane.model.status_record import ComponentState, IncidentRecord, Origin, UpdateRecord, UpdateState
from controlplane.ports import Transaction
from synthetics.status_page import cadence, wording
from synthetics.status_page.components import FAILING, Standing, worst_of_sources
from synthetics.status_page.desk import AUTHOR, Beginning, Desk, Message
from synthetics.status_page.incidents import impact_from, worse
from synthetics.status_page.model import Automatic, StatusPage
from synthetics.status_page.wording import Facts, name_of

_CALM: Final = (ComponentStatus.OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE)
_MONITORING, _RESOLVED = IncidentStatus.MONITORING, IncidentStatus.RESOLVED


class AutomaticIncidents:
    """Works at a desk, for one page at one moment."""

    def __init__(
        self,
        page: StatusPage,
        transaction: Transaction,
        desk: Desk,
        now: datetime,
        *,
        standings: Mapping[str, Standing],
    ) -> None:
        self._page = page
        self._log = transaction.status
        self._desk = desk
        self._now = now
        self._standings = standings
        self._states = {state.component: state for state in self._log.states(page.name)}

    def run(self) -> None:
        """Begin, carry on and end what must be."""
        policy = self._page.incidents
        if policy.automatic is Automatic.OFF:
            return
        open_ = [each for each in self._log.incidents(self._page.name, self._now) if self._is_open(each)]
        for incident in open_:
            if incident.origin is Origin.AUTOMATIC:
                self._carry_on(incident)
        self._begin(open_)
        for incident in self._log.incidents(self._page.name, self._now):
            if self._is_open(incident):
                self._speak(incident)

    def _is_open(self, incident: IncidentRecord) -> bool:
        return incident.scheduled_for is None and incident.resolved_at is None

    def _begin(self, open_: Sequence[IncidentRecord]) -> None:
        """An incident about components that fail and that no open one is about."""
        covered = {id_ for incident in open_ for id_ in incident.component_ids}
        failing = {
            id_: each.status
            for id_, each in self._standings.items()
            if each.measured in FAILING and each.status in FAILING and id_ not in covered and self._has_failed_long(id_)
        }
        if not failing:
            return
        since = min(self._since(id_) for id_ in failing)
        recent = [each for each in open_ if self._takes_more(each)]
        if recent:
            self._widen(recent[0], failing)
            return
        facts = Facts(tuple(failing), worst_of_sources(failing.values()), since)
        beginning = Beginning(
            wording.title(self._page, facts)[:200],
            Origin.AUTOMATIC,
            impact_from(failing.values()),
            tuple(failing),
            since,
        )
        incident = self._desk.begin(beginning)
        self._write(incident, IncidentStatus.INVESTIGATING, facts, mark="opened", is_first=True)

    def _takes_more(self, incident: IncidentRecord) -> bool:
        is_fresh = self._now - incident.started_at <= self._page.incidents.merge_within
        return incident.origin is Origin.AUTOMATIC and is_fresh

    def _widen(self, incident: IncidentRecord, failing: Mapping[str, ComponentStatus]) -> None:
        """More components fail, soon after the first: it is one incident."""
        more = replace(
            incident,
            component_ids=tuple(dict.fromkeys((*incident.component_ids, *failing))),
            impact=worse(incident.impact, impact_from(failing.values())),
            calm_since=None,
            updated_at=self._now,
        )
        if incident.announced_at is None:
            facts = self._facts(more)
            more = replace(more, name=wording.title(self._page, facts)[:200])
        self._log.put_incident(more)
        first = incident.announced_at is None
        self._write(more, IncidentStatus.INVESTIGATING, self._facts(more), mark=self._again("more"), is_first=first)

    def _carry_on(self, incident: IncidentRecord) -> None:
        latest = self._latest(incident)
        told = latest.status if latest else None
        statuses = [self._standings[id_].status for id_ in incident.component_ids if id_ in self._standings]
        if any(status in FAILING for status in statuses):
            self._fails(incident, statuses, told)
        elif all(status in _CALM for status in statuses):
            self._is_calm(incident, told)
        # otherwise something is unknown: neither is told

    def _fails(
        self, incident: IncidentRecord, statuses: Sequence[ComponentStatus], told: IncidentStatus | None
    ) -> None:
        impact = worse(incident.impact, impact_from(statuses))
        got_worse, came_back = impact is not incident.impact, told in (_MONITORING, _RESOLVED)
        first = incident.announced_at is None
        if got_worse or incident.calm_since is not None:
            incident = replace(incident, impact=impact, calm_since=None)
            if first:  # nobody has read its name
                incident = replace(incident, name=wording.title(self._page, self._facts(incident))[:200])
            self._log.put_incident(incident)
        if came_back or got_worse:
            mark = self._again("back" if came_back else "worse")
            self._write(incident, IncidentStatus.INVESTIGATING, self._facts(incident), mark=mark, is_first=first)

    def _is_calm(self, incident: IncidentRecord, told: IncidentStatus | None) -> None:
        if incident.calm_since is None:
            incident = replace(incident, calm_since=self._now)
            self._log.put_incident(incident)
        assert incident.calm_since is not None
        is_long = self._now - incident.calm_since >= self._page.incidents.calm_for
        if incident.announced_at is None:
            if is_long:
                self._desk.close_unseen(incident)
            return
        if is_long and told is not _RESOLVED:
            self._write(incident, _RESOLVED, self._facts(incident), mark=self._again("resolved"))
        elif not is_long and told not in (_MONITORING, _RESOLVED):
            self._write(incident, _MONITORING, self._facts(incident), mark=self._again("monitoring"))

    def _speak(self, incident: IncidentRecord) -> None:
        """A draft (or an update) for the mark that comes next, unless somebody has spoken since."""
        if incident.announced_at is None or incident.next_update_by is None:
            return
        if incident.calm_since is not None and incident.status is not _MONITORING:
            return  # what is said of that is a draft already
        every = self._page.incidents.update_every
        lead = cadence.lead(every, needs_approval=self._is_drafting)
        mark = cadence.due_mark(incident.created_at, self._now, every, lead)
        if mark is None or mark < incident.next_update_by:
            return
        name = cadence.name_of(incident.created_at, mark)
        if any(each.mark == name for each in self._log.updates(self._page.name, [incident.id])):
            return
        self._write(incident, incident.status, self._facts(incident), mark=name)

    @property
    def _is_drafting(self) -> bool:
        return self._page.incidents.automatic is Automatic.DRAFT or self._page.incidents.needs_approval

    def _write(
        self, incident: IncidentRecord, status: IncidentStatus, facts: Facts, *, mark: str, is_first: bool = False
    ) -> None:
        """A draft; published at once where the page's policy says so, and the incident is not a person's."""
        body = wording.body(self._page, facts, status, is_first=is_first)
        message = Message(status, body, AUTHOR, self._affected(incident), mark)
        update = self._desk.draft(incident, message)
        if not self._is_drafting and incident.origin is Origin.AUTOMATIC:
            self._desk.publish(update.id, AUTHOR)

    def _affected(self, incident: IncidentRecord) -> tuple[AffectedComponent, ...]:
        """What the incident's components are now, against what the latest update said."""
        before = {
            each.id: each.new
            for update in self._log.updates(self._page.name, [incident.id])
            if update.state is UpdateState.PUBLISHED
            for each in update.affected
        }
        return tuple(
            AffectedComponent(
                id_,
                name_of(self._page, id_),
                before.get(id_, ComponentStatus.OPERATIONAL),
                self._standings[id_].status,
            )
            for id_ in incident.component_ids
            if id_ in self._standings
        )

    def _facts(self, incident: IncidentRecord) -> Facts:
        own = [id_ for id_ in incident.component_ids if id_ in self._standings]
        failing = [id_ for id_ in own if self._standings[id_].status in FAILING]
        worst = worst_of_sources(self._standings[id_].status for id_ in failing)
        return Facts(tuple(failing or own), worst, incident.started_at, incident.calm_since)

    def _latest(self, incident: IncidentRecord) -> UpdateRecord | None:
        updates = self._log.updates(self._page.name, [incident.id])
        kept = [each for each in updates if each.state is not UpdateState.DISCARDED]
        return kept[-1] if kept else None

    def _again(self, word: str) -> str:
        """A mark that may come more than once."""
        return f"{word}@{self._now:%Y%m%dT%H%M%S}"

    def _has_failed_long(self, id_: str) -> bool:
        return self._now - self._since(id_) >= self._page.incidents.wait

    def _since(self, id_: str) -> datetime:
        state: ComponentState | None = self._states.get(id_)
        return state.since if state else self._now
