"""Results of checks from outside, each counted once, and what follows from them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, text

from controlplane.collection import collection_paused
from controlplane.model.check import CheckHour, CheckKind, CheckResult, RegionContact, ReportHead, RunTimes, Verdict
from controlplane.ports import Permanent
from controlplane.store import check_tables as tables
from controlplane.store.check_rows import BRIEF, COLUMNS, insert_results, latest_results, new_of, result_of, time_for
from controlplane.store.check_sums import add_results, read_hours, read_run_times, read_totals
from controlplane.store.check_verdicts import read_verdicts, write_verdicts
from controlplane.store.usage_sums import upsert
from controlplane.store.write_order import CHECK_LOCK, WriteOrder

_ARRIVED: Final = (
    "SELECT {columns}, r.arrival FROM check_results AS r WHERE r.arrival > :after AND r.arrival <= :last "
    "ORDER BY r.arrival LIMIT :limit"
)
_OF_ARRIVAL: Final = "SELECT {columns} FROM check_results AS r WHERE r.arrival = :arrival"
_BETWEEN: Final = text(
    f"SELECT {COLUMNS} FROM check_results AS r WHERE r.kind = :kind AND r.name = :name "  # noqa: S608
    "AND r.region = :region AND r.started_at >= :start AND r.started_at < :end"
)
_FORGET: Final = text(  # each check has its own part of the tree: no index by time is needed
    "DELETE FROM check_results WHERE kind = :kind AND name = :name AND region = :region AND started_at < :before"
)


class SqlCheckLog:
    """Implements `controlplane.check_ports.CheckLog`. Reports are taken one after the other."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._order = WriteOrder(connection, lock=CHECK_LOCK)

    def take(self, head: ReportHead, results: Sequence[CheckResult], received_at: datetime) -> int:
        """Store and count what is new; see the port."""
        if any(result.region != head.region for result in results):
            raise Permanent(f"a report of region {head.region} holds results of another")
        self._order.take()
        if self.knows(head.region, head.prober, head.sequence):
            return 0
        arrival = self.last_arrival() + 1
        report = {"region": head.region, "prober": head.prober, "sequence": head.sequence, "received_at": received_at}
        self._connection.execute(tables.reports.insert(), [report])
        with collection_paused():
            new = new_of(self._connection, results)
            insert_results(self._connection, new, arrival)
            add_results(self._connection, new)
        self._move_contact(head, received_at, arrival)
        return len(new)

    def knows(self, region: str, prober: str, sequence: int) -> bool:
        """Whether a report of this number was taken from this prober."""
        columns = tables.reports.c
        found = select(columns.sequence).where(
            columns.region == region, columns.prober == prober, columns.sequence == sequence
        )
        return self._connection.scalar(found) is not None

    def latest(self, count: int, since: datetime, *, is_brief: bool = False) -> list[CheckResult]:
        """The newest results of each check and region."""
        with collection_paused():
            return latest_results(self._connection, count, since, is_brief=is_brief)

    def arrived(self, after: int, limit: int, *, is_brief: bool = False) -> tuple[list[CheckResult], int]:
        """Results of reports that were taken after that one."""
        columns = BRIEF if is_brief else COLUMNS
        last = self.last_arrival()  # first: what is taken meanwhile comes with the next call
        query = text(_ARRIVED.format(columns=columns))
        rows = self._connection.execute(query, {"after": after, "last": last, "limit": limit}).all()
        found = [result_of(row[:-1]) for row in rows]
        if len(rows) < limit:
            return found, last
        end = rows[-1][-1]  # its report may go on beyond the limit
        whole = [result for row, result in zip(rows, found, strict=True) if row[-1] != end]
        rest = self._connection.execute(text(_OF_ARRIVAL.format(columns=columns)), {"arrival": end})
        return whole + [result_of(row) for row in rest], end

    def last_arrival(self) -> int:
        """The number of the report that was taken last."""
        return self._connection.scalar(select(func.max(tables.contacts.c.arrival))) or 0

    def between(self, kind: CheckKind, check: str, start: datetime, end: datetime) -> list[CheckResult]:
        """Results of one check, by start and region."""
        found: list[CheckResult] = []
        columns = tables.totals.c
        regions = select(columns.region).where(columns.kind == kind.value, columns.name == check)
        for region in self._connection.scalars(regions).all():
            bound = {"kind": kind.value, "name": check, "region": region, "start": time_for(self._connection, start)}
            rows = self._connection.execute(_BETWEEN, bound | {"end": time_for(self._connection, end)})
            found.extend(map(result_of, rows))
        return sorted(found, key=lambda result: (result.started_at, result.region))

    def hours(self, start: datetime, end: datetime, checks: Sequence[str] = ()) -> list[CheckHour]:
        """Hours that begin in [start, end)."""
        return read_hours(self._connection, start, end, checks)

    def totals(self) -> list[CheckHour]:
        """Everything ever counted."""
        return read_totals(self._connection)

    def run_times(self) -> list[RunTimes]:
        """How long the runs that were ever counted took."""
        return read_run_times(self._connection)

    def contacts(self) -> list[RegionContact]:
        """The latest contact of each region."""
        query = select(tables.contacts).order_by(tables.contacts.c.region)
        return [
            RegionContact(row.region, row.prober, row.sequence, row.reported_at, row.buffered, row.version)
            for row in self._connection.execute(query)
        ]

    def verdicts(self) -> list[Verdict]:
        """Those that stand."""
        return read_verdicts(self._connection)

    def put_verdicts(self, verdicts: Sequence[Verdict], now: datetime) -> None:
        """Let these stand, and no others."""
        self._order.take()
        write_verdicts(self._connection, verdicts)

    def purge(self, results_before: datetime, hours_before: datetime) -> int:
        """Forget old results and hours; totals stay. A result older than these is not to be taken again."""
        self._order.take()
        columns = tables.totals.c
        keys = self._connection.execute(select(columns.kind, columns.name, columns.region)).all()
        before = time_for(self._connection, results_before)
        old = [{"kind": kind, "name": name, "region": region, "before": before} for kind, name, region in keys]
        rows = self._connection.execute(_FORGET, old).rowcount if old else 0
        rows += self._connection.execute(delete(tables.hours).where(tables.hours.c.start < hours_before)).rowcount
        self._connection.execute(delete(tables.reports).where(tables.reports.c.received_at < results_before))
        return rows

    def _move_contact(self, head: ReportHead, received_at: datetime, arrival: int) -> None:
        """The report is new: it is a sign of life, even if a later one of the same prober overtook it."""
        before = next((each for each in self.contacts() if each.region == head.region), None)
        sequence, buffered, version = head.sequence, head.buffered, head.version
        if before is not None:
            received_at = max(received_at, before.reported_at)
            if before.prober == head.prober and before.sequence > head.sequence:
                sequence, buffered, version = before.sequence, before.buffered, before.version
        row: dict[str, Any] = {
            "region": head.region, "prober": head.prober, "sequence": sequence, "reported_at": received_at,
            "buffered": buffered, "version": version, "arrival": arrival,
        }  # fmt: skip
        upsert(self._connection, tables.contacts, [row])
