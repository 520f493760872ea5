"""The database's own clock: the one clock that all replicas share."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select


def database_now(connection: Connection) -> datetime:
    """The time at this moment, not at the transaction's begin. SQLite's is the machine's, to the millisecond."""
    if connection.dialect.name == "sqlite":
        text = connection.scalar(select(func.strftime("%Y-%m-%dT%H:%M:%f", "now")))
        return datetime.fromisoformat(f"{text}+00:00")
    now = connection.scalar(select(func.clock_timestamp()))
    assert isinstance(now, datetime)
    return now.astimezone(UTC)
