"""Planned work of a page's file: told in time, begun and ended by the clock, called off when it leaves the file.

What stands in the file counts as approved: it was reviewed where files are.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.calendar.recurrence import rule_of, starts_between
from controlplane.calendar.zones import zone
from controlplane.model.public_status import AffectedComponent, ComponentStatus, Impact, IncidentStatus
from controlplane.model.status_record import IncidentRecord, Origin, UpdateState
from controlplane.ports import Transaction
from synthetics.status_page import wording
from synthetics.status_page.desk import AUTHOR, BY_FILE, BY_SCHEDULE, Desk, Message
from synthetics.status_page.model import Maintenance, StatusPage

_LOOK_BACK: Final = timedelta(days=14)  # as long as a maintenance may last
_SCHEDULED, _RUNNING, _DONE = IncidentStatus.SCHEDULED, IncidentStatus.IN_PROGRESS, IncidentStatus.COMPLETED


def occurrences(page: StatusPage, maintenance: Maintenance, start: datetime, end: datetime) -> list[datetime]:
    """When it begins, within [start, end)."""
    if not maintenance.rrule:
        return [maintenance.start] if start <= maintenance.start < end else []
    return starts_between(rule_of(maintenance.rrule), maintenance.start, zone(page.time_zone), start, end)


def run_maintenances(page: StatusPage, transaction: Transaction, desk: Desk, now: datetime) -> None:
    """Announce, begin, end and call off what the file says, and begin and end what people announced."""
    log = transaction.status
    open_ = [each for each in log.incidents(page.name, now) if each.scheduled_for and not each.resolved_at]
    wanted = _wanted(page, now)
    known = {each.id: each for each in open_}
    for id_, (maintenance, begins) in wanted.items():
        if id_ in known:
            _announce_anew(page, transaction, desk, now, known[id_], maintenance)
        elif log.incident(page.name, id_) is None:
            _announce(page, transaction, desk, now, id_=id_, maintenance=maintenance, begins=begins)
    for incident in open_:
        if incident.origin is Origin.DECLARED and incident.id not in wanted and not _is_past(incident, now):
            has_begun = incident.status is not _SCHEDULED
            text = _text(page, incident, _DONE) if has_begun else wording.cancelled(page)
            _say(page, desk, incident, _DONE, text)
    for incident in log.incidents(page.name, now):
        if incident.scheduled_for and not incident.resolved_at and incident.announced_at:
            _move(page, desk, incident, now)


def _wanted(page: StatusPage, now: datetime) -> dict[str, tuple[Maintenance, datetime]]:
    """What the file says is to be told by now and is not over, by the ids of its incidents."""
    return {
        _id(page, maintenance, begins): (maintenance, begins)
        for maintenance in page.maintenances
        for begins in occurrences(page, maintenance, now - _LOOK_BACK, now + maintenance.announce)
        if begins + maintenance.length > now
    }


def running(incidents: Sequence[IncidentRecord], now: datetime) -> list[IncidentRecord]:
    """Maintenances that the public knows of and in whose time we are."""
    return [
        each
        for each in incidents
        if each.scheduled_for and each.scheduled_until and each.announced_at and not each.resolved_at
        if each.scheduled_for <= now < each.scheduled_until
    ]


def excluded(incidents: Sequence[IncidentRecord], component: str) -> list[tuple[datetime, datetime]]:
    """When an announced maintenance takes a component's maintenance time out of uptime."""
    found = []
    for each in incidents:
        begins, ends, told = each.scheduled_for, each.scheduled_until, each.announced_at
        if begins and ends and told and each.is_excluded and told < begins and component in each.component_ids:
            found.append((begins, min(ends, each.resolved_at) if each.resolved_at else ends))
    return [(begins, ends) for begins, ends in found if begins < ends]


