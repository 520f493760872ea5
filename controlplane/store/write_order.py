"""Writers of what has an order (events, alerts, outbox, audit) go one after the other."""

from typing import Final

from sqlalchemy import Connection, func, select

from controlplane.store.stalling import cut_off_when_silent

_LOCK: Final = 0x666C7962616C6C01  # "flyball" and a number; advisory locks are per database
MIGRATION_LOCK: Final = 0x666C7962616C6C02
USAGE_LOCK: Final = 0x666C7962616C6C03  # for usage alone: no alert waits for a large batch of it
CHECK_LOCK: Final = 0x666C7962616C6C04  # for what is seen from outside, likewise
DELIVERY_LOCK: Final = 0x666C7962616C6C05  # for delivery events as they come
FACTS_LOCK: Final = 0x666C7962616C6C06  # for what follows from them: no sender waits while it is reckoned


class WriteOrder:
    """The right to write, from the first write of a transaction to its end.

    Without it PostgreSQL numbers rows before it commits them: a reader could see event 8, remember it, and never
    look for event 7, which commits later. One lock for all four also means that they cannot deadlock.
    Usage, checks and deliveries have locks of their own; whoever needs several takes usage, checks, delivery events,
    facts of deliveries, and then this one.
    """

    def __init__(self, connection: Connection, *, lock: int = _LOCK) -> None:
        self._connection = connection
        self._lock = lock
        self._taken = connection.dialect.name == "sqlite"  # BEGIN IMMEDIATE has it

    def take(self) -> None:
        """Wait until every earlier writer has committed or rolled back. Free when we have it already."""
        if not self._taken:
            if self._lock == _LOCK:  # alerts wait for it
                cut_off_when_silent(self._connection)
            self._connection.execute(select(func.pg_advisory_xact_lock(self._lock)))
            self._taken = True
