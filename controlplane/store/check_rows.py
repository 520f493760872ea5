"""Results of checks as rows and back, past SQLAlchemy's work per value: there are hundreds a second.

What comes here was checked: no NUL, no surrogates, finite numbers.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, text

from controlplane.model.check import CheckKind, CheckResult, CheckSample, Outcome, Timing
from controlplane.store.keyed_rows import Key, KeyedRows

_CHECK: Final = {"kind": "text", "name": "text", "region": "text"}
RESULTS: Final = KeyedRows(
    "check_results",
    {**_CHECK, "started_at": "timestamptz"},
    {
        "arrival": "bigint",
        "duration_seconds": "double precision",
        "outcome": "text",
        "reason": "text",
        "detail": "text",
        "measured": "text",
        "trace_id": "text",
        "confirms": "boolean",
    },
)
HOURS: Final = KeyedRows(
    "check_hours",
    {**_CHECK, "start": "timestamptz"},
    {"ok": "bigint", "failed": "bigint", "fault": "bigint", "seconds": "double precision"},
)
TOTALS: Final = KeyedRows(
    "check_totals",
    _CHECK,
    {
        "start": "timestamptz",
        "last_at": "timestamptz",
        "ok": "bigint",
        "failed": "bigint",
        "fault": "bigint",
        "seconds": "double precision",
        "buckets": "text",
    },
)
_OWN: Final = "r.kind, r.name, r.region, r.started_at, r.duration_seconds, r.outcome, r.reason, r.detail"
COLUMNS: Final = f"{_OWN}, r.trace_id, r.confirms, r.measured"
BRIEF: Final = f"{_OWN}, r.trace_id, r.confirms, ''"
_KINDS: Final = {kind.value: kind for kind in CheckKind}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}

# One look at the end of each check's own part of the tree. Left to itself, PostgreSQL's planner would read all results.
_LATEST_ON_POSTGRESQL: Final = (
    "SELECT {columns} FROM check_totals AS t CROSS JOIN LATERAL ("
    "SELECT * FROM check_results AS n WHERE n.kind = t.kind AND n.name = t.name AND n.region = t.region "
    "AND n.started_at >= :since ORDER BY n.started_at DESC LIMIT :count) AS r WHERE t.last_at >= :since"
)
_LATEST_ON_SQLITE: Final = (  # which has no lateral joins
    "SELECT {columns} FROM check_totals AS t CROSS JOIN check_results AS r "
    "ON r.kind = t.kind AND r.name = t.name AND r.region = t.region AND r.started_at >= max(:since, coalesce(("
    "SELECT n.started_at FROM check_results AS n WHERE n.kind = t.kind AND n.name = t.name AND n.region = t.region "
    "ORDER BY n.started_at DESC LIMIT 1 OFFSET :count - 1), :since)) WHERE t.last_at >= :since"
)


def new_of(connection: Connection, results: Iterable[CheckResult]) -> list[CheckResult]:
    """Each of them that is not stored, once, in the order of the key's tree."""
    first = {result.key: result for result in results}
    for key, _ in RESULTS.read(connection, list(first), ("arrival",)):
        del first[key]
    return [first[key] for key in sorted(first)]


def insert_results(connection: Connection, results: Sequence[CheckResult], arrival: int) -> None:
    """Write results that are not stored yet."""
    RESULTS.insert(connection, [_row(result, arrival) for result in results])


def latest_results(connection: Connection, count: int, since: datetime, *, is_brief: bool) -> list[CheckResult]:
    """The newest of each check and region, oldest first."""
    written = _LATEST_ON_SQLITE if connection.dialect.name == "sqlite" else _LATEST_ON_POSTGRESQL
    query = text(written.format(columns=BRIEF if is_brief else COLUMNS))
    rows = connection.execute(query, {"since": time_for(connection, since), "count": count})
    return sorted(map(result_of, rows), key=lambda result: (result.started_at, result.key))


def result_of(row: Sequence[Any]) -> CheckResult:
    """The result in a row of COLUMNS or of BRIEF."""
    kind, name, region, started_at, duration, outcome, reason, detail, trace_id, confirms, measured = row
    timings, samples = orjson.loads(measured) if measured else ((), ())
    return CheckResult(
        name,
        _KINDS[kind],
        region,
        time_of(started_at),
        duration,
        _OUTCOMES[outcome],
        reason,
        detail,
        tuple([Timing(part, seconds) for part, seconds in timings]),
        tuple([CheckSample(sample, value, _labels(labels)) for sample, value, labels in samples]),
        trace_id,
        bool(confirms),
    )


def _labels(written: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple([(label, text) for label, text in written]) if written else ()


def time_for(connection: Connection, moment: datetime) -> object:
    """A time as statements in plain SQL bind it."""
    if connection.dialect.name == "sqlite":
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return moment.astimezone(UTC)


def time_of(stored: Any) -> datetime:
    """A time as a driver gives it: SQLite's is text."""
    found = datetime.fromisoformat(stored) if isinstance(stored, str) else stored
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _row(result: CheckResult, arrival: int) -> Key:
    measured = (
        [(timing.name, timing.seconds) for timing in result.timings],
        [(sample.name, sample.value, sample.labels) for sample in result.samples],
    )
    return (
        *result.key,
        arrival,
        result.duration_seconds,
        result.outcome.value,
        result.reason,
        result.detail,
        orjson.dumps(measured).decode(),
        result.trace_id,
        result.confirms,
    )