def _announce(
    page: StatusPage,
    transaction: Transaction,
    desk: Desk,
    now: datetime,
    *,
    id_: str,
    maintenance: Maintenance,
    begins: datetime,
) -> None:
    ends = begins + maintenance.length
    incident = IncidentRecord(
        page=page.name,
        id=id_,
        name=maintenance.title,
        origin=Origin.DECLARED,
        status=_SCHEDULED,
        impact=Impact.MAINTENANCE,
        component_ids=maintenance.components,
        created_at=now,
        started_at=begins,
        updated_at=now,
        scheduled_for=begins,
        scheduled_until=ends,
        maintenance=maintenance.id,
        is_excluded=maintenance.is_excluded,
        expects=maintenance.expects,
    )
    transaction.status.put_incident(incident)
    _say(page, desk, incident, _SCHEDULED, maintenance.body or _text(page, incident, _SCHEDULED))


def _announce_anew(
    page: StatusPage,
    transaction: Transaction,
    desk: Desk,
    now: datetime,
    incident: IncidentRecord,
    maintenance: Maintenance,
) -> None:
    """What the file says differently by now. Not after it began: uptime is judged by what was said before."""
    if incident.scheduled_for is None or now >= incident.scheduled_for:
        return
    changed = replace(
        incident,
        name=maintenance.title,
        component_ids=maintenance.components,
        scheduled_until=incident.scheduled_for + maintenance.length,
        is_excluded=maintenance.is_excluded,
        expects=maintenance.expects,
    )
    text = maintenance.body or _text(page, changed, _SCHEDULED)
    if changed == incident and text.strip() == _announced(page, transaction, incident):
        return
    transaction.status.put_incident(replace(changed, updated_at=now))
    _say(page, desk, changed, _SCHEDULED, text)


def _announced(page: StatusPage, transaction: Transaction, incident: IncidentRecord) -> str:
    """What the file said last; what people made of it afterwards is not compared."""
    updates = transaction.status.updates(page.name, [incident.id])
    latest = [each for each in updates if each.state is UpdateState.PUBLISHED][-1:]
    edits = [edit for each in latest for edit in transaction.status.edits(page.name, each.id)]
    return edits[0].body if edits else "".join(each.body for each in latest)


def _move(page: StatusPage, desk: Desk, incident: IncidentRecord, now: datetime) -> None:
    begins, ends = incident.scheduled_for, incident.scheduled_until
    assert begins is not None
    assert ends is not None
    if incident.status is _SCHEDULED and now >= begins:
        _say(page, desk, incident, _RUNNING, _text(page, incident, _RUNNING))
        incident = replace(incident, status=_RUNNING)
    if incident.status in (_RUNNING, IncidentStatus.VERIFYING) and now >= ends:
        _say(page, desk, incident, _DONE, _text(page, incident, _DONE))


def _text(page: StatusPage, incident: IncidentRecord, status: IncidentStatus) -> str:
    assert incident.scheduled_for is not None
    assert incident.scheduled_until is not None
    ids, begins, ends = incident.component_ids, incident.scheduled_for, incident.scheduled_until
    return wording.maintenance_body(page, ids, status, begins, ends)


def _say(page: StatusPage, desk: Desk, incident: IncidentRecord, status: IncidentStatus, text: str) -> None:
    became = ComponentStatus.UNDER_MAINTENANCE if status is _RUNNING else ComponentStatus.OPERATIONAL
    before = ComponentStatus.UNDER_MAINTENANCE if status is _DONE else ComponentStatus.OPERATIONAL
    affected = tuple(
        AffectedComponent(id_, wording.name_of(page, id_), before, became) for id_ in incident.component_ids
    )
    update = desk.draft(incident, Message(status, text, AUTHOR, affected, mark=status.value))
    if update.state is UpdateState.DRAFT:
        desk.approve(update.id, BY_FILE if incident.origin is Origin.DECLARED else BY_SCHEDULE)
    desk.publish(update.id, AUTHOR)


def _is_past(incident: IncidentRecord, now: datetime) -> bool:
    return incident.scheduled_until is not None and incident.scheduled_until <= now


def _id(page: StatusPage, maintenance: Maintenance, begins: datetime) -> str:
    text = f"{page.name}\x00{maintenance.id}\x00{begins.isoformat()}"
    return f"{maintenance.id[:30]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
