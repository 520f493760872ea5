"""Migrations: from nothing, at once from several replicas, back, and from the future."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from controlplane.ports import Permanent, Transient
from controlplane.store import SqlStore, migrate, open_store
from controlplane.store.schema import VERSION_TABLE, known_revision
from controlplane.store.tables import metadata
from tests.contracts.storing import NOW, event, firing


@pytest.fixture
def migrated_url(database_url: str) -> str:
    """A database that a test may migrate back and forth."""
    migrate(database_url)
    return database_url


def test_the_migrated_schema_is_the_one_in_the_tables_module(store: SqlStore) -> None:
    with store._engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        inspector = inspect(connection)
        assert differences == []
        for table in metadata.tables.values():
            primary = inspector.get_pk_constraint(table.name)
            if not table.dialect_options["sqlite"]["autoincrement"] or connection.dialect.name != "sqlite":
                assert primary["name"] == table.primary_key.name
            assert primary["constrained_columns"] == [column.name for column in table.primary_key]


def test_migrating_again_changes_nothing(store: SqlStore, migrated_url: str) -> None:
    with store.transaction() as transaction:
        transaction.events.append(event("e"), NOW)
    migrate(migrated_url)
    with store.transaction() as transaction:
        assert len(transaction.events.after(0, 10)) == 1
    store.ping()


def test_replicas_that_start_at_once_migrate_once(database_url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(migrate, [database_url] * 6))
    store = open_store(database_url)
    store.ping()
    store.close()


def test_downgrading_to_base_leaves_no_table_and_upgrading_works_again(store: SqlStore, migrated_url: str) -> None:
    migrate(migrated_url, revision="base")
    with store._engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) <= {VERSION_TABLE, "sqlite_sequence"}
    with pytest.raises(Transient, match="revision none"):
        store.ping()
    migrate(migrated_url)
    store.ping()


def test_a_schema_from_the_future_is_refused(store: SqlStore, migrated_url: str) -> None:
    with store._engine.connect() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        connection.commit()
    with pytest.raises(Permanent, match=f"revision 9999, this Flyball knows up to {known_revision()}.*upgrade"):
        migrate(migrated_url)
    with pytest.raises(Transient, match="revision 9999"):
        store.ping()


def test_a_database_that_was_never_migrated_says_so(database_url: str) -> None:
    store = open_store(database_url)
    with pytest.raises(Permanent, match="not been migrated"), store.transaction() as transaction:
        transaction.events.append(event("e"), NOW)
    store.close()


def test_opening_a_mistyped_path_makes_no_file(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a b#?%41.db")
    with pytest.raises(Transient, match="there is none"):
        store.ping()
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a b%23%2541 ü.db"  # a URL: `#`, `?` and `%` are written percent-encoded
    migrate(url)
    store = open_store(url)
    store.ping()
    store.close()
    assert {path.name.partition(".db")[0] for path in tmp_path.iterdir()} == {"a b#%41 ü"}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_sqlite_file_that_was_taken_away_acknowledges_nothing(tmp_path: Path, replaced: bool) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    migrate(url)
    store = open_store(url)
    with store.transaction() as transaction:
        transaction.alerts.record(firing("before"), NOW)
    for path in tmp_path.iterdir():
        path.unlink()
    if replaced:
        migrate(url)
        with store.transaction() as transaction:
            transaction.alerts.record(firing("after"), NOW)
        other = open_store(url)
        with other.transaction(read_only=True) as transaction:
            assert [one.alert.fingerprint for one in transaction.alerts.firing()] == ["after"]
        other.close()
    else:
        with pytest.raises(Permanent, match="there is none"), store.transaction():
            pass
    store.close()


def test_sqlite_writes_ahead_and_syncs_every_commit(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/state.db"
    migrate(url)
    store = open_store(url)
    with store._engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "mysql://u:hunter2@h/db",
        "postgresql+asyncpg://u:hunter2@h/db",
        "postgresql://u:hunter2@h:port/db",
        "postgresql://u:hun@ter2:x@h:1:2/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory&uri=true",
    ],
)
def test_a_bad_url_is_refused_without_being_quoted(url: str) -> None:
    for attempt in (open_store, migrate):
        with pytest.raises(Permanent, match="sqlite:///path") as caught:
            attempt(url)
        assert "hunter2" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_passwords_stay_out_of_everything_that_is_shown(scheme: str) -> None:
    url = f"{scheme}://me:hunter%402@127.0.0.1:1/db?password=swordfish&sslmode=disable"
    store = open_store(url)
    with pytest.raises(Transient) as caught:
        store.ping()
    with pytest.raises(Transient) as migrating:
        migrate(url)
    shown = f"{store!r} {store._engine!r} {caught.value} {migrating.value} {caught.value.__cause__}"
    assert "postgresql://me:***@127.0.0.1:1/db" in shown
    for secret in ("hunter@2", "hunter%402", "swordfish"):
        assert secret not in f"{store!r} {caught.value} {migrating.value}"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_postgresql_urls_may_leave_the_driver_out(migrated_url: str) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        store = open_store(scheme + migrated_url.removeprefix("postgresql+psycopg"))
        store.ping()
        store.close()


def test_an_unreadable_database_file_is_a_clear_error(tmp_path: Path) -> None:
    garbage = tmp_path / "state.db"
    garbage.write_bytes(b"this is no database" * 1000)
    garbage.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with pytest.raises(Permanent, match="not a database"):
        migrate(f"sqlite:///{garbage}")
    (tmp_path / "file").touch()
    with pytest.raises(Permanent, match="cannot create"):
        migrate(f"sqlite:///{tmp_path}/file/below/state.db")
