"""Actions and tickets on /metrics."""

from contextlib import contextmanager
from datetime import UTC, date, datetime

from prometheus_client import CollectorRegistry, generate_latest

from alerts.postmortems.collector import ActionCollector
from alerts.tickets.collector import TicketCollector
from alerts.tickets.daemon import TicketDaemon
from alerts.tickets.model import Tracker, TrackerKind
from controlplane.ports import Transient
from controlplane.store import SqlStore
from tests.alerts.tickets.happenings import NOW, MemoryTracker, action, fires, incident

WORK = Tracker("work", TrackerKind.GITHUB, frozenset(("cost", "actions")))


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 12, 16, tzinfo=UTC)


class Away:
    """A store that does not answer."""

    @contextmanager
    def transaction(self, **options: object) -> object:
        raise Transient("away")
        yield


def exposed(*collectors: object) -> list[str]:
    registry = CollectorRegistry()
    for each in collectors:
        registry.register(each)  # type: ignore[arg-type]
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


def test_open_and_overdue_actions_are_counted(store: SqlStore) -> None:
    incident(store)
    action(store, "a1", due=date(2026, 12, 15))
    action(store, "a2", due=date(2026, 12, 16))
    assert exposed(ActionCollector(store, Clock())) == [
        'flyball_postmortem_actions{state="open"} 2.0',
        'flyball_postmortem_actions{state="overdue"} 1.0',
    ]


def test_tickets_are_counted_by_tracker_with_those_that_it_does_not_show_yet(store: SqlStore) -> None:
    fires(store)
    TicketDaemon(store, lambda: (WORK,), lambda _: MemoryTracker(trouble=[Transient("away")])).run_once(NOW)
    assert exposed(TicketCollector(store, lambda: (WORK,))) == [
        'flyball_tickets{state="open",tracker="work"} 1.0',
        'flyball_tickets{state="untold",tracker="work"} 1.0',
    ]
    assert exposed(TicketCollector(store, tuple))[0] == 'flyball_tickets{state="open",tracker="files"} 0.0'


def test_while_the_store_is_away_nothing_is_said() -> None:
    away = Away()
    assert exposed(ActionCollector(away, Clock()), TicketCollector(away, tuple)) == []  # type: ignore[arg-type]
