"""Transactions that others wait for are cut off soon when their process goes silent between two statements."""

from typing import Final

from sqlalchemy import Connection, text

SECONDS: Final = 8  # so that another replica leads within 15 seconds, and nobody waits longer to write
_SETTING: Final = "idle_in_transaction_session_timeout"
_CUT: Final = text(
    f"SELECT set_config('{_SETTING}', "  # noqa: S608 -- constants
    f"(least({SECONDS}, extract(epoch FROM current_setting('{_SETTING}')::interval)) * 1000)::int::text, true)"
)


def cut_off_when_silent(connection: Connection) -> None:
    """Let PostgreSQL end this transaction after so long a silence, or the connection's own limit if that is shorter.

    A process that is stopped (SIGSTOP, a frozen machine) keeps its locks as long as its connection. SQLite has no
    such thing: who shares its file is on the same machine.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_CUT)
