"""Tickets on both databases: what is kept of them is read as it was written."""

from datetime import timedelta

from alerts.postmortems.actions import ActionDesk, OverdueDaemon
from alerts.tickets.daemon import TicketDaemon
from controlplane.model.follow_up import ActionState
from controlplane.store import SqlStore
from tests.alerts.tickets.happenings import MINUTE, NOW, MemoryTracker, action, ends, fires, incident


def test_a_tickets_life_is_the_same_on_every_database(store: SqlStore) -> None:
    tracker = MemoryTracker()
    daemon = TicketDaemon(store, tuple, lambda _: tracker)
    incident(store)
    action(store)
    issue = fires(store)
    assert (daemon.run_once(NOW).opened, len(tracker.kept)) == (2, 2)
    assert OverdueDaemon(store).run_once(NOW + timedelta(days=20)) == ("a1",)
    ends(store)
    ActionDesk(store, lambda: "x").end("a1", ActionState.DONE, by="ben", why="merged", now=NOW)
    assert daemon.run_once(NOW + MINUTE).updated == 2
    assert not any(each.is_open for each in tracker.kept.values())
    with store.transaction(read_only=True) as transaction:
        kept = transaction.follow_up.ticket(f"cost:{issue}")
        assert transaction.follow_up.tickets(only_untold=True) == transaction.follow_up.tickets(only_open=True) == []
    assert kept
    assert (kept.labels, kept.told_version, kept.cause) == ((), 2, "The alert SpendSpike ended at 2026-12-01 09:31 UTC")
