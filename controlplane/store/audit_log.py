"""Every decision and change, in a chain of SHA-256 hashes."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from controlplane.model.event import JSON
from controlplane.model.outbox import AuditEntry
from controlplane.ports import Permanent
from controlplane.store.canonical_json import canonical_json
from controlplane.store.tables import audit, audit_head
from controlplane.store.write_order import WriteOrder

GENESIS: Final = "0" * 64  # what the first entry follows
_BATCH: Final = 1000
_HEAD: Final = 1


class SqlAuditLog:
    """Implements `controlplane.ports.AuditLog`."""

    def __init__(self, connection: Connection, order: WriteOrder) -> None:
        self._connection = connection
        self._order = order

    def append(self, *, at: datetime, actor: str, action: str, subject: str, detail: Mapping[str, JSON]) -> AuditEntry:
        """Add an entry at the end of the chain."""
        self._order.take()
        count, previous = self.head()
        text = canonical_json(detail)
        utc = at.astimezone(UTC)
        fields = {"sequence": count + 1, "at": utc, "actor": actor, "action": action, "subject": subject}
        digest = _hash(fields, text, previous)
        self._connection.execute(audit.insert().values(**fields, detail=text, previous_hash=previous, hash=digest))
        moved = update(audit_head).where(audit_head.c.id == _HEAD).values(entries=count + 1, hash=digest)
        if self._connection.execute(moved).rowcount != 1:
            raise Permanent("the audit log has lost the row that says where its chain ends")
        return AuditEntry(
            sequence=count + 1,
            at=utc,
            actor=actor,
            action=action,
            subject=subject,
            detail=json.loads(text),
            previous_hash=previous,
            hash=digest,
        )

    def entries(self, after: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Entries in order."""
        return [_entry(row) for row in self._rows(after, limit)]

    def head(self) -> tuple[int, str]:
        """How many entries the chain has and the hash of the last: worth noting where nobody can rewrite it."""
        row = self._connection.execute(select(audit_head).where(audit_head.c.id == _HEAD)).one_or_none()
        return (row.entries, row.hash) if row else (0, GENESIS)

    def verify(self) -> int | None:
        """The first sequence number at which the chain does not hold, or None.

        An altered entry is named itself, a removed one by the number that is missing, of a cut tail its first.
        """
        expected, previous = 1, GENESIS
        for row in self._every_row():
            if row is None or row.sequence != expected or not _fits(row, previous):
                return expected
            expected, previous = expected + 1, row.hash
        entries, head = self.head()
        if entries != expected - 1:
            return min(entries + 1, expected)
        return None if head == previous else max(entries, 1)

    def _rows(self, after: int, limit: int) -> list[Row[Any]]:
        query = select(audit).where(audit.c.sequence > after).order_by(audit.c.sequence).limit(limit)
        return list(self._connection.execute(query).all())

    def _every_row(self) -> Iterator[Row[Any] | None]:
        """Rows in order; None where one cannot even be read."""
        last = 0
        while True:
            try:
                batch = self._rows(last, _BATCH)
            except (ValueError, TypeError):  # SQLite keeps whatever was put into a column
                yield from self._one_by_one(last)
                return
            if not batch:
                return
            yield from batch
            last = batch[-1].sequence

    def _one_by_one(self, after: int) -> Iterator[Row[Any] | None]:
        numbers = self._connection.scalars(
            select(audit.c.sequence).where(audit.c.sequence > after).order_by(audit.c.sequence)
        ).all()
        for number in numbers:
            try:
                yield self._rows(number - 1, 1)[0]
            except (ValueError, TypeError):
                yield None


def _hash(fields: Mapping[str, Any], detail: str, previous: str) -> str:
    """SHA-256 over canonical JSON of every field but the hash itself; the time in ISO 8601, UTC, microseconds."""
    covered = dict(fields) | {
        "at": fields["at"].isoformat(timespec="microseconds"),
        "detail": json.loads(detail),
        "previous_hash": previous,
    }
    return hashlib.sha256(canonical_json(covered).encode()).hexdigest()


def _fits(row: Row[Any], previous: str) -> bool:
    fields = {name: getattr(row, name) for name in ("sequence", "at", "actor", "action", "subject")}
    try:
        same_spelling = canonical_json(json.loads(row.detail)) == row.detail
        return bool(row.previous_hash == previous and same_spelling and row.hash == _hash(fields, row.detail, previous))
    except (ValueError, TypeError):  # no JSON any more, or a blob in place of text
        return False


def _entry(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        sequence=row.sequence,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=json.loads(row.detail),
        previous_hash=row.previous_hash,
        hash=row.hash,
    )
