"""Cost files made ready for DuckDB: fetched, unpacked, looked at once, and turned into parquet of raw text."""

import csv
import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from controlplane.problems import Problem
from finops.billed.adapters import csv_scan
from finops.billed.adapters.csv_scan import Refused, Scanned, refuse
from finops.billed.adapters.session import Session, first_line
from finops.billed.adapters.trees import Listed, Tree
from finops.billed.columns import Schema, duplicates_in, schema_of
from finops.billed.model import Bounds
from finops.billed.normalising.reading import identifier, text
from finops.billed.reading.csv_header import header_of, header_problems, missing_problems

_MAX_REJECTS: Final = 1_000_000
_ZSTD_HINT: Final = "unpack it first; gzip (.csv.gz) and parquet are read as they are"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row of a CSV file that is no row: `record` counts records from 1, the header among them."""

    record: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A file that DuckDB can read: `path` is parquet, `original` what it was made of (None: itself).

    `is_ours`: nobody else needs that file. `rows` is what it holds, `rejected` rows left out.
    """

    name: str
    shown: str
    size: int
    sha256: str
    path: Path
    scanned: Scanned | None = None
    is_ours: bool = False
    rows: int = 0
    columns: tuple[tuple[str, str], ...] = ()
    schema: Schema = field(default_factory=lambda: Schema({}, "1.0"))
    rejected: tuple[Rejected, ...] = ()

    def record_of(self, index: int) -> int:
        """The data row (from 1) of a row of `path` (from 0): rejected ones lie between."""
        record = index + 1
        left_out = [each.record - 1 for each in self.rejected]
        while True:
            moved = index + 1 + bisect_right(left_out, record)
            if moved == record:
                return record
            record = moved

    @property
    def has_a_line_each(self) -> bool:
        """Whether every record of a text stands on a line of its own, and every line has one."""
        assert self.scanned is not None
        lines = self.scanned.lines + (0 if self.scanned.ends_with_break else 1)
        return lines == self.rows + len(self.rejected) + 1

    def lines_of(self, records: Iterable[int]) -> Mapping[int, int]:
        """The lines on which data rows (from 1) begin; empty for files that have no lines."""
        wanted = set(records)
        if self.scanned is None or not wanted:
            return {}
        if self.has_a_line_each:
            return {record: record + 1 for record in wanted}
        return _counted_lines(self.path.with_suffix(".text"), wanted)


def _counted_lines(path: Path, wanted: set[int]) -> Mapping[int, int]:
    found: dict[int, int] = {}
    last = max(wanted)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader, begins, record = csv.reader(file), 1, 0
            for fields in reader:
                if fields:  # a blank line is no record
                    if record in wanted:
                        found[record] = begins
                    record += 1
                begins = reader.line_num + 1
                if record > last:
                    break
    except (OSError, csv.Error):
        return found
    return found


def _without_blank_lines(path: Path, rejected: Sequence[Rejected]) -> tuple[Rejected, ...]:
    """DuckDB counts blank lines among the records; we do not."""
    wanted = {each.record for each in rejected}
    last, records = max(wanted), 0
    found: dict[int, int] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for place, fields in enumerate(csv.reader(file), 1):
                records += 1 if fields else 0
                if place in wanted:
                    found[place] = records
                if place >= last:
                    break
    except csv.Error:  # a field that is too large for Python: places behind it stay as DuckDB counts them
        pass
    return tuple(replace(each, record=found.get(each.record, each.record)) for each in rejected)


def fetch(tree: Tree, listed: Listed, folder: Path, bounds: Bounds, seen: Callable[[int], None]) -> Staged:
    """Get a file and look at all of its bytes. Raises `Refused`."""
    shown = tree.shown(listed.name)
    if listed.size == 0:
        raise refuse(shown, "the file is empty", rule="empty-file")
    if listed.size > bounds.file_bytes:
        hint = "bounds.fileBytes of the CostSource allows more"
        raise refuse(shown, f"more than {bounds.file_bytes:,} bytes", hint=hint, rule="too-large")
    path = tree.local(listed.name, folder, seen)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == csv_scan.PARQUET_MAGIC:
        return replace(_parquet(path, listed, shown, seen), is_ours=path.parent == folder)
    if magic.startswith(csv_scan.ZIP_MAGIC):
        raise refuse(shown, "a zip archive is not read", hint=_ZSTD_HINT, rule="archive")
    if magic == csv_scan.ZSTD_MAGIC:
        raise refuse(shown, "text packed with zstd is not read", hint=_ZSTD_HINT, rule="archive")
    if listed.name.lower().endswith((".parquet", ".parq", ".pq")):
        raise refuse(shown, "this is no parquet: it does not begin with PAR1", rule="damaged-file")
    target = folder / f"{hashlib.sha256(listed.name.encode()).hexdigest()[:24]}.text"
    if magic.startswith(csv_scan.GZIP_MAGIC):
        scanned = csv_scan.unpack_gzip(path, target, shown, bounds, seen)
    else:
        scanned = csv_scan.scan_text(path, shown, bounds, seen)
        target.symlink_to(path.absolute())
    if scanned.mixed:  # DuckDB wants to see one kind of line break
        unified = target.with_suffix(".unified")
        csv_scan.unify_breaks(target, unified)
        unified.replace(target)
    return Staged(listed.name, shown, listed.size, scanned.sha256, target, scanned)


