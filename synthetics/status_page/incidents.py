"""How an incident may go on. Pure.

Incidents: investigating, identified and monitoring in any order, as often as need be (a mend that did not hold), then
resolved, then nothing but a postmortem. Maintenances: scheduled, in progress, verifying, completed, never back.
"""

from collections.abc import Iterable
from typing import Final

from controlplane.model.public_status import ComponentStatus, Impact, IncidentStatus
from controlplane.model.status_record import IncidentRecord
from synthetics.status_page.components import impact_of, worst_of_members, worst_of_sources

OPEN: Final = (IncidentStatus.INVESTIGATING, IncidentStatus.IDENTIFIED, IncidentStatus.MONITORING)
CLOSED: Final = (IncidentStatus.RESOLVED, IncidentStatus.POSTMORTEM, IncidentStatus.COMPLETED)
PLANNED: Final = (
    IncidentStatus.SCHEDULED,
    IncidentStatus.IN_PROGRESS,
    IncidentStatus.VERIFYING,
    IncidentStatus.COMPLETED,
)
_SEVERITY: Final = (Impact.NONE, Impact.MAINTENANCE, Impact.MINOR, Impact.MAJOR, Impact.CRITICAL)


def may_follow(before: IncidentStatus | None, after: IncidentStatus, *, is_maintenance: bool) -> bool:
    """Whether an update with the status `after` may be published next; `before` is None when none was yet."""
    if is_maintenance:
        if after not in PLANNED or before is IncidentStatus.COMPLETED:
            return False
        return before is None or PLANNED.index(after) >= PLANNED.index(before)
    if before in (IncidentStatus.RESOLVED, IncidentStatus.POSTMORTEM):
        return after is IncidentStatus.POSTMORTEM
    return after in OPEN or (after is IncidentStatus.RESOLVED and before is not None)


def why_not(before: IncidentStatus | None, after: IncidentStatus, *, is_maintenance: bool) -> str:
    """Why it may not, and the way out."""
    if before is None:
        return f"an incident does not begin as {after.value}"
    if before in (IncidentStatus.RESOLVED, IncidentStatus.POSTMORTEM):
        return "it is resolved: only a postmortem may follow; begin a new incident"
    if is_maintenance:
        return f"a maintenance that is {before.value} cannot become {after.value}"
    return f"{after.value} is not a status of an incident that is {before.value}"


def indicator_of(statuses: Iterable[ComponentStatus], incidents: Iterable[IncidentRecord]) -> Impact:
    """How the whole page is: by its components, and by open incidents that the public knows of."""
    found = impact_of(worst_of_members(statuses))
    for incident in incidents:
        if incident.announced_at is not None and incident.scheduled_for is None and incident.status not in CLOSED:
            found = worse(found, incident.impact)
    return found


def impact_from(statuses: Iterable[ComponentStatus]) -> Impact:
    """How bad an incident is, by the worst of its components."""
    return impact_of(worst_of_sources(statuses))


def worse(one: Impact, other: Impact) -> Impact:
    """The worse of two."""
    return max(one, other, key=_SEVERITY.index)
