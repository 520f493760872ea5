"""DuckDB, kept to the files that it is shown: no extension, no network, no other folder."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from controlplane.ports import Transient

_POLL_SECONDS: Final = 0.25
Progress = Callable[[float], None]


class Session:
    """One in-memory DuckDB. Not for several threads at once."""

    def __init__(
        self,
        *,
        folders: Sequence[Path],
        files: Sequence[Path],
        memory_bytes: int,
        spill: Path | None,
        in_order: bool = False,
    ) -> None:
        config: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        import duckdb  # which takes long; most workspaces have no bills

        self._connection = duckdb.connect(":memory:", config=config)
        self.run("SET TimeZone = 'UTC'")
        self.run("SET enable_progress_bar = true")  # for `progress`: it counts only then
        self.run("SET enable_progress_bar_print = false")
        self.run(f"SET preserve_insertion_order = {str(in_order).lower()}")
        self.run(f"SET memory_limit = '{memory_bytes // 1024**2}MiB'")
        # What is spilled lies within the folders that it may touch.
        self.run("SET temp_directory = ?", [str(spill)] if spill else [""])
        self.run("SET allowed_directories = ?", [[str(each) for each in folders]])
        self.run("SET allowed_paths = ?", [[str(each) for each in files]])
        self.run("SET enable_external_access = false")
        self.run("SET lock_configuration = true")

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Every row of the answer. Raises `Transient` when memory or disk run out, `duckdb.Error` otherwise."""
        import duckdb

        try:
            return self._connection.execute(sql, list(parameters)).fetchall()
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            raise Transient(f"DuckDB could not finish: {first_line(error)}") from error

    def describe(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[str, str]]:
        """Names and types of a query's columns."""
        return [(row[0], row[1]) for row in self.run(f"DESCRIBE {sql}", parameters)]

    @contextmanager
    def progress(self, report: Progress) -> Iterator[None]:
        """Tells the share that is done of the statement that runs inside."""
        done = threading.Event()
        self._connection.execute("SELECT 1")

        def poll() -> None:
            while not done.wait(_POLL_SECONDS):
                share = self._connection.query_progress()
                if share > 0:
                    report(min(share / 100, 1.0))

        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def close(self) -> None:
        """Give back its memory."""
        self._connection.close()


def first_line(error: BaseException) -> str:
    """What DuckDB says, without the query."""
    return str(error).split("\n", 1)[0].strip()
