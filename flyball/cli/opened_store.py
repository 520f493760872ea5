"""The store as commands use it: with its tables, and with an end for everything that it says when it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flyball.cli import ExitCode
from flyball.cli.declared import fail

if TYPE_CHECKING:
    from controlplane.store import SqlStore


@contextmanager
def opened_store(
    url: str, command: str, refused: type[Exception] | tuple[type[Exception], ...] = ()
) -> "Iterator[SqlStore]":
    """Good until the block ends. What the database says when it fails, and what is `refused`, ends the program."""
    from controlplane.ports import Permanent, Transient
    from controlplane.store import migrate, open_store

    try:
        migrate(url)
        store = open_store(url)
        try:
            yield store
        finally:
            store.close()
    except (Transient, Permanent) as error:
        fail(f"flyball {command}: {error}", ExitCode.OUTSIDE)
    except refused as error:
        fail(f"flyball {command}: {error}", ExitCode.PROBLEMS)
