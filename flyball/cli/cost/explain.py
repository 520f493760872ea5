"""`flyball cost explain`: why spend changed between two periods."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.cost.forecast import Source
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from finops.explain.explaining import Outside, Report
    from finops.explain.tables import Asked, Periods
    from flyball.settings import Settings

_WEEK: Final = timedelta(days=7)
_LONGEST: Final = timedelta(days=366)
_PREVIOUS: Final = "previous"


def explain(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    start: Annotated[
        str, typer.Option("--from", metavar="DAY", help="Begin of the period: a day (UTC), or a time in RFC 3339.")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="DAY", help="Its end, not included.", show_default="today")] = "",
    against: Annotated[
        str, typer.Option(metavar="previous|DAY", help="What it is compared with: as long a time, that begins then.")
    ] = _PREVIOUS,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="DIMENSION", help="Whose spend it is.", show_default="service")
    ] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", metavar="KEY=VALUE", help="Only this spend; several values: A|B.")
    ] = None,
    ledger: Annotated[Source, typer.Option(help="Live estimates (Prometheus), or what was billed.")] = Source.ESTIMATED,
    billed_cost: Annotated[
        bool, typer.Option("--billed-cost", help="Of the bill: what is invoiced, instead of what is amortised.")
    ] = False,
    driver: Annotated[
        str,
        typer.Option(metavar="PROMQL", help="What the spend is for, with $__window: tells volume from efficiency."),
    ] = "",
    unit_cost: Annotated[
        str, typer.Option(metavar="NAME", help="Instead of --driver: what this UnitCost counts, split by --by.")
    ] = "",
    trace_url: Annotated[str, typer.Option(metavar="URL", help="Where traces can be seen, with {trace_id}.")] = "",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    open_issue: Annotated[
        bool, typer.Option("--open-issue", help="Open a cost issue (MC-COST) with what was found.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON, decimals as strings.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each group.")] = False,
) -> None:
    """Split a change of spend into volume × efficiency × mix × price, exactly, and say what was changed meanwhile.

    The effects add up to the change to the last decimal. Deployments, flags, tiers and rules of that time come from
    the event log and from `build_info`; traces from exemplars of the services that moved most.

    Exit status: 0 when it was explained, 1 when files have mistakes, 2 for a period that cannot be, 3 when a ledger,
    Prometheus or the database can't be read.

    \b
    Examples:
      flyball cost explain --from 2026-11-01 --to 2026-11-08
      flyball cost explain --from 2026-11-01 --to 2026-11-08 --against 2026-10-01 --ledger billed
      flyball cost explain --by tenant --where service=graphql-gateway
      flyball cost explain --by tenant --unit-cost graphql-calls
      flyball cost explain --driver 'sum by (service) (increase(http_requests_total[$__window]))'
      flyball cost explain --open-issue --json | jq '.currencies[] | {currency, change, effects}'
    """
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent, Transient

    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv", param_hint="--csv")
    if driver and unit_cost:
        raise typer.BadParameter("choose one of --driver and --unit-cost", param_hint="--unit-cost")
    _check_driver(driver)
    now = SystemClock().now()
    asked = _asked(_periods(start, end, against, now), ledger, by or ["service"], where or [], billed_cost)
    driver = driver or (_driver_of(unit_cost, folder, asked) if unit_cost else "")
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    try:
        with _outside(settings, ledger, folder) as outside:
            from finops.explain.explaining import explain as explained

            with _progress("Explaining") as progress:
                report = explained(outside, asked, driver=driver, progress=progress)
            opened = _open(report, outside, now, trace_url) if open_issue else ""
    except (Transient, Permanent) as error:
        fail(f"flyball cost explain: {error}", ExitCode.OUTSIDE)
    _print(report, trace_url, as_json=as_json, as_csv=as_csv)
    if opened:
        typer.echo(opened, err=True)


def _check_driver(driver: str) -> None:
    from controlplane.promql import check_promql

    mistake = check_promql(driver) if driver else None
    if mistake is not None:
        raise typer.BadParameter(f"is no PromQL: {mistake.message}", param_hint="--driver")


def _driver_of(name: str, folder: Path, asked: "Asked") -> str:
    """The units of a UnitCost as PromQL, by those of the groups' labels that it is split by."""
    from exporters.unit_cost.declared import declared
    from exporters.unit_cost.queries import units_of
    from flyball.cli.declared import declared_or_exit, one_or_exit

    found = one_or_exit(declared_or_exit(folder, declared), name, "unit cost")
    return units_of(found.units, asked.periods.length, [label for label in asked.by if label in found.by])


