"""What the demo's status pages would have shown of the platform's past: components by the minute, and what was said."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.adapters.files import read_folder
from controlplane.model.public_status import AffectedComponent, ComponentStatus, Impact, IncidentStatus
from controlplane.model.status_record import ComponentSpan, IncidentRecord, Origin, UpdateRecord, UpdateState
from controlplane.ports import Store
from controlplane.store import migrate, open_store
from flyball.demo.folder import DemoFolder
from flyball.demo.platform.shapes import Catalogue, Effect, Incident
from flyball.demo.platform.simulation import Simulation
from flyball.demo.public_stories import STORIES, TOLD_BY, Story
from flyball.reading_kinds import read_kinds
from flyball.synthetics.declared import KINDS, checks_of
from synthetics.status_page.model import Component, StatusPage

_MINUTE: Final = timedelta(minutes=1)
_NOTICED_AFTER: Final = 2 * _MINUTE
_FOUND_AFTER: Final = 0.4  # of the incident's length
_ALL_QUIET: Final = 10 * _MINUTE  # between mended and resolved
_MAJOR_RATIO: Final = 0.5
_PARTIAL_RATIO: Final = 0.1
_MANY_LATE: Final = 0.4
_ORDER: Final = (
    ComponentStatus.OPERATIONAL, ComponentStatus.DEGRADED, ComponentStatus.PARTIAL, ComponentStatus.MAJOR,
)  # fmt: skip
_IMPACTS: Final = (Impact.NONE, Impact.MINOR, Impact.MAJOR, Impact.CRITICAL)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An incident as one page knows it: the components that were hit, and how badly."""

    start: datetime
    end: datetime
    hit: Mapping[str, ComponentStatus]
    story: Story | None


def status_pages(folder: DemoFolder) -> tuple[StatusPage, ...]:
    """Those of the demo's workspace."""
    files, _ = read_folder(folder.workspace)
    documents, _ = read_kinds(files, KINDS)
    return checks_of(documents)[0].pages


def write_status_past(
    folder: DemoFolder, pages: Sequence[StatusPage], simulation: Simulation, catalogue: Catalogue
) -> None:
    """Fill the store of a demo that is about to start."""
    url = f"sqlite:///{folder.root / 'flyball.db'}"
    migrate(url)
    store = open_store(url)
    try:
        fill(store, pages, simulation, catalogue)
    finally:
        store.close()


def fill(store: Store, pages: Sequence[StatusPage], simulation: Simulation, catalogue: Catalogue) -> None:
    """Spans from the history's start to its end, and the incidents that the public was told of."""
    start, end = (datetime.fromtimestamp(60 * minute, UTC) for minute in (simulation.start, simulation.seam))
    with store.transaction() as transaction:
        for page in pages:
            troubles = list(_troubles(page, catalogue.incidents, start, end))
            transaction.status.put_spans(page.name, list(_spans(page, troubles, start, end)))
            for trouble in troubles:
                if trouble.story:
                    incident, updates = _told(page, trouble, trouble.story)
                    transaction.status.put_incident(incident)
                    for update in updates:
                        transaction.status.put_update(update)


def _troubles(page: StatusPage, incidents: Iterable[Incident], start: datetime, end: datetime) -> Iterator[_Trouble]:
    for incident in sorted(incidents, key=lambda it: -it.days_ago):
        began = end - timedelta(days=incident.days_ago)
        began = began.replace(second=0, microsecond=0)
        over = began + incident.minutes * _MINUTE
        hit = {component.id: _status_of(component, incident.effects) for component in page.components}
        hit = {name: status for name, status in hit.items() if status is not ComponentStatus.OPERATIONAL}
        if hit and start <= began and over <= end:
            yield _Trouble(began, over, hit, STORIES.get(incident.days_ago))


def _status_of(component: Component, effects: Iterable[Effect]) -> ComponentStatus:
    """The worst that any of the effects does to what the component is made from."""
    made_from = {*component.sources.slos, *component.sources.probes, *component.sources.journeys}
    felt = (_felt(effect) for effect in effects if made_from & set(TOLD_BY.get(effect.flow, ())))
    return max(felt, key=_ORDER.index, default=ComponentStatus.OPERATIONAL)


