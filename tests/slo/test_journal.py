"""Decisions are kept in the event log and the audit log, both or neither."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.model.event import Event
from controlplane.store import SqlStore, migrate, open_store
from slo.journal import StoreJournal
from tests.slo.applying import NOW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    url = f"sqlite:///{tmp_path / 'flyball.db'}"
    migrate(url)
    store = open_store(url)
    yield store
    store.close()


def test_an_event_and_its_audit_entry_are_written_once(store: SqlStore) -> None:
    journal = StoreJournal(store, "flyball", lambda: None)
    event = Event("slo.rules_applied/1", "slo.rules_applied", "rules", NOW, {"generation": "1", "rules": 3})
    assert [journal.write(event), journal.write(event)] == [True, False]
    with store.transaction() as transaction:
        (recorded,) = transaction.events.after(0, 10)
        (entry,) = transaction.audit.entries()
        assert transaction.audit.verify() is None
    assert recorded.event == event
    assert (entry.at, entry.actor, entry.action, entry.subject) == (NOW, "flyball", "slo.rules_applied", "rules")
    assert entry.detail == event.data
