"""The same on PostgreSQL."""

from controlplane.store import SqlStore, migrate, open_store
from tests.alerts.anomaly.scoring.running import Running, kept
from tests.alerts.anomaly.scoring.test_daemon import NOW, spiked
from tests.alerts.anomaly.scoring.worlds import detector


def test_postgresql_keeps_what_sqlite_does(store: SqlStore, postgresql_url: str) -> None:
    migrate(postgresql_url)
    other = open_store(postgresql_url)
    try:
        world = spiked()
        for each in (store, other):
            Running(each, world, [detector()]).reach(NOW, NOW + 5)
            Running(each, world, [detector()]).at(NOW + 10)
        assert kept(store) == kept(other)
        assert len(kept(other)[0]) == 1
    finally:
        other.close()
