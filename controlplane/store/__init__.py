"""The one database: leases, alerts, events, outbox, audit log. SQLite by default, PostgreSQL by URL.

`migrate(url)` first, then `open_store(url)`.
"""

from controlplane.store.schema import migrate
from controlplane.store.sql_store import SqlStore, open_store

__all__ = ["SqlStore", "migrate", "open_store"]
