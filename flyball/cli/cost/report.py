"""`flyball cost report`: what was spent."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.cost.ledgers import declared_ledger
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.spend import SpendQuestion, SpendTable
    from finops.billed.adapters.duckdb_ledger import BilledLedger
    from finops.billed.currencies import UsedRate
    from finops.billed.ledger.partition import Catalogue
    from flyball.settings import Settings

_USUAL_DAYS: Final = 30
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_LIVE_DAYS: Final = 3650  # further back no Prometheus is asked
_SHOWN_ROWS: Final = 50


class LedgerName(Enum):
    """Whose figures."""

    BILLED = "billed"
    ESTIMATED = "estimated"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question, and how it is answered."""

    question: "SpendQuestion"
    currency: str
    as_json: bool
    as_csv: bool
    everything: bool


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="The first day, UTC: 2026-11-01.")] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="DAY", help="The day after the last one, UTC.", show_default="tomorrow")
    ] = "",
    by: Annotated[
        str,
        typer.Option(metavar="NAMES", help="hour, day, month, service, provider, account, region, tag:NAME, …"),
    ] = "service",
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only these; repeated: any of the values. NAME= means without one."),
    ] = None,
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Convert by the ExchangeRates of the workspace; names the rates used.")
    ] = "",
    ledger: Annotated[
        LedgerName, typer.Option(help="What was billed, what is estimated, or both.")
    ] = LedgerName.BILLED,
    everything: Annotated[bool, typer.Option("--all", help="All time, and every row of the table.")] = False,
    faults: Annotated[
        bool, typer.Option("--faults", help="Faulty values of the imported files, by row and column, instead.")
    ] = False,
    cost_directory: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The ledger; by default that of flyball.yaml.")
    ] = None,
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Of the estimated ledger; by default that of flyball.yaml.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, decimals as strings, with totals.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, exact decimals.")] = False,
) -> None:
    """Say what was spent: exact sums by any dimension, of the bills that were imported or of the live estimate.

    Effective cost is amortised (allocation, unit costs), billed cost is what the invoice says. Currencies are never
    added up unless --currency asks for one and every day has a rate. The last 30 days by default.

    Exit status: 0 when there is an answer, 1 when files have mistakes or a rate is missing, 3 when the ledger or
    Prometheus can't be read.

    \b
    Examples:
      flyball cost report
      flyball cost report --from 2026-10-01 --to 2026-11-01 --by service,tag:team
      flyball cost report --by day --where service=checkout --where tag:env=prod
      flyball cost report --currency EUR --by month --all
      flyball cost report --json --all | jq '.total_effective_cost, .total_billed_cost'
      flyball cost report --faults --csv > faults.csv
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv", param_hint="--csv")
    override = {"prometheus.url": prometheus}
    if cost_directory is not None:
        override["cost.directory"] = str(cost_directory.absolute())
    settings = settings_or_exit(folder, override)
    if faults:
        _faults(declared_ledger(settings), as_json=as_json, as_csv=as_csv)
        return
    start, end = _times(since, until, everything=everything, live=ledger is not LedgerName.BILLED)
    asked = _Asked(_question(start, end, by, where or []), currency.upper(), as_json, as_csv, everything)
    try:
        if ledger is LedgerName.BOTH:
            _both(asked, settings)
        else:
            _one(asked, settings, folder, ledger)
    except Exception as error:
        _fail_outside(error)
        raise


def _fail_outside(error: Exception) -> None:
    from controlplane.ports import Permanent, Transient

    if isinstance(error, (Transient, Permanent)):
        fail(f"No answer: {error}", ExitCode.OUTSIDE)


def _times(since: str, until: str, *, everything: bool, live: bool) -> tuple[datetime, datetime]:
    """The question's time; all of it ends tomorrow where metrics answer (`live`), and began ten years before."""
    from controlplane.adapters.clock import SystemClock

    tomorrow = SystemClock().now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    end = _moment(until, "--to") if until else (_LATEST if everything and not live else tomorrow)
    earliest = end - timedelta(days=_LIVE_DAYS) if live else _EARLIEST
    usual = earliest if everything else end - timedelta(days=_USUAL_DAYS)
    start = _moment(since, "--from") if since else usual
    if start >= end:
        raise typer.BadParameter("must be before --to", param_hint="--from")
    return start, end


