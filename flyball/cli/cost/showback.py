"""`flyball cost showback`: who bears what of a month, as a table or as one HTML file."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from finops.allocation.model import CostAllocation
    from flyball.money.showing_back import MonthReport, Wanted
    from flyball.settings import Settings


class Source(Enum):
    """Where the money comes from."""

    BILLED = "billed"
    ESTIMATED = "estimated"


def showback(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    month: Annotated[
        str, typer.Option(metavar="YYYY-MM", help="A calendar month in UTC.", show_default="the last whole one")
    ] = "",
    by: Annotated[str, typer.Option(metavar="DIMENSION", help="Who bears it: tenant, team.")] = "tenant",
    allocation: Annotated[
        str, typer.Option(metavar="NAME", help="The CostAllocation; by default the one whose target --by is.")
    ] = "",
    chargeback: Annotated[bool, typer.Option("--chargeback", help="With invoice lines, each rounded once.")] = False,
    ledger: Annotated[Source, typer.Option(help="What was billed, or live estimates (Prometheus).")] = Source.BILLED,
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE.html", help="Write a page instead.")] = None,
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, decimals as strings.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each line of each account.")] = False,
) -> None:
    """Show who bears what of a month: direct cost, what was spread of shared, idle and commitment cost, and the rest.

    Everything allocated and unallocated adds up to the ledger, to the last digit. Without a CostAllocation only direct
    cost is shown. The page needs nothing but itself, and prints.

    Exit status: 0 when there is a report, 1 when files have mistakes, 3 when Prometheus or the ledger can't be read.

    \b
    Examples:
      flyball cost showback --month 2026-11
      flyball cost showback --month 2026-11 --by team -o november.html
      flyball cost showback --month 2026-11 --chargeback -o invoices.html
      flyball cost showback --json | jq '.currencies[] | {currency, ledger, unallocated}'
      flyball cost showback --ledger estimated --month 2026-11
    """
    from controlplane.adapters.clock import SystemClock

    if sum((as_json, as_csv, out is not None)) > 1:
        raise typer.BadParameter("choose one of -o, --json and --csv", param_hint="--csv")
    now = SystemClock().now()
    begin = _month(month, now)
    wanted = _wanted(folder, begin, by, allocation, billed=ledger is Source.BILLED, chargeback=chargeback)
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    report = _made(wanted, settings)
    if as_json:
        from flyball.money.showback_views import as_data

        typer.echo(json.dumps(as_data(report), indent=2))
    elif as_csv:
        from flyball.cli.cost.tables import csv_text
        from flyball.money.showback_views import CSV_COLUMNS, csv_rows

        typer.echo(csv_text(CSV_COLUMNS, list(csv_rows(report))), nl=False)
    elif out is not None:
        from flyball.showback_page import as_html

        _write(out, as_html(report, now))
    else:
        from flyball.money.showback_views import as_text

        typer.echo(as_text(report))


def _month(text: str, now: datetime) -> datetime:
    from flyball.money.months import month_before, month_of

    begin = month_of(text) if text else month_before(now)
    if begin is None:
        raise typer.BadParameter(f"`{text[:40]}` is no month such as 2026-11", param_hint="--month")
    if begin > now:
        raise typer.BadParameter("lies in the future", param_hint="--month")
    return begin


def _wanted(folder: Path, month: datetime, by: str, allocation: str, *, billed: bool, chargeback: bool) -> "Wanted":
    """The plan and the unit costs that the report is about."""
    from exporters.unit_cost.declared import declared as unit_costs_of
    from finops.allocation.declared import declared as allocations_of
    from flyball.money.showing_back import Wanted, plan_for

    plans = declared_or_exit(folder, allocations_of)
    if allocation:
        plan = one_or_exit(plans, allocation, "CostAllocation")
    else:
        fitting = [each for each in plans.values() if each.target == by]
        if len(fitting) > 1:
            named = ", ".join(each.name for each in fitting)
            raise typer.BadParameter(f"several plans bring cost to a {by}: {named}", param_hint="--allocation")
        plan = plan_for(by, fitting)
        _say_so_without_a_plan(plans, fitting, by)
    split = [each for each in declared_or_exit(folder, unit_costs_of).values() if plan.target in each.by]
    return Wanted(month, plan, tuple(split), billed, chargeback)


def _say_so_without_a_plan(plans: "dict[str, CostAllocation]", fitting: "list[CostAllocation]", by: str) -> None:
    if not fitting:
        there = f"; there is {', '.join(sorted(plans))}" if plans else ""
        typer.echo(f"No CostAllocation brings cost to a {by}{there}: only direct cost is shown.", err=True)


def _made(wanted: "Wanted", settings: "Settings") -> "MonthReport":
    from controlplane.ports import Permanent, Transient
    from controlplane.problem_report import as_text
    from flyball.cli.cost.opening import opened
    from flyball.money.showing_back import month_report

    beside = Path(wanted.plan.source.path).parent if wanted.plan.source.path else settings.folder
    try:
        with (
            _progress(f"Asking for {wanted.month:%B %Y}"),
            opened(settings, billed=wanted.billed, beside=beside) as sources,
        ):
            report = month_report(wanted, sources)
    except (Transient, Permanent) as error:
        fail(f"flyball cost showback: {error}", ExitCode.OUTSIDE)
    if report.problems:
        fail(as_text(list(report.problems), {}, sys.stderr.isatty()), ExitCode.PROBLEMS)
    return report


@contextmanager
def _progress(title: str) -> Iterator[None]:
    """A bar where somebody looks at it; a log needs none of what takes a second."""
    from flyball.demo.steps import steps_on

    if not sys.stderr.isatty():
        yield
        return
    with steps_on(sys.stderr) as steps, steps.step(title):
        yield


def _write(out: Path, page: str) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        fail(f"{out}: {error.strerror}", ExitCode.OUTSIDE)
    typer.echo(f"Written to {out}", err=True)
