"""The billed ledger as `CostLedger`: parquet partitions, summed up by DuckDB."""

import threading
from collections.abc import Mapping
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb

from controlplane.model.spend import SpendQuestion, SpendRow, SpendTable
from controlplane.ports import Permanent, Transient
from finops.billed.adapters.folder import CHARGES, DAILY, TAGS, LedgerFolder
from finops.billed.adapters.session import Session, first_line
from finops.billed.ledger.encoding import plain
from finops.billed.ledger.partition import Catalogue, Partition
from finops.billed.model import Dimensions
from finops.billed.query.statement import SourceFiles, statement

_MEMORY: Final = 2 * 1024**3


class BilledLedger:
    """Answers from one consistent state of the ledger, whatever is imported meanwhile. For any number of threads.

    `dimensions` are what each source declares, by its name. A charge counts on the day on which its period starts.
    """

    def __init__(self, folder: Path, dimensions: Mapping[str, Dimensions] | None = None) -> None:
        self._folder = LedgerFolder(folder)
        self._dimensions = dimensions or {}
        self._session: Session | None = None
        self._lock = threading.Lock()

    def spend(self, question: SpendQuestion) -> SpendTable:
        """As the port says. Sources that are not declared any more still count."""
        question = SpendQuestion(
            question.start.astimezone(UTC), question.end.astimezone(UTC), question.by, question.where
        )
        catalogue = self.catalogue()
        try:
            return self._answer(question, catalogue)
        except Transient:
            later = self.catalogue()
            if later.generation == catalogue.generation:
                raise
            return self._answer(question, later)  # what we had read was replaced, and swept by the import after

    def catalogue(self) -> Catalogue:
        """What was imported. Raises `Permanent` when it is damaged."""
        return self._folder.catalogue()

    def _answer(self, question: SpendQuestion, catalogue: Catalogue) -> SpendTable:
        until = max((each.until for each in catalogue.partitions.values() if each.until), default=None)
        files = self._files(catalogue)
        if not files or question.start >= question.end:
            return SpendTable(question.by, (), until)
        asked = statement(question, files, self._dimensions)
        rows = [_row(each, len(question.by)) for each in self._run(asked.sql, asked.parameters)]
        return SpendTable(question.by, tuple(sorted(rows, key=_order)), until)

    def _run(self, sql: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            if self._session is None:
                self._session = Session(folders=[self._folder.path], files=[], memory_bytes=_MEMORY, spill=None)
            try:
                return self._session.run(sql, parameters)
            except duckdb.Error as error:
                raise Permanent(f"the ledger cannot answer: {first_line(error)}") from error

    def _files(self, catalogue: Catalogue) -> list[SourceFiles]:
        by_source: dict[str, list[Partition]] = {}
        for key in sorted(catalogue.partitions):
            partition = catalogue.partitions[key]
            if partition.rows:
                by_source.setdefault(key.source, []).append(partition)
        return [
            SourceFiles(source, self._paths(parts, CHARGES), self._paths(parts, DAILY), self._paths(parts, TAGS))
            for source, parts in by_source.items()
        ]

    def _paths(self, partitions: list[Partition], name: str) -> tuple[str, ...]:
        return tuple(str(self._folder.path / each.folder / name) for each in partitions)


def open_ledger(folder: Path, dimensions: Mapping[str, Dimensions] | None = None) -> BilledLedger:
    """The billed ledger in a folder; it need not exist yet. `dimensions`: `query.dimensions.dimensions_of(sources)`."""
    return BilledLedger(folder, dimensions)


def _row(row: tuple[Any, ...], keys: int) -> SpendRow:
    currency, billed, effective, list_cost, quantity, unit, rows = row[keys:]
    return SpendRow(
        key=tuple(row[:keys]),
        currency=currency,
        effective=_exact(effective),
        billed=_exact(billed),
        list_cost=None if list_cost is None else _exact(list_cost),
        quantity=None if quantity is None else _exact(quantity),
        unit=unit,
        rows=rows,
    )


def _exact(value: Decimal | int) -> Decimal:
    """Without zeros at its end."""
    return Decimal(plain(Decimal(value)))


def _order(row: SpendRow) -> tuple[tuple[tuple[bool, str], ...], str]:
    return tuple((False, "") if each is None else (True, each) for each in row.key), row.currency
