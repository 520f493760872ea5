"""The desk at which updates are written, approved and published, within one transaction.

Nothing is published twice, out of order, after the end, or unapproved where approval is required. What is published is
told to subscribers by messages that are queued in the same transaction.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.check_names import EVENT_STATUS_UPDATE
from controlplane.model.event import Event
from controlplane.model.public_status import AffectedComponent, Impact, IncidentStatus
from controlplane.model.status_record import IncidentRecord, Origin, UpdateRecord, UpdateState
from controlplane.ports import Transaction
from synthetics.status_page import cadence, wording
from synthetics.status_page.incidents import CLOSED, may_follow, why_not
from synthetics.status_page.model import StatusPage
from synthetics.status_page.notices import notices, whole_page

AUTHOR: Final = "flyball"  # of what policy writes
BY_FILE: Final = "the page's file"  # who approves what is declared there: it was reviewed
BY_SCHEDULE: Final = "its announcement"  # who approves that planned work begins and ends as it was told
LONGEST_BODY: Final = 10_000
LONGEST_NAME: Final = 200


class Refused(ValueError):
    """What cannot be done, why, and the way out."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an incident begins with. `scheduled`: of planned work, from and until."""

    name: str
    origin: Origin
    impact: Impact
    component_ids: tuple[str, ...]
    started_at: datetime
    scheduled: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """What an update says."""

    status: IncidentStatus
    body: str
    author: str
    affected: tuple[AffectedComponent, ...] = ()
    mark: str = ""
    sets_components: bool = False
    next_within: timedelta | None = None


