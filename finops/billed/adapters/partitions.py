"""Raw rows in, the parquet files of their billing periods out, with sums and faults."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import duckdb

from controlplane.problems import Problem, has_errors
from finops.billed.adapters.fault_search import FaultSearch, RawRows, problems_from
from finops.billed.adapters.folder import CHARGES, DAILY, TAGS
from finops.billed.adapters.session import Session, first_line
from finops.billed.adapters.staging import Staged, grouped
from finops.billed.adapters.tag_table import write_tags
from finops.billed.ledger.partition import Input, Money, Partition, PartitionKey, ServiceMoney
from finops.billed.model import CostSource
from finops.billed.normalising.rows import OUTPUT, UnreadableColumn, row_reader
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
    try:
        return _Maker(making, session, raw).run(problems)
    except duckdb.Error as error:
        message = f"the files cannot be read together: {first_line(error)}"
        return [], [*problems, Problem(making.source.path, 1, 1, "", message, rule="damaged-file")]
    finally:
        session.close()


@dataclass(slots=True)
class _Maker:
    making: Making
    session: Session
    raw: Sequence[RawRows]
    made: list[Made] = field(default_factory=list)

    def run(self, problems: list[Problem]) -> tuple[list[Made], list[Problem]]:
        rows = sum(each.rows + len(each.rejected) for each in self.making.staged)
        if not rows:
            problem = Problem(self.making.staged[0].shown, 1, 1, "", "there are no rows", rule="no-rows")
            return [], [*problems, problem]
        periods = self._periods()
        if not periods:
            search = FaultSearch(self.session, self.raw, None, takes_strays=True)
            return [], [*problems, *problems_from(search.found(), "no row has a BillingPeriodStart that can be read")]
        if len(periods) > _MAX_PERIODS:
            message = f"{len(periods)} billing periods; {_MAX_PERIODS} at most are read together"
            return [], [*problems, Problem(self.making.source.path, 1, 1, "", message, rule="too-many-periods")]
        for place, period in enumerate(periods):
            takes_strays = period == periods[0]
            self.making.report("Writing the ledger", place / len(periods))
            made, wrong = self._make(period, takes_strays=takes_strays, only=len(periods) == 1)
            problems = [*problems, *wrong]
            self.made.append(made)
        return ([], problems) if has_errors(problems) else (self.made, problems)

    def _periods(self) -> list[date]:
        parts = " UNION ALL ".join(
            f"SELECT DISTINCT CAST({each.reader.period} AS DATE) FROM {each.sql}" for each in self.raw
        )
        found = self.session.run(f"SELECT DISTINCT * FROM ({parts}) ORDER BY 1", self._paths())
        return [row[0] for row in found if row[0] is not None]

    def _paths(self) -> list[object]:
        return [[str(file.path) for file in each.files] for each in self.raw]

    def _make(self, period: date, *, takes_strays: bool, only: bool) -> tuple[Made, list[Problem]]:
        """One period. The first one takes the rows whose period cannot be read; they do not count."""
        folder = self.making.work / f"made-{len(self.made)}"
        folder.mkdir()
        with self.session.progress(lambda share: self.making.report("Writing the ledger", share)):
            self._write_charges(folder / CHARGES, period, takes_strays=takes_strays, only=only)
        self._roll_up(folder / CHARGES)
        aliases = self.making.source.tag_aliases
        tag_faults = write_tags(self.session, folder / TAGS, self.making.work / "tags.ndjson", aliases)
        self._write_daily(folder / DAILY)
        search = FaultSearch(self.session, self.raw, period, takes_strays=takes_strays)
        suspects, quarantined, quarantined_money = self._set_apart(folder / CHARGES)
        money = self._money()
        found = [*(search.found() if suspects else []), *search.of_tags(tag_faults), *search.of_currencies(money)]
        rejected = sum(len(each.rejected) for each in self.making.staged) if takes_strays else 0
        if rejected:
            found.append(search.of_shape())
        partition = Partition(
            key=PartitionKey(self.making.source.name, period),
            folder="",
            fingerprint=self.making.fingerprint,
            imported_at=self.making.now,
            rows=sum(each.rows for each in money),
            quarantined=quarantined + rejected,
            until=self._until(),
            money=money,
            quarantined_money=quarantined_money,
            services=self._services(),
            inputs=tuple(Input(each.shown, each.size, each.sha256, each.rows + len(each.rejected), each.schema.version)
                         for each in self.making.staged),
            faults=tuple(found),
            payers=self._payers(),
        )  # fmt: skip
        self.session.run("DROP TABLE daily")
        return Made(partition, folder), list(self._refusals(partition))

    def _write_charges(self, target: Path, period: date, *, takes_strays: bool, only: bool) -> None:
        parts, first = [], 0
        for each in self.raw:
            selected = ", ".join(f"{expression} AS {name}" for name, expression in each.reader.selected.items())
            strays = " OR period IS NULL" if takes_strays else ""
            where = "" if only and takes_strays else f" WHERE CAST(period AS DATE) = DATE '{period}'{strays}"
            parts.append(
                f"SELECT * EXCLUDE (period) FROM (SELECT {selected}, {each.reader.period} AS period, "
                f"({each.reader.quarantined}) AS quarantined, coalesce({each.reader.suspect}, FALSE) AS suspect, "
                f"file_index + {first} AS file, file_row_number AS row FROM {each.sql}){where}"
            )
            first += len(each.files)
        kept = ", ".join(OUTPUT.values())
        self.session.run(
            f"COPY (SELECT {kept}, quarantined, CASE WHEN suspect OR quarantined THEN file END AS file, "
            f"CASE WHEN suspect OR quarantined THEN row END AS row FROM ({' UNION ALL '.join(parts)})) "
            f"TO '{target}' (FORMAT parquet)",
            self._paths(),
        )

    def _roll_up(self, charges: Path) -> None:
        sums = ", ".join(f"sum({name}) AS {name}" for name in _SUMMED)
        missing = ", ".join(f"count(*) - count({name}) AS {name}_missing" for name in _SUMMED[1:])
        self.session.run(
            f"CREATE TEMP TABLE daily AS SELECT CAST(start AS DATE) AS day, {', '.join(_GROUPED)}, {sums}, {missing}, "
            f"count(*) AS rows, max(account_name) AS account_name, max(until) AS until "
            f"FROM read_parquet(?) WHERE NOT quarantined GROUP BY day, {', '.join(_GROUPED)}",
            [str(charges)],
        )

    def _write_daily(self, target: Path) -> None:
        self.session.run(
            "COPY (SELECT daily.* EXCLUDE (tags), tag_sets.id AS tags FROM daily "
            f"LEFT JOIN tag_sets ON daily.tags = tag_sets.raw ORDER BY day) TO '{target}' (FORMAT parquet)"
        )
        self.session.run("DROP TABLE tag_sets")

    def _set_apart(self, charges: Path) -> tuple[int, int, tuple[Money, ...]]:
        """How many rows must be looked at, how many do not count, and their money as far as it can be read."""
        suspects = self.session.run("SELECT count(file) FROM read_parquet(?)", [str(charges)])[0][0]
        found = self.session.run(
            "SELECT coalesce(currency, ''), coalesce(sum(billed), 0), coalesce(sum(effective), 0), count(*), "
            "count(*) - count(effective) FROM read_parquet(?) WHERE quarantined GROUP BY 1 ORDER BY 1",
            [str(charges)],
        )
        money = tuple(Money(*row) for row in found)
        return suspects, sum(each.rows for each in money), money

    def _money(self) -> tuple[Money, ...]:
        found = self.session.run(
            "SELECT currency, sum(billed), coalesce(sum(effective), 0), sum(rows), sum(effective_missing) "
            "FROM daily GROUP BY 1 ORDER BY 1"
        )
        return tuple(Money(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in found)

    def _services(self) -> tuple[ServiceMoney, ...]:
        found = self.session.run(
            "SELECT coalesce(service, ''), currency, sum(billed), coalesce(sum(effective), 0) "
            "FROM daily GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return tuple(ServiceMoney(row[0], row[1], row[2], Decimal(row[3])) for row in found)

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
        elif self.making.strict and (lost := [each for each in partition.faults if each.action.value != "normalised"]):
            yield from problems_from(lost, "--strict refuses values that would be left out")
