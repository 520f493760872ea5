"""Keeps status pages: what components are, what is said of it, whom that is told. One transaction a page and turn."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from controlplane.check_names import (
    ALERT_STATUS_OVERDUE,
    EVENT_COMPONENT_CHANGED,
    EVENT_STATUS_OVERDUE,
    STATUS_PAGE,
)
from controlplane.conventions import DESCRIPTION, SEVERITY, SEVERITY_PAGE, SUMMARY
from controlplane.model.event import JSON, Event
from controlplane.model.outbox import OutboxMessage
from controlplane.model.public_status import PublicSnapshot
from controlplane.model.status_record import ComponentChange, IncidentRecord, UpdateState
from controlplane.ports import HeldLease, Store, Transaction
from synthetics.status_page import cadence
from synthetics.status_page.automatic import AutomaticIncidents
from synthetics.status_page.components import standings
from synthetics.status_page.corrections import declared_corrections
from synthetics.status_page.desk import AUTHOR, Desk, Refused
from synthetics.status_page.gathering import MeasuredSLOs, known_at
from synthetics.status_page.maintenances import run_maintenances
from synthetics.status_page.model import StatusPage
from synthetics.status_page.notices import component_notices, whole_page
from synthetics.status_page.snapshot import snapshot
from synthetics.status_page.uptime import LONGEST_GAP

CONSOLE: Final = "console"
PURGE_EVERY: Final = timedelta(hours=6)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StatusTurn:
    """What one turn did, over all pages."""

    changed: int = 0
    drafted: int = 0
    published: int = 0
    overdue: int = 0
    messages: int = 0
    purged: int = 0

    def __add__(self, other: "StatusTurn") -> "StatusTurn":
        return StatusTurn(
            self.changed + other.changed,
            self.drafted + other.drafted,
            self.published + other.published,
            self.overdue + other.overdue,
            self.messages + other.messages,
            self.purged + other.purged,
        )


class StatusDaemon:
    """`pages` gives those that are declared now. `measured_slos` asks which SLOs have data; without it alerts tell."""

    def __init__(
        self,
        store: Store,
        pages: Callable[[], Sequence[StatusPage]],
        *,
        measured_slos: MeasuredSLOs | None = None,
    ) -> None:
        self._store = store
        self._pages = pages
        self._measured_slos = measured_slos
        self._purged: dict[str, datetime] = {}

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> StatusTurn:
        """One turn; repeated at the same moment it changes nothing. Raises what the store raises, nothing half done."""
        now = now.replace(microsecond=0)
        pages = self._pages()
        measured = self._measured_slos(now) if self._measured_slos and pages else None
        done = StatusTurn()
        for page in pages:
            with self._store.transaction(lease=lease) as transaction:
                done += self._turn(page, transaction, now, measured)
        return done

    def snapshots(self, now: datetime) -> list[PublicSnapshot]:
        """What every page shows now, for whoever publishes it."""
        found, pages = [], self._pages()
        tells = self._measured_slos is not None
        measured = self._measured_slos(now) if self._measured_slos and pages else None
        for page in pages:
            with self._store.transaction(read_only=True) as transaction:
                found.append(snapshot(page, transaction, now, measured_slos=measured, tells_slos=tells))
        return found

    def _turn(
        self, page: StatusPage, transaction: Transaction, now: datetime, measured: frozenset[str] | None
    ) -> StatusTurn:
        desk = Desk(page, transaction, now)
        run_maintenances(page, transaction, desk, now)
        declared_corrections(page, transaction, now)
        tells = self._measured_slos is not None
        known = known_at(page, transaction, now, measured_slos=measured, tells_slos=tells)
        found = standings(page, known, now)
        statuses = {id_: each.status for id_, each in found.items()}
        changes = transaction.status.observe(page.name, statuses, now, LONGEST_GAP)
        messages = _tell_changes(page, transaction, changes, now)
        AutomaticIncidents(page, transaction, desk, now, standings=found).run()
        _publish_approved(page, transaction, desk)
        overdue = _tell_overdue(page, transaction, now)
        purged = self._purge(page, transaction, now)
        return StatusTurn(
            len(changes), len(desk.drafted), len(desk.published), overdue, messages + desk.messages, purged
        )

    def _purge(self, page: StatusPage, transaction: Transaction, now: datetime) -> int:
        last = self._purged.get(page.name)
        if last is not None and now - last < PURGE_EVERY:
            return 0
        self._purged[page.name] = now
        return transaction.status.purge(page.name, now - page.retention)


def _tell_changes(page: StatusPage, transaction: Transaction, changes: Sequence[ComponentChange], now: datetime) -> int:
    """Events of what changed, and messages to those who want each change."""
    if not changes:
        return 0
    transaction.events.append_all([_changed(page, change) for change in changes], now)
    status = transaction.status
    whole = whole_page(page, status.states(page.name), status.incidents(page.name, now))
    messages = component_notices(page, changes, status.subscribers(page.name), whole)
    for change in changes:
        fields = {"page": page.name, "component": change.component, "status": change.new.value}
        log.info("status.component_changed", extra=fields)
    return transaction.outbox.enqueue_all(messages, now)


def _changed(page: StatusPage, change: ComponentChange) -> Event:
    subject = f"{page.name}/{change.component}"
    data: dict[str, JSON] = {"from": change.old.value if change.old else None, "to": change.new.value}
    return Event(
        f"{EVENT_COMPONENT_CHANGED}:{subject}@{change.at.isoformat()}",
        EVENT_COMPONENT_CHANGED,
        subject,
        change.at,
        data,
    )


def _publish_approved(page: StatusPage, transaction: Transaction, desk: Desk) -> None:
    """What somebody approved elsewhere goes out now."""
    for update in transaction.status.waiting(page.name):
        if update.state is not UpdateState.APPROVED:
            continue
        try:
            desk.publish(update.id, update.approved_by)
        except Refused as reason:
            log.warning("status.not_published", extra={"page": page.name, "update": update.id, "error": str(reason)})
            desk.discard(update.id, AUTHOR)


def _tell_overdue(page: StatusPage, transaction: Transaction, now: datetime) -> int:
    """Once for each promise that was missed: an event, and a message to whoever is on call."""
    told = 0
    for incident in transaction.status.incidents(page.name, now):
        promise = incident.next_update_by
        if incident.resolved_at is not None or promise is None or not cadence.overdue(promise, now):
            continue
        if incident.overdue_told == promise:
            continue
        transaction.status.put_incident(replace(incident, overdue_told=promise))
        subject = f"{page.name}/{incident.id}"
        id_ = f"{EVENT_STATUS_OVERDUE}:{subject}@{promise.isoformat()}"
        data: dict[str, JSON] = {"promised": promise.isoformat(), "incident": incident.name}
        transaction.events.append(Event(id_, EVENT_STATUS_OVERDUE, subject, now, data), now)
        payload = _escalation(page, incident, promise)
        transaction.outbox.enqueue(OutboxMessage(f"{CONSOLE}:{id_}", CONSOLE, f"{CONSOLE}:{subject}", payload), now)
        log.warning("status.update_overdue", extra={"page": page.name, "incident": incident.id})
        told += 1
    return told


def _escalation(page: StatusPage, incident: IncidentRecord, promise: datetime) -> dict[str, JSON]:
    """An alert, as whoever delivers alerts understands it."""
    seen = "an update" if incident.announced_at else "the first word"
    fingerprint = hashlib.sha256(f"{page.name}\x00{incident.id}".encode()).hexdigest()[:16]
    return {
        "fingerprint": fingerprint,
        "status": "firing",
        "starts_at": promise.isoformat(),
        "ends_at": None,
        "labels": {"alertname": ALERT_STATUS_OVERDUE, SEVERITY: SEVERITY_PAGE, STATUS_PAGE: page.name},
        "annotations": {
            SUMMARY: f"status page {page.name}: {seen} on “{incident.name}” is overdue",
            DESCRIPTION: (
                f"It was due by {promise:%H:%M} UTC. Customers wait for it.\n"
                f"flyball status drafts {page.name}, then flyball status approve; or write one with "
                f"flyball status post {page.name} --incident {incident.id}."
            ),
        },
        "generator_url": page.url,
    }
