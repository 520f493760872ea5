"""What of a snapshot stands where: what is open, what is past, what the page says first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from controlplane.model.public_status import (
    ComponentStatus,
    Impact,
    IncidentStatus,
    PublicComponent,
    PublicGroup,
    PublicIncident,
    PublicSnapshot,
)

PAST_DAYS: Final = 14
REDUCED: Final = "reduced"  # a tone beside the values of ComponentStatus
_OVER: Final = (IncidentStatus.RESOLVED, IncidentStatus.POSTMORTEM, IncidentStatus.COMPLETED)
_ACTIVE: Final = (IncidentStatus.IN_PROGRESS, IncidentStatus.VERIFYING)
_BY_INDICATOR: Final[Mapping[Impact, ComponentStatus]] = {
    Impact.MINOR: ComponentStatus.DEGRADED,
    Impact.MAJOR: ComponentStatus.PARTIAL,
    Impact.CRITICAL: ComponentStatus.MAJOR,
    Impact.MAINTENANCE: ComponentStatus.UNDER_MAINTENANCE,
}
_ORDER: Final = tuple(ComponentStatus)


@dataclass(frozen=True, slots=True)
class Headline:
    """The first sentence of the page: the text's name in the catalogue, and its tone (a status, or `reduced`)."""

    key: str
    tone: str


@dataclass(frozen=True, slots=True)
class Section:
    """Components below one heading; `group` is None for one that stands alone."""

    group: PublicGroup | None
    components: tuple[PublicComponent, ...]


def headline(snapshot: PublicSnapshot) -> Headline:
    """Of the page."""
    states = [each.status for each in snapshot.components]
    return headline_of(snapshot.indicator, states, is_reduced=any(each.reduced for each in snapshot.components))


def headline_of(indicator: Impact, states: Sequence[ComponentStatus], *, is_reduced: bool) -> Headline:
    """The indicator first; where it sees nothing, what is not known, under maintenance or reduced."""
    unknown = states.count(ComponentStatus.UNKNOWN)
    tone: str
    if indicator in _BY_INDICATOR:
        tone = _BY_INDICATOR[indicator].value
    elif unknown:
        return Headline("all_unknown" if unknown == len(states) else "unknown", ComponentStatus.UNKNOWN.value)
    elif ComponentStatus.UNDER_MAINTENANCE in states:
        tone = ComponentStatus.UNDER_MAINTENANCE.value
    else:
        tone = REDUCED if is_reduced else ComponentStatus.OPERATIONAL.value
    return Headline(tone, tone)


def is_over(incident: PublicIncident) -> bool:
    """Nothing of it goes on."""
    return incident.status in _OVER


def is_active(incident: PublicIncident) -> bool:
    """A maintenance that goes on."""
    return incident.status in _ACTIVE


def is_called_off(incident: PublicIncident) -> bool:
    """A maintenance that ended before it should have begun."""
    ended = incident.resolved_at
    return bool(is_over(incident) and ended and incident.scheduled_for and ended < incident.scheduled_for)


def happenings(snapshot: PublicSnapshot) -> tuple[PublicIncident, ...]:
    """Incidents and maintenances in one list, newest first; equal times by id, so that the order is always the same."""
    found = [*snapshot.incidents, *snapshot.maintenances]
    return tuple(sorted(found, key=lambda each: (each.started_at, each.id), reverse=True))


def planned(snapshot: PublicSnapshot) -> tuple[PublicIncident, ...]:
    """Maintenances to come or under way, the nearest first."""
    found = [each for each in snapshot.maintenances if not is_over(each)]
    return tuple(sorted(found, key=lambda each: (not is_active(each), each.scheduled_for or each.started_at, each.id)))


def lately(snapshot: PublicSnapshot) -> tuple[PublicIncident, ...]:
    """What is over and began in the last days."""
    since = snapshot.at - timedelta(days=PAST_DAYS)
    return tuple(each for each in happenings(snapshot) if is_over(each) and since <= each.started_at <= snapshot.at)


def by_day(incidents: Iterable[PublicIncident], zone: tzinfo) -> dict[date, list[PublicIncident]]:
    """By the day on which they began."""
    days: dict[date, list[PublicIncident]] = {}
    for each in incidents:
        days.setdefault(each.started_at.astimezone(zone).date(), []).append(each)
    return days


def by_month(incidents: Iterable[PublicIncident], zone: tzinfo) -> dict[date, list[PublicIncident]]:
    """By the first of the month in which they began."""
    months: dict[date, list[PublicIncident]] = {}
    for each in incidents:
        months.setdefault(each.started_at.astimezone(zone).date().replace(day=1), []).append(each)
    return months


def sections(snapshot: PublicSnapshot) -> list[Section]:
    """Groups and single components by position; one that is shown only when degraded is left out while it works."""
    shown = [each for each in _in_place(snapshot.components) if _is_shown(each)]
    found: list[tuple[int, str, Section]] = []
    known = {group.id for group in snapshot.groups}
    for group in snapshot.groups:
        members = tuple(each for each in shown if each.group_id == group.id)
        if members:
            found.append((group.position, group.id, Section(group, members)))
    found += [(each.position, each.id, Section(None, (each,))) for each in shown if each.group_id not in known]
    return [section for _, _, section in sorted(found, key=lambda each: each[:2])]


def troubled(components: Iterable[PublicComponent]) -> list[PublicComponent]:
    """Those that do not work as they should, the worst first; maintenance is no trouble."""
    calm = (ComponentStatus.OPERATIONAL, ComponentStatus.UNDER_MAINTENANCE, ComponentStatus.UNKNOWN)
    found = [each for each in components if each.status not in calm]
    return sorted(found, key=lambda each: (-_ORDER.index(each.status), each.position))


def concerns(incident: PublicIncident, component_id: str, start: datetime, end: datetime, at: datetime) -> bool:
    """Whether it went on for that component in [start, end); one that is not over goes on until `at`."""
    if component_id not in incident.component_ids or is_called_off(incident):
        return False
    until = incident.resolved_at or (incident.scheduled_until if is_over(incident) else None) or at
    return incident.started_at < end and until > start


def _in_place(components: Sequence[PublicComponent]) -> list[PublicComponent]:
    return sorted(components, key=lambda each: (each.position, each.id))


def _is_shown(component: PublicComponent) -> bool:
    works = component.status is ComponentStatus.OPERATIONAL and component.reduced is None
    return not (component.only_show_if_degraded and works)
