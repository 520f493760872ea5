"""What was observed and said on status pages."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, or_, select

from controlplane.model.public_status import ComponentStatus
from controlplane.model.status_record import (
    Channel,
    ComponentChange,
    ComponentSpan,
    ComponentState,
    CorrectionRecord,
    IncidentRecord,
    Subscriber,
    SubscriberState,
    UpdateEdit,
    UpdateRecord,
    UpdateState,
)
from controlplane.ports import Permanent
from controlplane.store import status_rows as rows
from controlplane.store import status_tables as tables
from controlplane.store.batches import batches
from controlplane.store.status_spans import observe, purge_spans, put_spans, read_spans, read_states
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder

_WAITING = (UpdateState.DRAFT.value, UpdateState.APPROVED.value)


class SqlStatusLog:
    """Implements `controlplane.status_ports.StatusLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def hold(self) -> None:
        """Take the right to write until the transaction ends."""
        self._order.take()

    def observe(
        self, page: str, statuses: Mapping[str, ComponentStatus], at: datetime, longest_gap: timedelta
    ) -> list[ComponentChange]:
        """Note what each component's status is; those that changed."""
        self._order.take()
        return observe(self._connection, page, statuses, at, longest_gap)

    def states(self, page: str) -> list[ComponentState]:
        """What stands of every component."""
        return read_states(self._connection, page)

    def spans(self, page: str, start: datetime, end: datetime) -> list[ComponentSpan]:
        """Spans with a part in [start, end), by component and start."""
        return read_spans(self._connection, page, start, end)

    def put_spans(self, page: str, spans: Sequence[ComponentSpan]) -> None:
        """Spans of a past that was not observed here."""
        self._order.take()
        put_spans(self._connection, page, spans)

    def incidents(self, page: str, since: datetime | None = None) -> list[IncidentRecord]:
        """Those that are open, or have a part at `since` or later; newest start first."""
        columns = tables.incidents.c
        query = select(tables.incidents).where(columns.page == page)
        if since is not None:
            recent = (columns.resolved_at >= since, columns.started_at >= since, columns.scheduled_for >= since)
            query = query.where(or_(columns.resolved_at.is_(None), *recent))
        query = query.order_by(columns.started_at.desc(), columns.created_at.desc(), columns.id)
        return [rows.incident_of(row) for row in self._connection.execute(query).mappings()]

    def incident(self, page: str, incident: str) -> IncidentRecord | None:
        """The one of that id."""
        columns = tables.incidents.c
        query = select(tables.incidents).where(columns.page == page, columns.id == incident)
        row = self._connection.execute(query).mappings().one_or_none()
        return rows.incident_of(row) if row else None

    def put_incident(self, incident: IncidentRecord) -> None:
        """Keep it as it is now."""
        self._order.take()
        upsert(self._connection, tables.incidents, [rows.incident_row(incident)])

    def updates(self, page: str, incidents: Sequence[str]) -> list[UpdateRecord]:
        """All updates of these incidents, by incident and number."""
        columns = tables.updates.c
        found: list[UpdateRecord] = []
        for batch in batches(sorted(set(incidents))):
            query = select(tables.updates).where(columns.page == page, columns.incident.in_(batch))
            ordered = query.order_by(columns.incident, columns.number)
            found += [rows.update_of(row) for row in self._connection.execute(ordered).mappings()]
        return found

    def update(self, page: str, update: str) -> UpdateRecord | None:
        """The one of that id."""
        columns = tables.updates.c
        query = select(tables.updates).where(columns.page == page, columns.id == update)
        row = self._connection.execute(query).mappings().one_or_none()
        return rows.update_of(row) if row else None

    def waiting(self, page: str) -> list[UpdateRecord]:
        """Drafts and approved ones, oldest first."""
        columns = tables.updates.c
        query = select(tables.updates).where(columns.page == page, columns.state.in_(_WAITING))
        ordered = query.order_by(columns.created_at, columns.incident, columns.number)
        return [rows.update_of(row) for row in self._connection.execute(ordered).mappings()]

    def put_update(self, update: UpdateRecord) -> None:
        """Keep it as it is now; the text of one that is published does not change this way."""
        self._order.take()
        before = self.update(update.page, update.id)
        if before is not None and before.state is UpdateState.PUBLISHED:
            same = (before.body, before.state, before.published_at) == (update.body, update.state, update.published_at)
            if not same:
                raise Permanent(f"update {update.id} is published: its text is changed by an edit, which is kept")
        upsert(self._connection, tables.updates, [rows.update_row(update)])

    def edit(self, page: str, update: str, body: str, by: str, at: datetime) -> UpdateRecord:
        """Change the text and keep what it said before."""
        self._order.take()
        before = self.update(page, update)
        if before is None:
            raise Permanent(f"page {page} has no update {update!r}")
        columns = tables.edits.c
        own = (columns.page == page) & (columns.update_id == update)
        revision = (self._connection.scalar(select(func.max(columns.revision)).where(own)) or 0) + 1
        kept = {"page": page, "update_id": update, "revision": revision, "body": before.body}
        self._connection.execute(tables.edits.insert().values(**kept, replaced_at=at, replaced_by=by))
        after = replace(before, body=body, updated_at=at)
        upsert(self._connection, tables.updates, [rows.update_row(after)])
        return after

    def edits(self, page: str, update: str) -> list[UpdateEdit]:
        """What it said before, oldest first."""
        columns = tables.edits.c
        query = select(tables.edits).where(columns.page == page, columns.update_id == update)
        return [rows.edit_of(row) for row in self._connection.execute(query.order_by(columns.revision)).mappings()]

    def corrections(self, page: str) -> list[CorrectionRecord]:
        """All, by when they were declared."""
        columns = tables.corrections.c
        query = select(tables.corrections).where(columns.page == page).order_by(columns.declared_at, columns.id)
        return [rows.correction_of(row) for row in self._connection.execute(query).mappings()]

    def put_correction(self, correction: CorrectionRecord) -> None:
        """Keep it as it is now."""
        self._order.take()
        upsert(self._connection, tables.corrections, [rows.correction_row(correction)])

    def subscribers(self, page: str) -> list[Subscriber]:
        """All, by when they asked."""
        columns = tables.subscribers.c
        query = select(tables.subscribers).where(columns.page == page).order_by(columns.created_at, columns.id)
        return [rows.subscriber_of(row) for row in self._connection.execute(query).mappings()]

    def subscriber(self, page: str, subscriber: str) -> Subscriber | None:
        """The one of that id."""
        columns = tables.subscribers.c
        query = select(tables.subscribers).where(columns.page == page, columns.id == subscriber)
        row = self._connection.execute(query).mappings().one_or_none()
        return rows.subscriber_of(row) if row else None

    def subscriber_at(self, page: str, channel: Channel, address: str) -> Subscriber | None:
        """The one with that address."""
        columns = tables.subscribers.c
        own = (columns.page == page, columns.channel == channel.value, columns.address == address)
        row = self._connection.execute(select(tables.subscribers).where(*own)).mappings().one_or_none()
        return rows.subscriber_of(row) if row else None

    def put_subscriber(self, subscriber: Subscriber) -> None:
        """Keep it as it is now."""
        self._order.take()
        upsert(self._connection, tables.subscribers, [rows.subscriber_row(subscriber)])

    def purge(self, page: str, before: datetime) -> int:
        """Forget what was over before then."""
        self._order.take()
        removed = purge_spans(self._connection, page, before)
        old = select(tables.incidents.c.id).where(
            tables.incidents.c.page == page, tables.incidents.c.resolved_at < before
        )
        own = tables.updates.c.page == page
        gone = select(tables.updates.c.id).where(own, tables.updates.c.incident.in_(old))
        edits = delete(tables.edits).where(tables.edits.c.page == page, tables.edits.c.update_id.in_(gone))
        removed += self._connection.execute(edits).rowcount
        removed += self._connection.execute(
            delete(tables.updates).where(own, tables.updates.c.incident.in_(old))
        ).rowcount
        over = delete(tables.incidents).where(tables.incidents.c.page == page, tables.incidents.c.resolved_at < before)
        removed += self._connection.execute(over).rowcount
        columns = tables.subscribers.c
        ended = (columns.state == SubscriberState.ENDED.value) & (columns.ended_at < before)
        forgotten = (columns.state == SubscriberState.PENDING.value) & (columns.expires_at < before)
        left = delete(tables.subscribers).where(columns.page == page, ended | forgotten)
        return removed + self._connection.execute(left).rowcount
