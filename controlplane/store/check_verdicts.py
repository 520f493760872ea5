"""Verdicts as rows. Only those that changed are written: most stay as they are for hours."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, and_, delete, or_, select

from controlplane.model.check import CheckKind, RegionState, RegionVerdict, Verdict, VerdictKind
from controlplane.store import check_tables as tables
from controlplane.store.batches import batches
from controlplane.store.keyed_rows import KeyedRows

_VERDICTS: Final = KeyedRows(
    "check_verdicts",
    {"kind": "text", "name": "text"},
    {"verdict": "text", "since": "timestamptz", "needed": "bigint", "flapping": "boolean", "regions": "text"},
)


def read_verdicts(connection: Connection) -> list[Verdict]:
    """Those that stand, by kind and check."""
    found = [_verdict(row) for row in connection.execute(select(tables.verdicts)).mappings()]
    return sorted(found, key=lambda verdict: verdict.key)


def write_verdicts(connection: Connection, verdicts: Sequence[Verdict]) -> None:
    """Let these stand, and no others."""
    standing = {verdict.key: verdict for verdict in read_verdicts(connection)}
    changed = [verdict for verdict in verdicts if standing.pop(verdict.key, None) != verdict]
    _VERDICTS.upsert(connection, sorted(_row(verdict) for verdict in changed))
    columns = tables.verdicts.c
    for batch in batches(list(standing)):
        gone = (and_(columns.kind == kind, columns.name == name) for kind, name in batch)
        connection.execute(delete(tables.verdicts).where(or_(*gone)))


def _row(verdict: Verdict) -> tuple[Any, ...]:
    regions = [
        (each.region, each.state.value, each.since, each.detail, each.latest_at, each.trace_id)
        for each in verdict.regions
    ]
    return (
        *verdict.key,
        verdict.kind.value,
        verdict.since,
        verdict.needed,
        verdict.flapping,
        orjson.dumps(regions).decode(),
    )


def _verdict(row: Any) -> Verdict:
    regions = tuple(
        RegionVerdict(
            region=region,
            state=RegionState(state),
            since=datetime.fromisoformat(since),
            detail=detail,
            latest_at=datetime.fromisoformat(latest_at) if latest_at else None,
            trace_id=trace_id,
        )
        for region, state, since, detail, latest_at, trace_id in orjson.loads(row["regions"])
    )
    return Verdict(
        check=row["name"],
        check_kind=CheckKind(row["kind"]),
        kind=VerdictKind(row["verdict"]),
        since=row["since"],
        needed=row["needed"],
        regions=regions,
        flapping=row["flapping"],
    )