def _periods(start: str, end: str, against: str, now: datetime) -> "Periods":
    from finops.explain.tables import Periods

    until = _moment(end, "--to") if end else now.replace(hour=0, minute=0, second=0, microsecond=0)
    until = min(until, now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0))  # nothing is known of later
    since = _moment(start, "--from") if start else until - _WEEK
    if not timedelta(0) < until - since <= _LONGEST:
        raise typer.BadParameter(f"must be before --to, by {_LONGEST.days} days at most", param_hint="--from")
    return Periods.of(since, until, None if against == _PREVIOUS else _moment(against, "--against"))


def _moment(text: str, option: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = f"`{text}` is neither a day such as 2026-11-01 nor a time such as 2026-11-01T06:00:00Z"
        raise typer.BadParameter(message, param_hint=option) from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _asked(periods: "Periods", ledger: Source, by: Sequence[str], where: Sequence[str], billed_cost: bool) -> "Asked":
    from controlplane.model.spend import TIME_DIMENSIONS, Ledger
    from finops.explain.tables import Asked

    chosen: dict[str, tuple[str, ...]] = {}
    for text in where:
        key, equals, values = text.partition("=")
        if not equals or not key:
            raise typer.BadParameter(f"`{text}` is not KEY=VALUE, such as service=llm", param_hint="--where")
        chosen[key] = (*chosen.get(key, ()), *values.split("|"))
    timed = [name for name in by if name in TIME_DIMENSIONS]
    if timed:
        raise typer.BadParameter(f"{timed[0]} is what --from and --to are for", param_hint="--by")
    cost = "billed" if billed_cost else "effective"
    return Asked(periods, Ledger(ledger.value), tuple(dict.fromkeys(by)), chosen, cost)


@contextmanager
def _outside(settings: "Settings", source: Source, folder: Path) -> "Iterator[Outside]":
    from controlplane.adapters.prometheus_exemplars import PrometheusExemplars
    from controlplane.store import open_store
    from finops.explain.explaining import Outside
    from finops.pricing.declared import declared
    from flyball.cli.cost.ledgers import billed_ledger, estimated_ledger, prometheus_of
    from flyball.cli.declared import declared_or_exit

    is_billed = source is Source.BILLED
    price_maps = () if is_billed else tuple(declared_or_exit(folder, declared).values())

    with ExitStack() as closing:
        backend = closing.enter_context(prometheus_of(settings))
        store = open_store(settings.database_url.reveal())
        closing.callback(store.close)
        ledger = closing.enter_context(billed_ledger(settings)) if is_billed else estimated_ledger(backend)
        yield Outside(ledger, backend, PrometheusExemplars(backend), store, lambda: price_maps)


@contextmanager
def _progress(title: str) -> "Iterator[Callable[[float], None]]":
    """A bar where somebody looks at it."""
    from flyball.demo.steps import steps_on

    if not sys.stderr.isatty():
        yield lambda share: None
        return
    with steps_on(sys.stderr) as steps, steps.step(title) as progress:
        yield progress


def _open(report: "Report", outside: "Outside", now: datetime, traces_at: str) -> str:
    from finops.explain.issue import issue_of_report

    if outside.store is None:
        return ""
    issue = issue_of_report(report, now=now, traces_at=traces_at)
    with outside.store.transaction() as transaction:
        is_new = transaction.events.append(issue, now)
    return f"{issue.subject}: opened" if is_new else f"{issue.subject}: was opened before, for the same periods"


def _print(report: "Report", traces_at: str, *, as_json: bool, as_csv: bool) -> None:
    from finops.explain.views import as_data, as_lines, csv_columns, csv_rows

    if as_json:
        typer.echo(json.dumps(as_data(report, traces_at=traces_at), indent=2))
    elif as_csv:
        from flyball.cli.cost.tables import csv_text

        typer.echo(csv_text(csv_columns(report.asked.by), csv_rows(report)), nl=False)
    else:
        typer.echo("\n".join(as_lines(report, traces_at=traces_at)))
