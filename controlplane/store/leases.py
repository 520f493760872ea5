"""Leadership as a row with an epoch."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, select, update

from controlplane.ports import HeldLease, LeaseLost
from controlplane.store.database_clock import database_now
from controlplane.store.engines import open_transaction
from controlplane.store.stalling import cut_off_when_silent
from controlplane.store.tables import leases
from controlplane.store.write_order import WriteOrder


class SqlLeases:
    """Implements `controlplane.ports.Leases`.

    Locks on PostgreSQL: work done under a lease holds the row FOR KEY SHARE until it commits; taking over needs
    it FOR UPDATE and so waits for that commit; renewing needs it FOR NO KEY UPDATE and waits for no work of ours.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def acquire(self, name: str, holder: str, ttl: timedelta) -> HeldLease | None:
        """Take or renew it; None while somebody else holds it. `holder` must be unique to the process.

        Raises `Transient` while the former holder has a transaction open under it.
        """
        if ttl <= timedelta(0):
            raise ValueError("a lease lasts longer than nothing")
        with open_transaction(self._engine, read_only=True) as connection:
            row = connection.execute(_row(name)).mappings().one_or_none()
            if row is not None and not _may_take(row, holder, database_now(connection)):
                return None
        with open_transaction(self._engine) as connection:
            if row is None:
                _create(connection, name)
            renewing = row is not None and row["holder"] == holder
            return take(connection, name=name, holder=holder, ttl=ttl, renewing=renewing)

    def release(self, lease: HeldLease) -> None:
        """Give it up, if we still hold it; what is written under it now raises `LeaseLost`."""
        with open_transaction(self._engine) as connection:
            connection.execute(
                update(leases)
                .where(leases.c.name == lease.name, leases.c.holder == lease.holder, leases.c.epoch == lease.epoch)
                .values(holder=None, expires_at=database_now(connection))
            )

    def holder(self, name: str) -> str | None:
        """Who holds it now; None when nobody does."""
        with open_transaction(self._engine, read_only=True) as connection:
            row = connection.execute(_row(name)).mappings().one_or_none()
            is_held = row is not None and row["holder"] and row["expires_at"] > database_now(connection)
            return str(row["holder"]) if row is not None and is_held else None


def require_lease(connection: Connection, lease: HeldLease) -> None:
    """Raise `LeaseLost` unless `lease` still stands; it cannot be taken over before this transaction ends.

    The epoch decides, not the expiry: an expired lease that nobody has taken over has harmed nobody, and one that
    was taken over is refused however much time its holder believes to have left.
    """
    cut_off_when_silent(connection)
    row = connection.execute(_row(lease.name).with_for_update(read=True, key_share=True)).mappings().one_or_none()
    if row is None or (row["holder"], row["epoch"]) != (lease.holder, lease.epoch):
        raise LeaseLost(f"lease {lease.name}: epoch {lease.epoch} of {lease.holder} is over")


def take(connection: Connection, *, name: str, holder: str, ttl: timedelta, renewing: bool) -> HeldLease | None:
    """Take or renew it in this transaction, when it is free or ours; waits for work that is done under it."""
    row = connection.execute(_row(name).with_for_update(key_share=renewing)).mappings().one_or_none()
    now = database_now(connection)  # after the wait for the lock
    if row is None or not _may_take(row, holder, now) or (renewing and row["holder"] != holder):
        return None
    epoch = int(row["epoch"]) + (row["holder"] != holder)
    connection.execute(
        update(leases).where(leases.c.name == name).values(holder=holder, epoch=epoch, expires_at=now + ttl)
    )
    return HeldLease(name, holder, epoch)


def _row(name: str) -> Select[Any]:
    return select(leases).where(leases.c.name == name)


def _may_take(row: RowMapping, holder: str, now: datetime) -> bool:
    return row["holder"] in (None, holder) or row["expires_at"] <= now


def _create(connection: Connection, name: str) -> None:
    WriteOrder(connection).take()
    if connection.execute(_row(name)).one_or_none() is None:
        connection.execute(leases.insert().values(name=name, holder=None, epoch=0, expires_at=database_now(connection)))
