"""A process that goes silent inside of a transaction holds others up for seconds, not for half a minute."""

from sqlalchemy import text

from controlplane.store import migrate, open_store
from controlplane.store.database_url import parse_database_url
from controlplane.store.engines import STALL_SECONDS, make_engine
from controlplane.store.leases import require_lease
from controlplane.store.stalling import SECONDS, cut_off_when_silent
from controlplane.store.write_order import CHECK_LOCK, WriteOrder
from tests.contracts.storing import MINUTE

LIMIT = text("SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)::int")


def test_what_others_wait_for_is_cut_off_soon_and_nothing_else(postgresql_url: str) -> None:
    migrate(postgresql_url)
    store = open_store(postgresql_url)
    lease = store.leases.acquire("main", "a", MINUTE)
    assert lease is not None
    engine = store._engine
    for hold, limit in (
        (lambda connection: require_lease(connection, lease), SECONDS),
        (lambda connection: WriteOrder(connection).take(), SECONDS),
        (lambda connection: WriteOrder(connection, lock=CHECK_LOCK).take(), STALL_SECONDS),
        (lambda connection: None, STALL_SECONDS),  # and no limit is left over from the transactions before
    ):
        with engine.begin() as connection:
            hold(connection)
            assert connection.scalar(LIMIT) == limit
    store.close()


def test_a_shorter_limit_of_the_connection_stays(postgresql_url: str) -> None:
    engine = make_engine(parse_database_url(postgresql_url), stall_seconds=2)
    with engine.begin() as connection:
        cut_off_when_silent(connection)
        assert connection.scalar(LIMIT) == 2
    engine.dispose()