class Desk:
    """Works on one page in one transaction; `now` is the moment at which it does so."""

    def __init__(self, page: StatusPage, transaction: Transaction, now: datetime) -> None:
        self.published: Final[list[UpdateRecord]] = []
        self.drafted: Final[list[UpdateRecord]] = []
        self.messages = 0
        self._page = page
        self._transaction = transaction
        self._log = transaction.status
        self._now = now
        self._log.hold()

    def begin(self, beginning: Beginning) -> IncidentRecord:
        """A new incident, which nobody sees before an update of it is published."""
        if not beginning.name.strip() or len(beginning.name) > LONGEST_NAME:
            raise Refused(f"an incident has a title of 1 to {LONGEST_NAME} characters")
        start, end = beginning.scheduled or (None, None)
        is_open = start is None
        record = IncidentRecord(
            page=self._page.name,
            id=_digest(self._page.name, beginning.name, beginning.started_at.isoformat(), self._now.isoformat()),
            name=beginning.name.strip(),
            origin=beginning.origin,
            status=IncidentStatus.INVESTIGATING if is_open else IncidentStatus.SCHEDULED,
            impact=beginning.impact,
            component_ids=beginning.component_ids,
            created_at=self._now,
            started_at=beginning.started_at,
            updated_at=self._now,
            scheduled_for=start,
            scheduled_until=end,
            next_update_by=cadence.mark_after(self._now, self._now, self._every) if is_open else None,
            is_excluded=not is_open,
        )
        self._log.put_incident(record)
        return record

    def draft(self, incident: IncidentRecord, message: Message) -> UpdateRecord:
        """Write an update down; nobody outside sees it. Drafts of policy that wait make way for a new one of policy."""
        body = message.body.strip()
        if not body or len(body) > LONGEST_BODY:
            raise Refused(f"an update says something, in at most {LONGEST_BODY:,} characters")
        before = self._updates(incident)
        if message.mark:
            for each in before:
                if each.mark and each.state is UpdateState.DRAFT:
                    self._log.put_update(replace(each, state=UpdateState.DISCARDED, updated_at=self._now))
        number = max((each.number for each in before), default=0) + 1
        update = UpdateRecord(
            page=self._page.name,
            id=_digest(self._page.name, incident.id, str(number)),
            incident=incident.id,
            number=number,
            status=message.status,
            body=body,
            state=UpdateState.DRAFT,
            author=message.author,
            created_at=self._now,
            mark=message.mark,
            affected=message.affected,
            sets_components=message.sets_components,
            next_within=message.next_within,
        )
        self._log.put_update(update)
        self.drafted.append(update)
        self._note("status.update_drafted", update, message.author)
        return update

    def approve(self, update_id: str, by: str) -> UpdateRecord:
        """Somebody stands for it; who, and when, is kept. What is approved already stays as it is."""
        update = self._known(update_id)
        if update.state in (UpdateState.PUBLISHED, UpdateState.APPROVED):
            return update
        if update.state is UpdateState.DISCARDED:
            raise Refused(f"update {update_id} was discarded: write a new one")
        if not by.strip():
            raise Refused("whoever approves has a name: --by NAME")
        self._refuse_late(self._incident_of(update), update)
        approved = replace(update, state=UpdateState.APPROVED, approved_by=by.strip(), approved_at=self._now)
        self._log.put_update(approved)
        self._note("status.update_approved", approved, by.strip())
        return approved

    def publish(self, update_id: str, by: str) -> bool:
        """Let the public see it, once; False when it is public already. Raises `Refused` with the reason."""
        update = self._known(update_id)
        if update.state is UpdateState.PUBLISHED:
            return False
        if update.state is UpdateState.DISCARDED:
            raise Refused(f"update {update_id} was discarded: write a new one")
        if self._page.incidents.needs_approval and update.state is not UpdateState.APPROVED:
            raise Refused(f"the page publishes nothing unapproved: flyball status approve {update_id} --by NAME")
        incident = self._incident_of(update)
        self._refuse_late(incident, update)
        promise = self._promise(incident, update)
        public = replace(
            update,
            body=wording.filled(self._page, update.body, promise) if update.mark else update.body,
            state=UpdateState.PUBLISHED,
            published_at=self._now,
        )
        self._log.put_update(public)
        self._moved(incident, public, promise)
        self.published.append(public)
        self._note("status.update_published", public, by)
        self._tell(public)
        return True

    def check(self, update: UpdateRecord) -> None:
        """Raise `Refused` for what could not be published as things are."""
        self._refuse_late(self._incident_of(update), update)

    def discard(self, update_id: str, by: str) -> UpdateRecord:
        """It will never be published. Raises `Refused` for one that is."""
        update = self._known(update_id)
        if update.state is UpdateState.PUBLISHED:
            raise Refused(f"update {update_id} is published: it can be edited, not taken back")
        gone = replace(update, state=UpdateState.DISCARDED, updated_at=self._now)
        self._log.put_update(gone)
        self._note("status.update_discarded", gone, by)
        return gone

    def edit(self, update_id: str, body: str, by: str) -> UpdateRecord:
        """Change a text; what it said before is kept. A draft that was approved must be approved anew."""
        update = self._known(update_id)
        if update.state is UpdateState.DISCARDED or not body.strip() or len(body) > LONGEST_BODY:
            raise Refused(f"update {update_id}: there is nothing to say or nothing to change")
        if update.state is UpdateState.APPROVED:
            waiting = replace(update, state=UpdateState.DRAFT, approved_by="", approved_at=None)
            self._log.put_update(waiting)
        edited = self._log.edit(self._page.name, update_id, body.strip(), by, self._now)
        incident = self._incident_of(edited)
        if edited.state is UpdateState.PUBLISHED:
            self._log.put_incident(replace(incident, updated_at=self._now))
        self._note("status.update_edited", edited, by)
        return edited

    def close_unseen(self, incident: IncidentRecord) -> None:
        """End an incident of which the public never heard; its drafts go."""
        self._discard_waiting(incident)
        closed = replace(incident, status=IncidentStatus.RESOLVED, resolved_at=self._now, updated_at=self._now)
        self._log.put_incident(replace(closed, next_update_by=None))

    @property
    def _every(self) -> timedelta:
        return self._page.incidents.update_every

    def _known(self, update_id: str) -> UpdateRecord:
        update = self._log.update(self._page.name, update_id)
        if update is None:
            raise Refused(f"page {self._page.name} has no update {update_id}: flyball status drafts lists them")
        return update

    def _incident_of(self, update: UpdateRecord) -> IncidentRecord:
        incident = self._log.incident(self._page.name, update.incident)
        if incident is None:
            raise Refused(f"update {update.id} belongs to no incident that is kept")
        return incident

    def _updates(self, incident: IncidentRecord) -> list[UpdateRecord]:
        return self._log.updates(self._page.name, [incident.id])

    def _refuse_late(self, incident: IncidentRecord, update: UpdateRecord) -> None:
        """What was overtaken, or does not follow."""
        if incident.resolved_at is not None and incident.announced_at is None:
            raise Refused("this incident ended before the public heard of it")
        overtaken = [
            each
            for each in self._updates(incident)
            if each.state is UpdateState.PUBLISHED and each.number > update.number
        ]
        if overtaken:
            raise Refused(f"a later update is published already: discard {update.id} and write a new one")
        before = incident.status if incident.announced_at is not None else None
        is_maintenance = incident.scheduled_for is not None
        if not may_follow(before, update.status, is_maintenance=is_maintenance):
            raise Refused(why_not(before, update.status, is_maintenance=is_maintenance))

    def _promise(self, incident: IncidentRecord, update: UpdateRecord) -> datetime | None:
        if incident.scheduled_for is not None or update.status in CLOSED:
            return None
        if update.next_within is not None:
            return self._now + update.next_within
        return cadence.promise(incident.created_at, self._now, self._every)

    def _moved(self, incident: IncidentRecord, update: UpdateRecord, promise: datetime | None) -> None:
        """The incident, now that an update is published."""
        is_over = update.status in CLOSED and incident.resolved_at is None
        is_watched = update.status is IncidentStatus.MONITORING
        is_back = update.status in (IncidentStatus.INVESTIGATING, IncidentStatus.IDENTIFIED)
        concerned = dict.fromkeys((*incident.component_ids, *(each.id for each in update.affected)))
        moved = replace(
            incident,
            status=update.status,
            component_ids=tuple(concerned),
            updated_at=self._now,
            announced_at=incident.announced_at or self._now,
            monitoring_at=(incident.monitoring_at or self._now)
            if is_watched
            else None
            if is_back
            else incident.monitoring_at,
            resolved_at=self._now if is_over else incident.resolved_at,
            next_update_by=promise,
        )
        self._log.put_incident(moved)
        if is_over:
            self._discard_waiting(moved)

    def _discard_waiting(self, incident: IncidentRecord) -> None:
        for each in self._updates(incident):
            is_waiting = each.state in (UpdateState.DRAFT, UpdateState.APPROVED)
            if is_waiting and each.status is not IncidentStatus.POSTMORTEM:
                self._log.put_update(replace(each, state=UpdateState.DISCARDED, updated_at=self._now))

    def _tell(self, update: UpdateRecord) -> None:
        """The event, and a message to every subscriber."""
        incident = self._incident_of(update)
        subject = f"{self._page.name}/{incident.id}"
        data = {"update": update.id, "status": update.status.value, "impact": incident.impact.value}
        event = Event(
            f"{EVENT_STATUS_UPDATE}:{self._page.name}:{update.id}", EVENT_STATUS_UPDATE, subject, self._now, data
        )
        self._transaction.events.append(event, self._now)
        public = [each for each in self._updates(incident) if each.state is UpdateState.PUBLISHED]
        known = self._log.incidents(self._page.name, self._now)
        whole = whole_page(self._page, self._log.states(self._page.name), known)
        messages = notices(self._page, incident, update, public, self._log.subscribers(self._page.name), whole)
        self.messages += self._transaction.outbox.enqueue_all(messages, self._now)

    def _note(self, action: str, update: UpdateRecord, actor: str) -> None:
        self._transaction.audit.append(
            at=self._now,
            actor=actor,
            action=action,
            subject=f"{self._page.name}/{update.incident}/{update.id}",
            detail={
                "status": update.status.value,
                "state": update.state.value,
                "author": update.author,
                "approved_by": update.approved_by,
                "text_sha256": hashlib.sha256(update.body.encode()).hexdigest(),
            },
        )


def _digest(*parts: str) -> str:
    """An id that the same act gets again: 12 of `0-9a-z`."""
    number = int.from_bytes(hashlib.sha256("\x00".join(parts).encode()).digest())
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    return "".join(letters[number // 36**place % 36] for place in range(12))
