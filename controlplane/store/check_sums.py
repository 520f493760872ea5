"""What results add up to: by hour, and ever. The caller holds the right to write."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

import orjson
from sqlalchemy import Connection, select

from controlplane.model.check import RUN_SECONDS, CheckHour, CheckKind, CheckResult, Outcome, RunTimes
from controlplane.store import check_tables as tables
from controlplane.store.batches import batches
from controlplane.store.check_rows import HOURS, TOTALS, time_of

_HourKey = tuple[str, str, str, datetime]
_CheckKey = tuple[str, str, str]
_COUNTED: Final = ("ok", "failed", "fault", "seconds")
_TOTALLED: Final = ("start", "last_at", "buckets", *_COUNTED)


@dataclass(slots=True)
class _Sum:
    start: datetime
    last_at: datetime
    ok: int = 0
    failed: int = 0
    fault: int = 0
    seconds: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(RUN_SECONDS) + 1))

    def take(self, result: CheckResult) -> None:
        """Count one more run."""
        if result.outcome is Outcome.OK:
            self.ok += 1
            self.seconds += result.duration_seconds
            self.buckets[bisect_left(RUN_SECONDS, result.duration_seconds)] += 1
        elif result.outcome is Outcome.FAILED:
            self.failed += 1
        else:
            self.fault += 1
        if result.started_at > self.last_at:
            self.last_at = result.started_at

    def add(self, ok: int, failed: int, fault: int, seconds: float) -> None:
        """What was counted elsewhere."""
        self.ok += ok
        self.failed += failed
        self.fault += fault
        self.seconds += seconds

    def join(self, start: datetime, last_at: datetime, buckets: Sequence[int]) -> None:
        """Reach as far as this, too."""
        self.start, self.last_at = min(self.start, start), max(self.last_at, last_at)
        self.buckets = [one + other for one, other in zip(self.buckets, buckets, strict=True)]

    @property
    def counted(self) -> tuple[int, int, int, float]:
        """As the tables have it."""
        return self.ok, self.failed, self.fault, self.seconds


def add_results(connection: Connection, results: Iterable[CheckResult]) -> None:
    """Count results that were just stored."""
    hours = _by_hour(results)
    totals: dict[_CheckKey, _Sum] = {}
    for (*check, _), hour in hours.items():
        total = totals.setdefault((check[0], check[1], check[2]), _Sum(hour.start, hour.last_at))
        total.add(*hour.counted)
        total.join(hour.start, hour.last_at, hour.buckets)
    for key, counted in HOURS.read(connection, list(hours), _COUNTED):
        hours[key].add(*counted)
    HOURS.upsert(connection, [(*key, *hours[key].counted) for key in sorted(hours)])
    for key, (start, last_at, buckets, *before) in TOTALS.read(connection, list(totals), _TOTALLED):
        totals[key].add(*before)
        totals[key].join(time_of(start), time_of(last_at), orjson.loads(buckets))
    TOTALS.upsert(connection, [_total_row(key, totals[key]) for key in sorted(totals)])


def _by_hour(results: Iterable[CheckResult]) -> dict[_HourKey, _Sum]:
    hours: dict[_HourKey, _Sum] = {}
    starts: dict[tuple[date, int], datetime] = {}
    for result in results:
        moment = result.started_at
        start = starts.get((moment.date(), moment.hour))
        if start is None:
            start = starts[moment.date(), moment.hour] = moment.replace(minute=0, second=0, microsecond=0)
        key = (result.kind.value, result.check, result.region, start)
        hour = hours.get(key)
        if hour is None:
            hour = hours[key] = _Sum(start, moment)
        hour.take(result)
    return hours


def read_hours(connection: Connection, start: datetime, end: datetime, checks: Sequence[str]) -> list[CheckHour]:
    """Hours that begin in [start, end), by start, kind, check and region."""
    columns = tables.hours.c
    wanted = select(
        columns.kind, columns.name, columns.region, columns.start, *(columns[each] for each in _COUNTED)
    ).where(columns.start >= start, columns.start < end)
    queries = [wanted.where(columns.name.in_(batch)) for batch in batches(sorted(set(checks)))] if checks else [wanted]
    found = [
        CheckHour(CheckKind(kind), *rest) for query in queries for kind, *rest in connection.execute(query)
    ]  # fmt: skip
    return sorted(found, key=lambda hour: (hour.start, hour.kind.value, hour.check, hour.region))


def read_totals(connection: Connection) -> list[CheckHour]:
    """Everything ever counted."""
    columns = tables.totals.c
    query = select(columns.kind, columns.name, columns.region, columns.start, *(columns[each] for each in _COUNTED))
    found = [CheckHour(CheckKind(kind), *rest) for kind, *rest in connection.execute(query)]
    return sorted(found, key=lambda total: (total.kind.value, total.check, total.region))


def read_run_times(connection: Connection) -> list[RunTimes]:
    """How long runs took."""
    columns = tables.totals.c
    query = select(columns.kind, columns.name, columns.region, columns.last_at, columns.buckets)
    found = [
        RunTimes(CheckKind(kind), name, region, last_at, tuple(orjson.loads(buckets)))
        for kind, name, region, last_at, buckets in connection.execute(query)
    ]
    return sorted(found, key=lambda one: (one.kind.value, one.check, one.region))


def _total_row(key: _CheckKey, total: _Sum) -> tuple[object, ...]:
    return (*key, total.start, total.last_at, *total.counted, orjson.dumps(total.buckets).decode())
