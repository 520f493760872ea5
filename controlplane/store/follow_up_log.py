"""What is left to do after incidents: actions, tickets, runs of runbooks."""

from datetime import date
from typing import Final

from sqlalchemy import Connection, RowMapping, select

from controlplane.model.follow_up import Action, ActionState, RunbookRun, RunState, Ticket
from controlplane.store import follow_up_tables as tables
from controlplane.store.plain_rows import plain
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder


class SqlFollowUpLog:
    """Implements `controlplane.incident_ports.FollowUpLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def put_action(self, action: Action) -> None:
        """Keep it as it is now."""
        self._order.take()
        upsert(self._connection, tables.actions, [plain(action) | {"state": action.state.value}])

    def action(self, action: str) -> Action | None:
        """The one of that id."""
        query = select(tables.actions).where(tables.actions.c.id == action)
        row = self._connection.execute(query).mappings().one_or_none()
        return _action_of(row) if row else None

    def actions(self, incident: str = "", *, only_open: bool = False, due_before: date | None = None) -> list[Action]:
        """By due date, then creation; of one incident where it is named; `due_before` leaves that day itself out."""
        columns, query = tables.actions.c, select(tables.actions)
        query = query.where(columns.incident == incident) if incident else query
        query = query.where(columns.state == ActionState.OPEN.value) if only_open else query
        query = query if due_before is None else query.where(columns.due < due_before)
        ordered = query.order_by(columns.due, columns.created_at, columns.id)
        return [_action_of(row) for row in self._connection.execute(ordered).mappings()]

    def put_ticket(self, ticket: Ticket) -> None:
        """Keep it as it is now."""
        self._order.take()
        upsert(self._connection, tables.tickets, [plain(ticket) | {"labels": list(ticket.labels)}])

    def ticket(self, key: str) -> Ticket | None:
        """The one that is about this."""
        query = select(tables.tickets).where(tables.tickets.c.key == key)
        row = self._connection.execute(query).mappings().one_or_none()
        return _ticket_of(row) if row else None

    def tickets(self, *, only_untold: bool = False, only_open: bool = False, limit: int = 1000) -> list[Ticket]:
        """Oldest first; `only_untold`: those of which the tracker does not show the wanted version."""
        columns, query = tables.tickets.c, select(tables.tickets)
        query = query.where(columns.told_version != columns.wanted_version) if only_untold else query
        query = query.where(columns.is_open) if only_open else query
        ordered = query.order_by(columns.created_at, columns.key).limit(limit)
        return [_ticket_of(row) for row in self._connection.execute(ordered).mappings()]

    def put_run(self, run: RunbookRun) -> None:
        """Keep it as it is now."""
        self._order.take()
        row = plain(run) | {"state": run.state.value, "results": list(run.results)}
        upsert(self._connection, tables.runs, [row])

    def run(self, run: str) -> RunbookRun | None:
        """The one of that id."""
        row = self._connection.execute(select(tables.runs).where(tables.runs.c.id == run)).mappings().one_or_none()
        return _run_of(row) if row else None

    def runs(
        self, incident: str = "", runbook: str = "", limit: int = 100, *, only_open: bool = False
    ) -> list[RunbookRun]:
        """Newest first; of one incident or runbook where it is named; `only_open`: those that wait or run."""
        columns, query = tables.runs.c, select(tables.runs)
        query = query.where(columns.state.in_(_OPEN_RUNS)) if only_open else query
        query = query.where(columns.incident == incident) if incident else query
        query = query.where(columns.runbook == runbook) if runbook else query
        ordered = query.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
        return [_run_of(row) for row in self._connection.execute(ordered).mappings()]


_OPEN_RUNS: Final = (RunState.WAITING.value, RunState.RUNNING.value)


def _action_of(row: RowMapping) -> Action:
    return Action(**dict(row) | {"state": ActionState(row["state"])})


def _ticket_of(row: RowMapping) -> Ticket:
    return Ticket(**dict(row) | {"labels": tuple(row["labels"])})


def _run_of(row: RowMapping) -> RunbookRun:
    return RunbookRun(**dict(row) | {"state": RunState(row["state"]), "results": tuple(row["results"])})