def _parquet(path: Path, listed: Listed, shown: str, seen: Callable[[int], None]) -> Staged:
    digest, end = hashlib.sha256(), b""
    with path.open("rb") as file:
        while chunk := file.read(csv_scan.CHUNK * 4):
            digest.update(chunk)
            end = (end + chunk)[-4:]
            seen(len(chunk))
    if end != csv_scan.PARQUET_MAGIC:
        message, hint = "the parquet file has no end: it is half written", "import it again when it is complete"
        raise refuse(shown, message, hint=hint, rule="half-written")
    return Staged(listed.name, shown, listed.size, digest.hexdigest(), path)


def described(staged: Staged, session: Session) -> tuple[Staged, list[Problem]]:
    """With its columns; and what keeps it from being read."""
    if staged.scanned is not None:
        return _with_header(staged)
    import duckdb  # which takes long; most workspaces have no bills

    source = "read_parquet(?)"
    try:
        columns = tuple(session.describe(f"SELECT * FROM {source}", [[str(staged.path)]]))
        rows = session.run(f"SELECT count(*) FROM {source}", [[str(staged.path)]])[0][0]
    except duckdb.Error as error:
        message = f"the parquet file cannot be read: {first_line(error)}".replace(str(staged.path), staged.shown)
        return staged, [Problem(staged.shown, 1, 1, "", message, rule="damaged-file")]
    names = tuple(name for name, _ in columns)
    places = list(range(1, len(names) + 1))
    problems = [
        Problem(staged.shown, 1, place, name, "a second column of this name", rule="duplicate-column")
        for place, name in duplicates_in(names)
    ]
    problems += missing_problems(staged.shown, names, places)
    return replace(staged, columns=columns, rows=rows, schema=schema_of(columns)), problems


def _with_header(staged: Staged) -> tuple[Staged, list[Problem]]:
    assert staged.scanned is not None
    header = header_of(staged.scanned.head)
    problems = list(header_problems(staged.shown, header))
    names = tuple(name if name.strip() else f"#{place}" for place, name in enumerate(header.names, 1))
    columns = tuple((name, "VARCHAR") for name in names)
    return replace(staged, columns=columns, schema=schema_of(columns)), problems


def as_parquet(staged: Staged, session: Session, bounds: Bounds) -> Staged:
    """A CSV file as parquet of text, in its order; rows that are none are set apart. Raises `Refused`."""
    if staged.scanned is None:
        return staged
    target = staged.path.with_suffix(".parquet")
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name, _ in staged.columns)
    sql = (
        f"COPY (SELECT {_kept(staged)} FROM read_csv(?, auto_detect = false, header = true, columns = {{{columns}}}, "
        f"""delim = ',', quote = '"', escape = '"', max_line_size = {bounds.line_bytes * 2}, ignore_errors = true, """
        f"store_rejects = true, rejects_limit = {_MAX_REJECTS})) TO {text(str(target))} (FORMAT parquet)"
    )
    import duckdb

    try:
        rows = session.run(sql, [str(staged.path)])[0][0]
        found = session.run(
            "SELECT line, min(column_idx), any_value(left(csv_line, 300)) FROM reject_errors "
            "WHERE scan_id = (SELECT max(scan_id) FROM reject_scans) GROUP BY line ORDER BY line"
        )
    except duckdb.Error as error:
        message = f"the text cannot be read as CSV: {first_line(error)}".replace(str(staged.path), staged.shown)
        raise refuse(staged.shown, message, rule="csv-broken") from None
    rejected = tuple(Rejected(line, column or 1, content) for line, column, content in found)
    if len(rejected) >= _MAX_REJECTS:
        raise refuse(staged.shown, "more than a million rows that are none", rule="csv-broken")
    made = replace(staged, path=target, is_ours=True, rows=rows, rejected=rejected)
    if rejected and not made.has_a_line_each:
        made = replace(made, rejected=_without_blank_lines(staged.path, rejected))
    _ensure_complete(made)
    return made


def _kept(staged: Staged) -> str:
    """Only columns that somebody reads."""
    return ", ".join(identifier(column.name) for column in staged.schema.columns.values())


def _ensure_complete(staged: Staged) -> None:
    """A last row that breaks off, without a line break after it, is one that is being written."""
    assert staged.scanned is not None
    if not staged.rejected or staged.scanned.ends_with_break:
        return
    last = staged.rows + len(staged.rejected) + 1
    if staged.rejected[-1].record == last:
        message = "the last row breaks off: the file is half written"
        hint = "import it again when it is complete"
        raise refuse(staged.shown, message, line=staged.scanned.lines + 1, hint=hint, rule="half-written")


def grouped(files: Sequence[Staged]) -> list[list[Staged]]:
    """Files whose columns we know have the same names and types."""
    groups: dict[object, list[Staged]] = {}
    for each in files:
        signature = tuple(sorted((name, column.name, column.type) for name, column in each.schema.columns.items()))
        groups.setdefault(signature, []).append(each)
    return list(groups.values())


__all__ = ("Refused", "Rejected", "Staged", "as_parquet", "described", "fetch", "grouped")