def _moment(text: str, option: str) -> datetime:
    try:
        if len(text) == len("2026-11"):
            text = f"{text}-01"
        if "T" not in text:
            return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no day: write 2026-11-01", param_hint=option) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _question(start: datetime, end: datetime, by: str, where: Sequence[str]) -> "SpendQuestion":
    from controlplane.model.spend import SpendQuestion

    names = tuple(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    wanted: dict[str, tuple[str, ...]] = {}
    for each in where:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise typer.BadParameter(f"`{each}` is not NAME=VALUE", param_hint="--where")
        wanted[name.strip()] = (*wanted.get(name.strip(), ()), value)
    return SpendQuestion(start, end, names, wanted)


def _one(asked: _Asked, settings: "Settings", folder: Path, which: LedgerName) -> None:
    """The answer of one ledger."""
    from finops.billed.currencies import daily

    question = daily(asked.question) if asked.currency else asked.question
    catalogue: Catalogue | None = None
    if which is LedgerName.BILLED:
        billed = declared_ledger(settings)
        catalogue, table = billed.catalogue(), billed.spend(question)
    else:
        from flyball.cli.cost.ledgers import estimated_ledger, prometheus_of

        with prometheus_of(settings) as backend:
            table = estimated_ledger(backend).spend(question)
    used: Sequence[UsedRate] = ()
    if asked.currency:
        table, used = _converted(table, asked, folder)
    if asked.as_json:
        typer.echo(_json(table, asked, which, catalogue, used))
    elif asked.as_csv:
        typer.echo(_csv(table), nl=False)
    else:
        for line in _text(table, asked, catalogue, used):
            typer.echo(line)


def _converted(table: "SpendTable", asked: _Asked, folder: Path) -> "tuple[SpendTable, Sequence[UsedRate]]":
    from finops.billed.currencies import converted
    from finops.billed.declared import declared_rates
    from flyball.cli.declared import declared_or_exit

    rates = declared_or_exit(folder, declared_rates)
    found = converted(table, asked.question, asked.currency, tuple(rates.values()))
    if found.missing:
        lines = "\n".join(f"  {each}" for each in found.missing)
        hint = "an ExchangeRates document gives dated rates; without one, currencies are never added up"
        fail(f"Not converted to {asked.currency}:\n{lines}\n{hint}", ExitCode.PROBLEMS)
    return found.table, found.used


def _json(
    table: "SpendTable", asked: _Asked, which: LedgerName, catalogue: "Catalogue | None", used: "Sequence[UsedRate]"
) -> str:
    from finops.billed.views import ledger_as_json, spend_as_json, time_text

    about = ledger_as_json(catalogue, asked.question.start, asked.question.end) if catalogue is not None else {}
    answer = spend_as_json(table, used)
    rows = answer.pop("rows")
    document = {
        "ledger": which.value,
        "from": time_text(asked.question.start),
        "to": time_text(asked.question.end),
        **answer,
        **about,
        "rows": rows,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _csv(table: "SpendTable") -> str:
    from finops.billed.views import spend_row_as_json
    from flyball.cli.cost.tables import csv_text

    columns = [*table.by, "currency", "effective_cost", "billed_cost", "list_cost", "quantity", "unit", "charges"]
    rows = (spend_row_as_json(table.by, row) for row in table.rows)
    return csv_text(columns, ({key: "" if value is None else str(value) for key, value in row.items()} for row in rows))


def _text(
    table: "SpendTable", asked: _Asked, catalogue: "Catalogue | None", used: "Sequence[UsedRate]"
) -> Iterator[str]:
    """A table, largest first unless it is cut by time; totals; what the figures do not hold."""
    from controlplane.model.spend import TIME_DIMENSIONS
    from controlplane.wording import money
    from finops.billed.views import totals
    from flyball.money.text_table import text_table

    if not table.rows:
        yield _nothing(catalogue)
        return
    rows = list(table.rows)
    if not set(table.by) & set(TIME_DIMENSIONS):
        rows.sort(key=lambda row: (row.currency, -row.effective))
    shown = rows if asked.everything else rows[:_SHOWN_ROWS]
    cells = [
        (
            *(_key(*each) for each in zip(table.by, row.key, strict=True)),
            money(row.effective, row.currency),
            money(row.billed, row.currency),
        )
        for row in shown
    ]
    if table.by:
        yield text_table((*table.by, "effective", "billed"), cells, left=len(table.by))
        if len(shown) < len(rows):
            yield f"… and {len(rows) - len(shown):,} more rows (--all shows them)"
        yield ""
    effective, billed = totals(rows)
    for currency in sorted(effective):
        yield f"total: effective {money(effective[currency], currency)}, billed {money(billed[currency], currency)}"
    for each in used:
        yield f"1 {each.source} = {each.rate:f} {each.target} since {each.since} ({each.cited})"
    yield from _notes(table, asked, catalogue)


def _notes(table: "SpendTable", asked: _Asked, catalogue: "Catalogue | None") -> Iterator[str]:
    from finops.billed.views import ledger_as_json

    if table.complete_until is not None:
        yield f"known up to {table.complete_until:%Y-%m-%d %H:%M} UTC; what lies after it is missing, not zero"
    if catalogue is None:
        return
    about = ledger_as_json(catalogue, asked.question.start, asked.question.end)
    if about["quarantined_rows"]:
        rows = about["quarantined_rows"]
        counted = "1 row is" if rows == 1 else f"{rows:,} rows are"
        yield f"{counted} in quarantine and in no sum: flyball cost report --faults"
    if about["effective_cost_missing"]:
        yield f"EffectiveCost is missing in {about['effective_cost_missing']:,} rows: it is not 0 there"


def _key(name: str, value: str | None) -> str:
    """Days and months without their time; the first hour of a day keeps it."""
    if value is None:
        return "(none)"
    return value if name == "hour" else value.removesuffix("T00:00:00Z")


def _nothing(catalogue: "Catalogue | None") -> str:
    if catalogue is not None and not catalogue.partitions:
        return "Nothing was imported yet: flyball cost import FILE"
    if catalogue is None:
        return "Nothing is known of that time."
    periods = sorted(key.period for key in catalogue.partitions)
    return f"Nothing in that time; the ledger has bills of {periods[0]:%Y-%m} to {periods[-1]:%Y-%m} (--all: all time)"


def _both(asked: _Asked, settings: "Settings") -> None:
    """Estimate and bill side by side."""
    from controlplane import conventions as names
    from controlplane.adapters.files import read_folder
    from controlplane.model.spend import DAY, SpendQuestion
    from controlplane.wording import money
    from finops.pricing.both_ledgers import both_ledgers, days_apart
    from finops.pricing.declared import declared
    from finops.pricing.estimated import EstimatedLedger
    from flyball.cli.cost.ledgers import prometheus_of
    from flyball.cli.cost.tables import csv_text
    from flyball.money.reading import documents_in
    from flyball.money.text_table import text_table

    if asked.currency:
        raise typer.BadParameter("goes with one ledger", param_hint="--currency")
    by_day = SpendQuestion(asked.question.start, asked.question.end, (DAY,))
    bills = declared_ledger(settings)
    with prometheus_of(settings) as backend:
        ledger = EstimatedLedger(backend, names.ESTIMATE_LEDGER)  # as it is, not corrected
        estimated, estimated_days = ledger.spend(asked.question), ledger.spend(by_day)
    if note := days_apart(estimated_days, bills.spend(by_day)):
        typer.echo(note, err=True)
    files, _ = read_folder(settings.folder)
    called = [each.billed for each in declared(documents_in(files)).values]
    found = both_ledgers(estimated, bills.spend(asked.question), called)
    if asked.as_json:
        typer.echo(json.dumps({"ledger": "both", **_object(found.as_json())}, indent=2, ensure_ascii=False))
        return
    by = asked.question.by
    if asked.as_csv:
        exact = [
            {**{name: key or "" for name, key in zip(by, row.key, strict=True)}, "currency": row.currency,
             "estimated": _plain(row.estimated), "billed": _plain(row.billed), "difference": _plain(row.difference)}
            for row in found.rows
        ]  # fmt: skip
        typer.echo(csv_text([*by, "currency", "estimated", "billed", "difference"], exact), nl=False)
        return
    rows = [
        (
            *(_key(*each) for each in zip(by, row.key, strict=True)),
            *(money(amount, row.currency) for amount in (row.estimated, row.billed, row.difference)),
        )
        for row in found.rows
    ]
    header = (*by, "estimated", "billed", "difference")
    typer.echo(text_table(header, rows, left=len(by)) or "Nothing is known of that time.")


def _object(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def _plain(value: object) -> str:
    return "" if value is None else f"{value:f}"


def _faults(ledger: "BilledLedger", *, as_json: bool, as_csv: bool) -> None:
    """Faulty values of all that was imported."""
    from controlplane.ports import Permanent, Transient
    from finops.billed.views import FAULT_COLUMNS, fault_as_json, fault_rows
    from flyball.cli.cost.tables import csv_text
    from flyball.money.text_table import text_table

    try:
        catalogue = ledger.catalogue()
    except (Transient, Permanent) as error:
        fail(f"No answer: {error}", ExitCode.OUTSIDE)
    parts = [catalogue.partitions[key] for key in sorted(catalogue.partitions)]
    if as_json:
        document = [
            {"source": part.key.source, "period": part.key.period_name, **fault_as_json(each)}
            for part in parts
            for each in part.faults
        ]
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
    elif as_csv:
        typer.echo(csv_text(FAULT_COLUMNS, fault_rows(parts)), nl=False)
    else:
        rows = [
            (part.key.source, part.key.period_name, each.fault, each.column, each.action.value, f"{each.rows:,}")
            for part in parts
            for each in part.faults
        ]
        typer.echo(text_table(("source", "period", "fault", "column", "done", "rows"), rows, left=5) or "No faults.")
        if rows:
            typer.echo("--csv lists the first 100 places of each by file, row and line", err=True)
