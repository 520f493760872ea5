"""What was observed of a page's components, as spans. The caller holds the right to write."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update

from controlplane.model.public_status import ComponentStatus
from controlplane.model.status_record import ComponentChange, ComponentSpan, ComponentState
from controlplane.store.status_tables import spans, states
from controlplane.store.usage_sums import upsert


def observe(
    connection: Connection,
    page: str,
    statuses: Mapping[str, ComponentStatus],
    at: datetime,
    longest_gap: timedelta,
) -> list[ComponentChange]:
    """Extend the spans that go on, begin those that do not; see the port."""
    known = {state.component: state for state in read_states(connection, page)}
    opened: list[dict[str, Any]] = []
    noted: list[dict[str, Any]] = []
    changes: list[ComponentChange] = []
    for component, status in sorted(statuses.items()):
        before = known.get(component)
        if before is not None and at <= before.observed_at:
            continue
        is_new = before is None or before.status is not status
        is_gap = before is None or at - before.observed_at > longest_gap
        if before is not None and not is_gap:
            _extend(connection, page, before, at)
        if is_new or is_gap:
            opened.append({"page": page, "component": component, "start": at, "until": at, "status": status.value})
        if is_new:
            changes.append(ComponentChange(component, before.status if before else None, status, at))
        noted.append(
            {
                "page": page,
                "component": component,
                "status": status.value,
                "since": at if before is None or is_new else before.since,
                "created_at": before.created_at if before else at,
                "observed_at": at,
            }
        )
    upsert(connection, spans, opened)
    upsert(connection, states, noted)
    return changes


def _extend(connection: Connection, page: str, before: ComponentState, at: datetime) -> None:
    own = (spans.c.page == page) & (spans.c.component == before.component) & (spans.c.until == before.observed_at)
    connection.execute(update(spans).where(own, spans.c.status == before.status.value).values(until=at))


def read_states(connection: Connection, page: str) -> list[ComponentState]:
    """What stands, by component."""
    query = select(states).where(states.c.page == page).order_by(states.c.component)
    return [_state(row) for row in connection.execute(query).mappings()]


def read_spans(connection: Connection, page: str, start: datetime, end: datetime) -> list[ComponentSpan]:
    """Those with a part in [start, end)."""
    query = select(spans).where(spans.c.page == page, spans.c.until > start, spans.c.start < end)
    rows = connection.execute(query.order_by(spans.c.component, spans.c.start)).mappings()
    return [ComponentSpan(row["component"], row["start"], row["until"], ComponentStatus(row["status"])) for row in rows]


def put_spans(connection: Connection, page: str, past: Sequence[ComponentSpan]) -> None:
    """Write them as they are; a component that was never observed is known from its first span on."""
    rows = [
        {"page": page, "component": one.component, "start": one.start, "until": one.end, "status": one.status.value}
        for one in past
    ]
    upsert(connection, spans, rows)
    known = {state.component for state in read_states(connection, page)}
    firsts = {one.component: one for one in sorted(past, key=lambda one: one.start, reverse=True)}
    lasts = {one.component: one for one in sorted(past, key=lambda one: one.start)}
    upsert(
        connection,
        states,
        [
            {
                "page": page,
                "component": component,
                "status": lasts[component].status.value,
                "since": lasts[component].start,
                "created_at": first.start,
                "observed_at": lasts[component].end,
            }
            for component, first in sorted(firsts.items())
            if component not in known
        ],
    )


def purge_spans(connection: Connection, page: str, before: datetime) -> int:
    """Forget those that ended before then."""
    return connection.execute(delete(spans).where(spans.c.page == page, spans.c.until < before)).rowcount


def _state(row: RowMapping) -> ComponentState:
    return ComponentState(
        row["component"], ComponentStatus(row["status"]), row["since"], row["created_at"], row["observed_at"]
    )
