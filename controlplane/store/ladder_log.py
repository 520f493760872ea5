"""Where downshift ladders stand, what they did, and what people said about them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, delete, func, or_, select

from controlplane.model.ladder import (
    Approval,
    LadderHold,
    LadderOrder,
    LadderState,
    SavingsReceipt,
    StepPhase,
    StepRecord,
)
from controlplane.ports import Permanent
from controlplane.store import ladder_rows as rows
from controlplane.store import ladder_tables as tables
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import WriteOrder

_ENDED: Final = StepPhase.ENDED.value


class SqlLadderLog:
    """Implements `controlplane.ladder_ports.LadderLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def lock(self) -> None:
        """Take the right to write until the transaction ends."""
        self._order.take()

    def states(self) -> list[LadderState]:
        """Of every ladder, by name."""
        return [rows.state_of(row) for row in self._rows(select(tables.states).order_by(tables.states.c.ladder))]

    def state(self, ladder: str) -> LadderState | None:
        """Where one stands."""
        row = self._one(tables.states, tables.states.c.ladder == ladder)
        return rows.state_of(row) if row else None

    def put_state(self, state: LadderState) -> None:
        """Let it stand there."""
        self._order.take()
        upsert(self._connection, tables.states, [rows.state_row(state)])

    def step(self, step: str) -> StepRecord | None:
        """The one of that id."""
        row = self._one(tables.steps, tables.steps.c.id == step)
        return rows.step_of(row) if row else None

    def open_step(self, ladder: str) -> StepRecord | None:
        """The one that has not ended."""
        columns = tables.steps.c
        row = self._one(tables.steps, columns.ladder == ladder, columns.phase != _ENDED)
        return rows.step_of(row) if row else None

    def steps(self, ladder: str, since: datetime | None = None, limit: int = 1000) -> list[StepRecord]:
        """Those decided at `since` or later, newest first."""
        columns = tables.steps.c
        query = select(tables.steps).where(columns.ladder == ladder)
        query = query if since is None else query.where(columns.decided_at >= since)
        query = query.order_by(columns.decided_at.desc(), columns.number.desc()).limit(limit)
        return [rows.step_of(row) for row in self._rows(query)]

    def put_step(self, step: StepRecord) -> None:
        """Keep it as it is now; one that has ended stays as it is. The database holds that one is open at a time."""
        self._order.take()
        before = self.step(step.id)
        if before is not None and before.phase is StepPhase.ENDED:
            if before != step:
                raise Permanent(f"step {step.id} of ladder {step.ladder} has ended: what it did cannot change")
            return
        rival = self.open_step(step.ladder)
        if step.phase is not StepPhase.ENDED and rival is not None and rival.id != step.id:
            raise Permanent(f"ladder {step.ladder} is at step {rival.id}, which has not ended: no other may begin")
        self._put_numbered(tables.steps, rows.step_row(step))

    def approvals(self, ladder: str, since: datetime | None = None) -> list[Approval]:
        """Those that end after `since`, oldest first."""
        columns = tables.approvals.c
        query = select(tables.approvals).where(columns.ladder == ladder)
        query = query if since is None else query.where(columns.until > since)
        return [rows.approval_of(row) for row in self._rows(query.order_by(columns.at, columns.number))]

    def approval(self, approval: str) -> Approval | None:
        """The one of that id."""
        row = self._one(tables.approvals, tables.approvals.c.id == approval)
        return rows.approval_of(row) if row else None

    def put_approval(self, approval: Approval) -> None:
        """Keep it as it is now; what was used or withdrawn stays so."""
        self._order.take()
        before = self.approval(approval.id)
        if before is not None and before.used_by not in ("", approval.used_by):
            raise Permanent(f"approval {approval.id} was used by step {before.used_by}: it serves no other")
        if before is not None and before.withdrawn_at not in (None, approval.withdrawn_at):
            raise Permanent(f"approval {approval.id} was withdrawn: it allows nothing any more")
        self._put_numbered(tables.approvals, rows.approval_row(approval))

    def hold(self, ladder: str) -> LadderHold | None:
        """The one that was set last and not lifted."""
        row = self._one(tables.holds, tables.holds.c.ladder == ladder)
        return rows.hold_of(row) if row else None

    def put_hold(self, hold: LadderHold) -> None:
        """Replaces the ladder's earlier one."""
        self._order.take()
        upsert(self._connection, tables.holds, [rows.hold_row(hold)])

    def lift_hold(self, ladder: str) -> bool:
        """Whether there was one."""
        self._order.take()
        return self._connection.execute(delete(tables.holds).where(tables.holds.c.ladder == ladder)).rowcount > 0

    def order(self, order: str) -> LadderOrder | None:
        """The one of that id."""
        row = self._one(tables.orders, tables.orders.c.id == order)
        return rows.order_of(row) if row else None

    def open_orders(self, ladder: str) -> list[LadderOrder]:
        """Those that are not done, oldest first."""
        columns = tables.orders.c
        query = select(tables.orders).where(columns.ladder == ladder, columns.done_at.is_(None))
        return [rows.order_of(row) for row in self._rows(query.order_by(columns.at, columns.number))]

    def put_order(self, order: LadderOrder) -> None:
        """Keep it as it is now; one that is done stays as it is."""
        self._order.take()
        before = self.order(order.id)
        if before is not None and before.done_at is not None and before != order:
            raise Permanent(f"order {order.id} of ladder {order.ladder} is done: {before.result or 'nothing remains'}")
        self._put_numbered(tables.orders, rows.order_row(order))

    def receipts(self, ladder: str, since: datetime | None = None) -> list[SavingsReceipt]:
        """Those in force at `since` or later, oldest first."""
        columns = tables.receipts.c
        query = select(tables.receipts).where(columns.ladder == ladder)
        query = query if since is None else query.where(or_(columns.until.is_(None), columns.until > since))
        return [rows.receipt_of(row) for row in self._rows(query.order_by(columns.since, columns.tier, columns.step))]

    def put_receipt(self, receipt: SavingsReceipt) -> None:
        """Keep it as it is now."""
        self._order.take()
        upsert(self._connection, tables.receipts, [rows.receipt_row(receipt)])

    def purge(self, before: datetime) -> int:
        """Forget what was over before then; steps of tiers in force are kept, for they say why."""
        self._order.take()
        in_force = {applied.step for state in self.states() for applied in state.applied}
        approvals = tables.approvals.c
        over = (
            (tables.steps, (tables.steps.c.ended_at < before) & tables.steps.c.id.not_in(in_force)),
            (tables.orders, tables.orders.c.done_at < before),
            (tables.receipts, tables.receipts.c.until < before),
            (tables.approvals, (approvals.until < before) | (approvals.withdrawn_at < before)),
        )
        return sum(self._connection.execute(delete(table).where(condition)).rowcount for table, condition in over)

    def _rows(self, query: Select[Any]) -> list[RowMapping]:
        return list(self._connection.execute(query).mappings())

    def _one(self, table: Table, *conditions: ColumnElement[bool]) -> RowMapping | None:
        return self._connection.execute(select(table).where(*conditions)).mappings().one_or_none()

    def _put_numbered(self, table: Table, row: Mapping[str, Any]) -> None:
        """A new one comes after all others of its ladder; one that is there keeps its number."""
        columns = table.c
        number = self._connection.scalar(select(columns.number).where(columns.id == row["id"]))
        if number is None:
            last = select(func.max(columns.number)).where(columns.ladder == row["ladder"])
            number = (self._connection.scalar(last) or 0) + 1
        upsert(self._connection, table, [{**row, "number": number}])
