"""The billed ledger as `CostLedger`: parquet partitions, summed up by DuckDB."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

from controlplane.model.spend import SpendQuestion, SpendRow, SpendTable
from controlplane.ports import Permanent, Transient
from finops.billed.adapters.folder import DAILY, RAW_PATTERN, TAGS, LedgerFolder
from finops.billed.adapters.session import Session, first_line
from finops.billed.columns import Schema, schema_of
from finops.billed.ledger.partition import Catalogue, Partition
from finops.billed.model import Dimensions
from finops.billed.normalising.rows import row_reader
from finops.billed.query.statement import Charges, SourceFiles, needs_charges, statement

_MEMORY: Final = 2 * 1024**3
_DIGITS: Final = Context(prec=76)  # twice what DuckDB's decimals have: nothing is rounded


class BilledLedger:
    """Answers from one consistent state of the ledger, whatever is imported meanwhile. For any number of threads.

    Dimensions are what each source declared when it was last imported, unless `dimensions` says otherwise, by the
    source's name. A charge counts on the day on which its period starts.
    """

    def __init__(self, folder: Path, dimensions: Mapping[str, Dimensions] | None = None) -> None:
        self._folder = LedgerFolder(folder)
        self._said = dimensions or {}
        self._session: Session | None = None
        self._schemas: dict[str, Schema] = {}
        self._lock = threading.Lock()

    def spend(self, question: SpendQuestion) -> SpendTable:
        """As the port says. Sources that are not declared any more still count."""
        question = replace(question, start=question.start.astimezone(UTC), end=question.end.astimezone(UTC))
        catalogue = self.catalogue()
        with self._lock:
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
        if question.start >= question.end:
            return SpendTable(question.by, (), until)
        files = self._files(question, catalogue)
        if not files:
            return SpendTable(question.by, (), until)
        asked = statement(question, files, {**catalogue.dimensions, **self._said})
        rows = self._run(asked.sql, asked.parameters)
        return SpendTable(question.by, tuple(_row(each, len(question.by)) for each in rows), until)

    def _duckdb(self) -> Session:
        if self._session is None:
            self._session = Session(folders=[self._folder.path], files=[], memory_bytes=_MEMORY, spill=None)
        return self._session

    def _run(self, sql: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        import duckdb  # which takes long; most workspaces have no bills

        try:
            return self._duckdb().run(sql, parameters)
        except duckdb.Error as error:
            raise Permanent(f"the ledger cannot answer: {first_line(error)}") from error

    def _files(self, question: SpendQuestion, catalogue: Catalogue) -> list[SourceFiles]:
        by_source: dict[str, list[Partition]] = {}
        for key in sorted(catalogue.partitions):
            if catalogue.partitions[key].rows:
                by_source.setdefault(key.source, []).append(catalogue.partitions[key])
        found, dimensions = [], {**catalogue.dimensions, **self._said}
        for source, parts in by_source.items():
            folders = [self._folder.path / each.folder for each in parts]
            detailed = needs_charges(question, dimensions.get(source, {}))
            found.append(
                SourceFiles(
                    source,
                    tuple(str(folder / DAILY) for folder in folders),
                    tuple(str(folder / TAGS) for folder in folders),
                    self._charges(parts, folders) if detailed else (),
                )
            )
        return found

    def _charges(self, partitions: Sequence[Partition], folders: Sequence[Path]) -> tuple[Charges, ...]:
        groups: dict[object, list[tuple[str, int, Schema, Partition]]] = {}
        for place, (partition, folder) in enumerate(zip(partitions, folders, strict=True)):
            for path in sorted(folder.glob(RAW_PATTERN)):
                schema = self._schema(str(path))
                columns = tuple(sorted((name, each.name, each.type) for name, each in schema.columns.items()))
                signature = (columns, partition.currencies, partition.quarantined == 0, _currency_of(partition))
                groups.setdefault(signature, []).append((str(path), place, schema, partition))
        found = []
        for files in groups.values():
            _, _, schema, partition = files[0]
            paths, places = tuple(path for path, _, _, _ in files), tuple(place for _, place, _, _ in files)
            reader = row_reader(schema, partition.currencies)
            found.append(Charges(paths, places, reader, partition.quarantined == 0, _currency_of(partition)))
        return tuple(found)

    def _schema(self, path: str) -> Schema:
        """Of a raw file; it never changes."""
        if path not in self._schemas:
            self._schemas[path] = schema_of(self._duckdb().describe("SELECT * FROM read_parquet(?)", [[path]]))
        return self._schemas[path]


def _currency_of(partition: Partition) -> str:
    """The currency of all rows that count; empty when there are several."""
    return partition.money[0].currency if len(partition.money) == 1 else ""


def open_ledger(folder: Path, dimensions: Mapping[str, Dimensions] | None = None) -> BilledLedger:
    """The billed ledger in a folder; it need not exist yet. `dimensions` replace those of the last import."""
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
    """Without zeros at its end, and without rounding."""
    return Decimal(value).normalize(_DIGITS)