def _felt(effect: Effect) -> ComponentStatus:
    """How an effect looks to the public; late answers and single customers are never a whole outage."""
    ratio = effect.bad_ratio or 0.0
    if effect.bad_ratio is None:
        return ComponentStatus.DEGRADED if effect.traffic < 1 else ComponentStatus.OPERATIONAL
    if effect.tenant:
        return ComponentStatus.DEGRADED
    if effect.flow.endswith((".requests", ".messages", ".step_up", ".files")):
        worse = ComponentStatus.MAJOR if ratio >= _MAJOR_RATIO else ComponentStatus.PARTIAL
        return worse if ratio >= _PARTIAL_RATIO else ComponentStatus.DEGRADED
    return ComponentStatus.PARTIAL if ratio >= _MANY_LATE else ComponentStatus.DEGRADED


def _spans(page: StatusPage, troubles: Sequence[_Trouble], start: datetime, end: datetime) -> Iterator[ComponentSpan]:
    """Of every component, without a gap; where incidents overlap, the one that began first has its time."""
    for component in page.components:
        at = start
        for trouble in troubles:
            status = trouble.hit.get(component.id)
            if status is None or trouble.end <= at:
                continue
            begun = max(trouble.start, at)
            if begun > at:
                yield ComponentSpan(component.id, at, begun, ComponentStatus.OPERATIONAL)
            yield ComponentSpan(component.id, begun, trouble.end, status)
            at = trouble.end
        if at < end:
            yield ComponentSpan(component.id, at, end, ComponentStatus.OPERATIONAL)


def _told(page: StatusPage, trouble: _Trouble, story: Story) -> tuple[IncidentRecord, list[UpdateRecord]]:
    """The incident, resolved long ago, and what was said of it."""
    known = trouble.start + _NOTICED_AFTER
    moments = (
        (IncidentStatus.INVESTIGATING, known, story.investigating),
        (IncidentStatus.IDENTIFIED, trouble.start + (trouble.end - trouble.start) * _FOUND_AFTER, story.identified),
        (IncidentStatus.MONITORING, trouble.end, story.monitoring),
        (IncidentStatus.RESOLVED, trouble.end + _ALL_QUIET, story.resolved),
    )
    incident = IncidentRecord(
        page=page.name,
        id=_digest(page.name, trouble.start.isoformat()),
        name=story.title,
        origin=Origin.MANUAL,
        status=IncidentStatus.RESOLVED,
        impact=_IMPACTS[max(_ORDER.index(status) for status in trouble.hit.values())],
        component_ids=tuple(it.id for it in page.components if it.id in trouble.hit),
        created_at=known,
        started_at=trouble.start,
        updated_at=moments[-1][1],
        announced_at=known,
        monitoring_at=moments[2][1],
        resolved_at=moments[3][1],
    )
    return incident, [_update(page, incident, trouble, number, said) for number, said in enumerate(moments, 1)]


def _update(
    page: StatusPage,
    incident: IncidentRecord,
    trouble: _Trouble,
    number: int,
    said: tuple[IncidentStatus, datetime, str],
) -> UpdateRecord:
    status, at, body = said
    return UpdateRecord(
        page=page.name,
        id=_digest(page.name, incident.id, str(number)),
        incident=incident.id,
        number=number,
        status=status,
        body=body,
        state=UpdateState.PUBLISHED,
        author="on call",
        created_at=at,
        approved_by="on call",
        approved_at=at,
        published_at=at,
        affected=_changes(page, trouble, status),
    )


def _changes(page: StatusPage, trouble: _Trouble, status: IncidentStatus) -> tuple[AffectedComponent, ...]:
    """What the first and the last update did to components."""
    well = ComponentStatus.OPERATIONAL
    hit = [it for it in page.components if it.id in trouble.hit]
    if status is IncidentStatus.INVESTIGATING:
        return tuple(AffectedComponent(it.id, it.name, well, trouble.hit[it.id]) for it in hit)
    if status is IncidentStatus.RESOLVED:
        return tuple(AffectedComponent(it.id, it.name, trouble.hit[it.id], well) for it in hit)
    return ()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
