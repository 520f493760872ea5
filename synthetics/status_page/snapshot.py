"""What the public sees at one moment: only what the page's file names, and only what is published."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from controlplane.calendar.periods import unix
from controlplane.calendar.zones import zone
from controlplane.model.public_status import (
    ComponentStatus,
    Impact,
    PublicComponent,
    PublicGroup,
    PublicIncident,
    PublicPage,
    PublicSnapshot,
    PublicUpdate,
    Uptime,
)
from controlplane.model.status_record import (
    ComponentSpan,
    ComponentState,
    CorrectionRecord,
    IncidentRecord,
    UpdateRecord,
    UpdateState,
)
from controlplane.ports import Transaction
from synthetics.status_page.components import Known, Standing, standings, worst_of_members
from synthetics.status_page.gathering import known_at
from synthetics.status_page.incidents import indicator_of
from synthetics.status_page.maintenances import excluded
from synthetics.status_page.model import Component, StatusPage
from synthetics.status_page.uptime import DAYS, Observed, uptime_of

_SHOWN: timedelta = timedelta(days=DAYS + 1)


def snapshot(
    page: StatusPage,
    transaction: Transaction,
    now: datetime,
    *,
    measured_slos: frozenset[str] | None = None,
    tells_slos: bool = False,
) -> PublicSnapshot:
    """Everything that the page shows. Writes nothing, and asks nobody: which SLOs have data is asked before."""
    now = now.replace(microsecond=0)
    known = known_at(page, transaction, now, measured_slos=measured_slos, tells_slos=tells_slos)
    return _Showing(page, transaction, now, known).snapshot()


class _Showing:
    def __init__(self, page: StatusPage, transaction: Transaction, now: datetime, known: Known) -> None:
        log = transaction.status
        self._page = page
        self._now = now
        self._standings: Mapping[str, Standing] = standings(page, known, now)
        self._states: Mapping[str, ComponentState] = {state.component: state for state in log.states(page.name)}
        self._spans: Sequence[ComponentSpan] = log.spans(page.name, now - _SHOWN, now)
        self._corrections: Sequence[CorrectionRecord] = log.corrections(page.name)
        self._incidents = [each for each in log.incidents(page.name, now - _SHOWN) if each.announced_at is not None]
        updates = log.updates(page.name, [each.id for each in self._incidents])
        self._updates = [each for each in updates if each.state is UpdateState.PUBLISHED]

    def snapshot(self) -> PublicSnapshot:
        incidents = [self._incident(each) for each in self._incidents]
        return PublicSnapshot(
            page=self._public_page(),
            at=self._now,
            indicator=self._indicator(),
            components=tuple(self._component(each, place) for place, each in enumerate(self._ordered(), 1)),
            groups=self._groups(),
            incidents=tuple(each for each in incidents if each.scheduled_for is None),
            maintenances=tuple(each for each in incidents if each.scheduled_for is not None),
        )

    def _public_page(self) -> PublicPage:
        page = self._page
        takes = page.subscribers.email is not None and bool(page.subscribers.subscribe_url)  # the form is for mail
        return PublicPage(
            id=page.name,
            name=page.title,
            url=page.url,
            time_zone=page.time_zone,
            languages=page.languages,
            description=page.description,
            support_url=page.support_url,
            takes_subscribers=takes,
            subscribe_url=f"{page.subscribers.subscribe_url}/status/{page.name}/subscribe" if takes else "",
        )

    def _indicator(self) -> Impact:
        return indicator_of((each.status for each in self._standings.values()), self._incidents)

    def _ordered(self) -> list[Component]:
        """Groups in their order, then what is in none."""
        grouped = [id_ for group in self._page.groups for id_ in group.components]
        place = {id_: number for number, id_ in enumerate(grouped)}
        return sorted(self._page.components, key=lambda each: place.get(each.id, len(place)))

    def _component(self, component: Component, place: int) -> PublicComponent:
        standing, state = self._standings[component.id], self._states.get(component.id)
        changed = state.since if state and state.status is standing.status else self._now
        return PublicComponent(
            id=component.id,
            name=component.name,
            description=component.description,
            status=standing.status,
            position=place,
            created_at=state.created_at if state else self._now,
            updated_at=changed,
            group_id=component.group,
            only_show_if_degraded=component.only_show_if_degraded,
            uptime=self._uptime(component) if component.shows_uptime and component.sources.any else None,
            reduced=standing.reduced,
            basis=standing.basis,
            names=component.names,
        )

    def _uptime(self, component: Component) -> Uptime:
        observed = Observed(
            [span for span in self._spans if span.component == component.id],
            [(unix(start), unix(end)) for start, end in excluded(self._incidents, component.id)],
            [
                each.correction
                for each in self._corrections
                if each.component == component.id and each.withdrawn_at is None
            ],
        )
        return uptime_of(observed, component.weights.by_status(), zone(self._page.time_zone), self._now)

    def _groups(self) -> tuple[PublicGroup, ...]:
        found = []
        for place, group in enumerate((each for each in self._page.groups if each.components), 1):
            states = [state for id_ in group.components if (state := self._states.get(id_))]
            statuses: list[ComponentStatus] = [self._standings[id_].status for id_ in group.components]
            found.append(
                PublicGroup(
                    id=group.id,
                    name=group.name,
                    description=group.description,
                    status=worst_of_members(statuses),
                    position=place,
                    component_ids=group.components,
                    created_at=min((state.created_at for state in states), default=self._now),
                    updated_at=max((state.since for state in states), default=self._now),
                    names=group.names,
                )
            )
        return tuple(found)

    def _incident(self, incident: IncidentRecord) -> PublicIncident:
        own = [each for each in self._updates if each.incident == incident.id]
        return PublicIncident(
            id=incident.id,
            name=incident.name,
            status=incident.status,
            impact=incident.impact,
            created_at=incident.created_at,
            updated_at=incident.updated_at,
            started_at=incident.started_at,
            component_ids=tuple(id_ for id_ in incident.component_ids if self._page.component(id_)),
            updates=tuple(self._update(each) for each in reversed(own)),
            monitoring_at=incident.monitoring_at,
            resolved_at=incident.resolved_at,
            scheduled_for=incident.scheduled_for,
            scheduled_until=incident.scheduled_until,
            next_update_by=incident.next_update_by,
        )

    def _update(self, update: UpdateRecord) -> PublicUpdate:
        published = update.published_at or update.created_at
        return PublicUpdate(
            id=update.id,
            status=update.status,
            body=update.body,
            created_at=update.created_at,
            updated_at=max(published, update.updated_at or published),
            display_at=published,
            affected=tuple(each for each in update.affected if self._page.component(each.id)),
        )
