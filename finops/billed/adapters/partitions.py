"""Raw rows in, the parquet files of their billing periods out, with sums and faults."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.problems import Problem, has_errors
from finops.billed.adapters.fault_search import FaultSearch, RawRows, problems_from
from finops.billed.adapters.folder import DAILY, RAW, TAGS
from finops.billed.adapters.session import Session, first_line
from finops.billed.adapters.staging import Staged, grouped
from finops.billed.adapters.tag_table import write_tags
from finops.billed.faults import Action, Found
from finops.billed.ledger.partition import Input, Money, Partition, PartitionKey, ServiceMoney
from finops.billed.model import CostSource
from finops.billed.normalising.reading import text
from finops.billed.normalising.rows import NEEDED, UnreadableColumn, row_reader
from finops.billed.reading.batches import Batch

_SUMMED: Final = ("billed", "effective", "list", "quantity")
_GROUPED: Final = (
    "service", "service_category", "provider", "billing_account", "account", "region", "category", "class",
    "commitment", "commitment_id", "currency", "unit", "tags",
)  # fmt: skip
_AHEAD: Final = timedelta(days=1)  # a usage's end may be that far ahead of our clock
_MAX_PAYERS: Final = 1_000
_MAX_PERIODS: Final = 600
Report = Callable[[str, float | None], None]


@dataclass(frozen=True, slots=True)
class Making:
    """What partitions are made of."""

    source: CostSource
    batch: Batch
    staged: Sequence[Staged]
    fingerprint: str
    now: datetime
    work: Path
    strict: bool
    report: Report


@dataclass(frozen=True, slots=True)
class Made:
    """A partition that is ready to be put in its place; it lies in `folder`."""

    partition: Partition
    folder: Path


def make_partitions(making: Making, problems: list[Problem]) -> tuple[list[Made], list[Problem]]:
    """The partitions of a batch; nothing is made when something is wrong. `problems` are those known so far."""
    groups = grouped(making.staged)
    try:
        raw = [RawRows(files, row_reader(files[0].schema, making.source.currencies)) for files in groups]
    except UnreadableColumn as error:
        message = f"the column has the type {error.type}, which holds no such values"
        place = Problem(making.staged[0].shown, 1, error.ordinal, error.column, message, rule="column-type")
        return [], [*problems, place]
    session = Session(
        folders=[making.work], files=[each.path.resolve() for each in making.staged],
        memory_bytes=making.source.bounds.memory_bytes, spill=making.work / "spill",
    )  # fmt: skip
    import duckdb  # which takes long; most workspaces have no bills

    try:
        return _Maker(making, session, raw).run(problems)
    except duckdb.Error as error:
        message = f"the files cannot be read: {first_line(error)}"
        return [], [*problems, Problem(making.source.path, 1, 1, "", message, rule="damaged-file")]
    finally:
        session.close()


@dataclass(slots=True)
class _Maker:
    making: Making
    session: Session
    raw: Sequence[RawRows]
    suspicious: frozenset[str] = frozenset()
    made: list[Made] = field(default_factory=list)

    def run(self, problems: list[Problem]) -> tuple[list[Made], list[Problem]]:
        """Every period of the batch."""
        if not sum(each.rows + len(each.rejected) for each in self.making.staged):
            problem = Problem(self.making.staged[0].shown, 1, 1, "", "there are no rows", rule="no-rows")
            return [], [*problems, problem]
        self.suspicious = FaultSearch(self.session, self.raw, None).suspicious()
        periods = self._periods()
        if not periods:
            found = [*FaultSearch(self.session, self.raw, None, self.suspicious).found(), *self._rejected()]
            return [], [*problems, *problems_from(found, "no row can be read")]
        if len(periods) > _MAX_PERIODS:
            message = f"{len(periods)} billing periods; {_MAX_PERIODS} at most are read together"
            return [], [*problems, Problem(self.making.source.path, 1, 1, "", message, rule="too-many-periods")]
        for place, period in enumerate(periods):
            with self.session.progress(self._progress(place, len(periods))):
                made, wrong = self._make(period, takes_strays=not place, only=len(periods) == 1)
            problems = [*problems, *wrong]
            self.made.append(made)
        return ([], problems) if has_errors(problems) else (self.made, problems)

    def _progress(self, place: int, of: int) -> Callable[[float], None]:
        return lambda share: self.making.report("Summing up", (place + share) / of)

    def _periods(self) -> list[date]:
        parts = " UNION ".join(
            f"SELECT DISTINCT CAST({each.reader.period} AS DATE) FROM {each.sql}" for each in self.raw
        )
        found = self.session.run(f"SELECT * FROM ({parts}) ORDER BY 1", [each.paths for each in self.raw])
        return [row[0] for row in found if row[0] is not None]

    def _make(self, period: date, *, takes_strays: bool, only: bool) -> tuple[Made, list[Problem]]:
        """One period. The first one takes the rows whose period cannot be read; they do not count."""
        folder = self.making.work / f"made-{self.making.fingerprint[:16]}-{len(self.made)}"  # batches share the folder
        folder.mkdir()
        search = FaultSearch(self.session, self.raw, None if only else period, self.suspicious, takes_strays)
        self._roll_up(search)
        tag_faults = write_tags(
            self.session, folder / TAGS, self.making.work / "tags.ndjson", self.making.source.tag_aliases
        )
        self._write_daily(folder / DAILY)
        partition = self._partition(period, search, tag_faults, self._rejected() if takes_strays else [])
        self.session.run("DROP TABLE daily")
        self._keep_raw(folder, search)  # last: what is ours is moved, and nothing may look for it afterwards
        return Made(partition, folder), list(self._refusals(partition))

    def _partition(
        self, period: date, search: FaultSearch, tag_faults: Sequence[tuple[str, str, int]], rejected: Sequence[Found]
    ) -> Partition:
        money = self._money()
        quarantined = search.quarantined_money() if self.suspicious.intersection(NEEDED) else ()
        faults = [*search.found(), *search.of_tags(tag_faults), *search.of_currencies(money), *rejected]
        return Partition(
            key=PartitionKey(self.making.source.name, period),
            folder="",
            fingerprint=self.making.fingerprint,
            imported_at=self.making.now,
            rows=sum(each.rows for each in money),
            quarantined=sum(each.rows for each in quarantined) + sum(each.rows for each in rejected),
            until=self._until(),
            money=money,
            quarantined_money=quarantined,
            services=self._services(),
            inputs=tuple(_input(each) for each in self.making.staged),
            faults=tuple(faults),
            payers=self._payers(),
            currencies=self.making.source.currencies,
        )

    def _rejected(self) -> list[Found]:
        """Rows of CSV files that are none."""
        found = FaultSearch(self.session, self.raw, None).of_shape()
        return [found] if found.rows else []

    def _keep_raw(self, folder: Path, search: FaultSearch) -> None:
        """The rows as the provider wrote them: what a period's files hold, without rows of other periods."""
        number = 0
        for each in self.raw:
            if search.period is None:
                for file in each.files:
                    _keep(file, folder / RAW.format(number=number))
                    number += 1
                continue
            target = folder / RAW.format(number=number)
            sql = f"COPY (SELECT * FROM {each.sql} WHERE {search.within(each)}) TO {text(str(target))} (FORMAT parquet)"
            self.session.run(sql, [each.paths])
            number += 1

    def _roll_up(self, search: FaultSearch) -> None:
        kept = (*_GROUPED, *_SUMMED, "start", "until", "account_name")
        counts = "NOT ({})" if self.suspicious.intersection(NEEDED) else "TRUE"
        parts = " UNION ALL ".join(
            f"SELECT {', '.join(f'{each.reader.selected[name]} AS {name}' for name in kept)} FROM {each.sql} "
            f"WHERE {counts.format(each.reader.quarantined)} AND {search.within(each)}"
            for each in self.raw
        )
        sums = ", ".join(f"sum({name}) AS {name}" for name in _SUMMED)
        missing = ", ".join(f"count(*) - count({name}) AS {name}_missing" for name in _SUMMED[1:])
        self.session.run(
            f"CREATE TEMP TABLE daily AS SELECT CAST(start AS DATE) AS day, {', '.join(_GROUPED)}, {sums}, {missing}, "
            f"count(*) AS rows, max(account_name) AS account_name, max(until) AS until "
            f"FROM ({parts}) GROUP BY day, {', '.join(_GROUPED)}",
            [each.paths for each in self.raw],
        )

    def _write_daily(self, target: Path) -> None:
        self.session.run(
            "COPY (SELECT daily.* EXCLUDE (tags), tag_sets.id AS tags FROM daily "
            f"LEFT JOIN tag_sets ON daily.tags = tag_sets.raw) TO {text(str(target))} (FORMAT parquet)"
        )
        self.session.run("DROP TABLE tag_sets")

    def _money(self) -> tuple[Money, ...]:
        found = self.session.run(
            "SELECT currency, sum(billed), coalesce(sum(effective), 0), CAST(sum(rows) AS BIGINT), "
            "CAST(sum(effective_missing) AS BIGINT) FROM daily GROUP BY 1 ORDER BY 1"
        )
        return tuple(Money(*row) for row in found)

    def _services(self) -> tuple[ServiceMoney, ...]:
        found = self.session.run(
            "SELECT coalesce(service, ''), currency, sum(billed), coalesce(sum(effective), 0) "
            "FROM daily GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return tuple(ServiceMoney(*row) for row in found)

    def _payers(self) -> tuple[str, ...]:
        found = self.session.run(
            "SELECT DISTINCT concat_ws(' ', provider, billing_account) AS payer FROM daily "
            f"WHERE payer <> '' ORDER BY 1 LIMIT {_MAX_PAYERS}"
        )
        return tuple(row[0] for row in found)

    def _until(self) -> datetime | None:
        """The end of the latest usage; fees and taxes of a whole month would reach into days that are not over."""
        latest = (self.making.now + _AHEAD).astimezone(UTC).replace(tzinfo=None)
        found = self.session.run(
            "SELECT coalesce(max(until) FILTER (WHERE category = 'Usage'), max(until)) FROM daily WHERE until <= ?",
            [latest],
        )[0][0]
        return found.replace(tzinfo=UTC) if found is not None else None

    def _refusals(self, partition: Partition) -> Iterator[Problem]:
        """Why a period does not count as a whole: too much of it cannot be read, or nothing may be lost (`strict`)."""
        total = partition.rows + partition.quarantined
        share = self.making.source.bounds.quarantined_share
        if partition.quarantined > share * total:
            message = (
                f"{partition.quarantined:,} of {total:,} rows of {partition.key.period_name} cannot count; "
                f"with more than {share:%} the period is refused"
            )
            yield from problems_from(partition.faults, message)
        elif self.making.strict:
            yield from left_out(partition)


def left_out(partition: Partition) -> Iterator[Problem]:
    """What `strict` refuses: rows in quarantine, fields without their value."""
    lost = [each for each in partition.faults if each.action is not Action.NORMALISED]
    yield from problems_from(lost, "--strict refuses values that would be left out")


def _keep(file: Staged, target: Path) -> None:
    if file.is_ours:
        shutil.move(file.path, target)
    else:
        shutil.copyfile(file.path, target)


def _input(file: Staged) -> Input:
    return Input(file.shown, file.size, file.sha256, file.rows + len(file.rejected), file.schema.version)
