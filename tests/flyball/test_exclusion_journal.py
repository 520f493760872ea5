"""`flyball apply` keeps exclusions in the audit log, and opens a database for nothing else."""

from datetime import UTC, datetime
from pathlib import Path

from controlplane import conventions
from controlplane.model.event import Event
from controlplane.store import open_store
from flyball.exclusion_journal import ExclusionJournal

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(kind: str) -> Event:
    return Event(f"{kind}/1", kind, "upgrade", NOW, {"owner": "payments"})


def test_only_exclusions_need_a_database(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "flyball.db"
    journal = ExclusionJournal(f"sqlite:///{path}", "flyball apply")
    assert not journal.write(event(conventions.EVENT_RULES_APPLIED))
    assert not path.exists()
    assert journal.write(event(conventions.EVENT_EXCLUSION_ADDED))
    assert not journal.write(event(conventions.EVENT_EXCLUSION_ADDED))
    store = open_store(f"sqlite:///{path}")
    with store.transaction(read_only=True) as transaction:
        (entry,) = transaction.audit.entries()
    store.close()
    assert (entry.actor, entry.action, entry.subject) == ("flyball apply", "slo.exclusion_added", "upgrade")
