"""Incidents, their alerts, timelines and escalations."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, or_, select, update

from controlplane.model.alert import StoredAlert
from controlplane.model.incident import DueStep, Incident, IncidentAlert, IncidentState, TimelineEntry
from controlplane.ports import Permanent
from controlplane.store import incident_rows as rows
from controlplane.store import incident_tables as tables
from controlplane.store.alert_log import stored_alert
from controlplane.store.batches import batches, insert_new
from controlplane.store.plain_rows import plain
from controlplane.store.tables import alerts
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder

_NAME: Final = re.compile(r"INC-([1-9][0-9]{0,14})", re.IGNORECASE)
_AlertKey = tuple[str, datetime]


class SqlIncidentLog:
    """Implements `controlplane.incident_ports.IncidentLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def lock(self) -> None:
        """Take the right to write until the transaction ends."""
        self._order.take()

    def incident(self, incident: str) -> Incident | None:
        """The one of that id, or of that name."""
        columns = tables.incidents.c
        found = self._incidents(select(tables.incidents).where(columns.id == incident))
        if not found and (named := _NAME.fullmatch(incident)):
            found = self._incidents(select(tables.incidents).where(columns.number == int(named[1])))
        return found[0] if found else None

    def open_of_key(self, key: str) -> Incident | None:
        """The one of this key that is not resolved."""
        found = self._incidents(select(tables.incidents).where(tables.incidents.c.key == key, tables.IS_OPEN))
        return found[0] if found else None

    def last_of_key(self, key: str) -> Incident | None:
        """The one of this key that was opened last."""
        found = self.of_key(key, 1)
        return found[0] if found else None

    def open(self, limit: int = 10_000) -> list[Incident]:
        """Those that are not resolved, most urgent first, then oldest."""
        columns = tables.incidents.c
        query = select(tables.incidents).where(tables.IS_OPEN)
        return self._incidents(query.order_by(columns.priority, columns.opened_at, columns.number).limit(limit))

    def quiet(self, since: datetime, limit: int = 1000) -> list[Incident]:
        """Those that are not resolved and of which no alert fires since then or longer, the longest quiet first."""
        columns = tables.incidents.c
        query = select(tables.incidents).where(tables.IS_OPEN, columns.quiet_since <= since)
        return self._incidents(query.order_by(columns.quiet_since, columns.number).limit(limit))

    def between(self, start: datetime, end: datetime, limit: int = 1000) -> list[Incident]:
        """Those that went on (from opened to resolved) at some time in [start, end), latest opened first."""
        columns = tables.incidents.c
        not_over = or_(columns.resolved_at.is_(None), columns.resolved_at > start, columns.opened_at >= start)
        query = select(tables.incidents).where(columns.opened_at < end, not_over)
        return self._incidents(query.order_by(columns.opened_at.desc(), columns.number.desc()).limit(limit))

    def of_key(self, key: str, limit: int = 100) -> list[Incident]:
        """All of one key, latest opened first."""
        columns = tables.incidents.c
        query = select(tables.incidents).where(columns.key == key)
        return self._incidents(query.order_by(columns.opened_at.desc(), columns.number.desc()).limit(limit))

    def put(self, incident: Incident) -> Incident:
        """Keep it as it is now; a new one gets its number, whatever number it comes with."""
        self._order.take()
        columns = tables.incidents.c
        known = select(columns.number).where(columns.id == incident.id).scalar_subquery()
        last = select(func.max(columns.number)).scalar_subquery()
        another = (columns.key == incident.key) & (columns.id != incident.id)
        rival = select(columns.number).where(another, tables.IS_OPEN).scalar_subquery()
        number, greatest, open_one = self._connection.execute(select(known, last, rival)).one()
        if open_one is not None and incident.is_open:
            raise Permanent(f"incident INC-{open_one} of the same key is open: no second one may be")
        kept = replace(incident, number=number or (greatest or 0) + 1)
        upsert(self._connection, tables.incidents, [rows.incident_row(kept)])
        return kept

    def join(self, members: Sequence[IncidentAlert]) -> int:
        """Alerts belong to incidents; one that belongs to some incident already stays there. How many joined."""
        self._order.take()
        return insert_new(self._connection, tables.members, [plain(member) for member in members])

    def end_alerts(self, ended: Sequence[tuple[str, datetime, datetime]]) -> list[str]:
        """Alerts ended; the ids of all incidents that they belong to, also of alerts that had ended before."""
        self._order.take()
        known = self.incidents_of([(fingerprint, starts_at) for fingerprint, starts_at, _ in ended])
        over = [each for each in ended if each[:2] in known]
        if over:
            names = ("of_fingerprint", "of_starts_at", "ended_at")
            self._connection.execute(_END, [dict(zip(names, each, strict=True)) for each in over])
        return list(dict.fromkeys(known[fingerprint, starts_at] for fingerprint, starts_at, _ in over))

    def alerts_of(self, incident: str, limit: int = 1000) -> list[tuple[IncidentAlert, StoredAlert | None]]:
        """Its alerts, those that fire first, then latest start first."""
        columns = tables.members.c
        own = (columns.fingerprint == alerts.c.fingerprint) & (columns.starts_at == alerts.c.starts_at)
        stored = [column.label(f"alert_{column.name}") for column in alerts.c]
        query = select(tables.members, *stored).join_from(tables.members, alerts, own, isouter=True)
        query = query.where(columns.incident == incident).limit(limit)
        fires_first = columns.ended_at.is_not(None)
        found = self._connection.execute(query.order_by(fires_first, columns.starts_at.desc(), columns.fingerprint))
        return [(_member(row), _alert_of(row)) for row in map(dict, found.mappings())]

    def count_alerts(self, incident: str) -> tuple[int, int]:
        """How many alerts it has, and how many of them fire."""
        columns = tables.members.c
        counts = select(func.count(), func.count() - func.count(columns.ended_at)).where(columns.incident == incident)
        every, firing = self._connection.execute(counts).one()
        return every, firing

    def incident_of(self, fingerprint: str, starts_at: datetime) -> str | None:
        """The id of the incident that an alert belongs to."""
        return self.incidents_of([(fingerprint, starts_at)]).get((fingerprint, starts_at))

    def incidents_of(self, alerts: Sequence[_AlertKey]) -> dict[_AlertKey, str]:
        """The same for many at once."""
        columns, wanted = tables.members.c, set(alerts)
        found: dict[_AlertKey, str] = {}
        for batch in batches(sorted(wanted)):
            near = columns.fingerprint.in_({key[0] for key in batch}) & columns.starts_at.in_({key[1] for key in batch})
            query = select(columns.fingerprint, columns.starts_at, columns.incident).where(near)
            found |= {(row[0], row[1]): row[2] for row in self._connection.execute(query)}
        return {key: incident for key, incident in found.items() if key in wanted}

    def note(self, entries: Sequence[TimelineEntry], recorded_at: datetime) -> int:
        """Write lines into timelines; those that are there already change nothing."""
        self._order.take()
        return insert_new(self._connection, tables.timeline, [rows.entry_row(entry, recorded_at) for entry in entries])

    def timeline(self, incident: str, limit: int = 10_000) -> list[TimelineEntry]:
        """Its lines in order of `at`, then of writing; of more than `limit`, the latest."""
        columns = tables.timeline.c
        query = select(tables.timeline).where(columns.incident == incident)
        latest = query.order_by(columns.at.desc(), columns.sequence.desc()).limit(limit)
        return [rows.entry_of(row) for row in self._connection.execute(latest).mappings()][::-1]

    def put_steps(self, steps: Sequence[DueStep]) -> None:
        """Keep these steps of an escalation as they are now."""
        self._order.take()
        upsert(self._connection, tables.steps, [rows.step_row(step) for step in steps])

    def due_steps(self, at: datetime, limit: int = 1000) -> list[DueStep]:
        """Steps due at `at` or before, neither fired nor cancelled, of incidents that nobody has yet."""
        columns = tables.steps.c
        query = (
            select(tables.steps)
            .join(tables.incidents, tables.incidents.c.id == columns.incident)
            .where(
                columns.due_at <= at,
                *_waits(),
                tables.incidents.c.state == IncidentState.OPEN.value,
            )
            .order_by(columns.due_at, columns.incident, columns.round, columns.step, columns.policy)
        )
        return self._steps(query.limit(limit))

    def steps_of(self, incident: str) -> list[DueStep]:
        """All steps of an incident, in order of due time."""
        columns = tables.steps.c
        query = select(tables.steps).where(columns.incident == incident)
        return self._steps(query.order_by(columns.due_at, columns.round, columns.step, columns.policy))

    def cursor(self, name: str) -> int:
        """How far a reader of the event log came; 0 in the beginning."""
        return self._connection.scalar(select(tables.cursors.c.sequence).where(tables.cursors.c.name == name)) or 0

    def put_cursor(self, name: str, sequence: int) -> None:
        """Remember that."""
        self._order.take()
        upsert(self._connection, tables.cursors, [{"name": name, "sequence": sequence}])

    def _incidents(self, query: Select[Any]) -> list[Incident]:
        return [rows.incident_of(row) for row in self._connection.execute(query).mappings()]

    def _steps(self, query: Select[Any]) -> list[DueStep]:
        return [rows.step_of(row) for row in self._connection.execute(query).mappings()]


_END: Final = (
    update(tables.members)
    .where(
        tables.members.c.fingerprint == bindparam("of_fingerprint"),
        tables.members.c.starts_at == bindparam("of_starts_at"),
        tables.members.c.ended_at.is_(None),
    )
    .values(ended_at=bindparam("ended_at"))
)


def _waits() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return tables.steps.c.fired_at.is_(None), tables.steps.c.cancelled_at.is_(None)


def _member(row: dict[str, Any]) -> IncidentAlert:
    return IncidentAlert(row["incident"], row["fingerprint"], row["starts_at"], row["joined_at"], row["ended_at"])


def _alert_of(row: dict[str, Any]) -> StoredAlert | None:
    if row["alert_fingerprint"] is None:
        return None
    return stored_alert({name.removeprefix("alert_"): value for name, value in row.items() if name[:6] == "alert_"})
