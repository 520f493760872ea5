"""`flyball cost unit`: what so many units of work cost in the past."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from exporters.unit_cost.model import UnitCost
    from finops.allocation.model import CostAllocation
    from flyball.money.unit_costs import Asked, PastUnitCost
    from flyball.settings import Settings

_LONGEST_DAYS: Final = 400


class Source(Enum):
    """Where the money comes from."""

    ESTIMATED = "estimated"
    BILLED = "billed"


def unit(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The unit cost; all by default.")] = "",
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    since: Annotated[str, typer.Option(help="How far back (7d, 36h); whole UTC days are compared.")] = "7d",
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="In place of --since: 2026-11-01.")] = "",
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The first moment that does not count.")] = "",
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="LABEL", help="Split by this label; may be given again.")
    ] = None,
    ledger: Annotated[Source, typer.Option(help="Live estimates (Prometheus), or what was billed.")] = Source.ESTIMATED,
    allocation: Annotated[
        str, typer.Option(metavar="NAME", help="Money after this CostAllocation: shared cost included.")
    ] = "",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, decimals as strings.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each day and group.")] = False,
) -> None:
    """Say what so many units of work cost: money from a ledger, units from Prometheus, the same days for both.

    Only whole UTC days count of which both are known; the rest is told. Without units there is no value.

    Exit status: 0 when there is an answer, 1 when files have mistakes, 3 when Prometheus or the ledger can't be read.

    \b
    Examples:
      flyball cost unit
      flyball cost unit shop/
      flyball cost unit ingest --since 30d --by connector
      flyball cost unit graphql-calls --from 2026-11-01 --to 2026-12-01 --ledger billed
      flyball cost unit ingest --allocation tenants --json | jq '.[0].groups'
    """
    from controlplane.adapters.clock import SystemClock
    from flyball.money.unit_costs import Asked

    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv", param_hint="--csv")
    start, until = _time(since, begin, end, SystemClock().now())
    if folder == Path() and _is_workspace(name):
        name, folder = "", Path(name)
    chosen, plan = _chosen(folder, name), _plan(folder, allocation)
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    asked = Asked(start, until, tuple(by) if by else None, ledger is Source.BILLED)
    found = _asked(chosen, plan, settings, asked)
    if as_json:
        from flyball.money.unit_cost_views import as_data

        typer.echo(json.dumps([as_data(each) for each in found], indent=2))
    elif as_csv:
        from flyball.cli.cost.tables import csv_text
        from flyball.money.unit_cost_views import CSV_COLUMNS, csv_rows

        typer.echo(csv_text(CSV_COLUMNS, [row for each in found for row in csv_rows(each)]), nl=False)
    else:
        from flyball.money.unit_cost_views import as_text

        typer.echo("\n\n".join(as_text(each) for each in found))


def _is_workspace(text: str) -> bool:
    """Whether what stands in a name's place can only mean a folder: `flyball cost unit shop/`."""
    from flyball.settings import FILE_NAME

    folder = Path(text)
    return bool(text) and folder.is_dir() and ("/" in text or text.startswith(".") or (folder / FILE_NAME).is_file())


def _time(since: str, begin: str, end: str, now: datetime) -> tuple[datetime, datetime]:
    until = _moment(end, now, "--to") if end else now
    start = _moment(begin, until, "--from") if begin else _moment(since, until, "--since")
    start = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if not start < until or (until - start).days > _LONGEST_DAYS:
        message = f"must be before --to, by {_LONGEST_DAYS} days at most"
        raise typer.BadParameter(message, param_hint="--from" if begin else "--since")
    return start, until


def _moment(text: str, before: datetime, option: str) -> datetime:
    """A time, or a length before another one; in UTC."""
    from slo.replay.times import moment_before

    try:
        return moment_before(text, before)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _chosen(folder: Path, name: str) -> "Sequence[UnitCost]":
    from exporters.unit_cost.declared import declared

    known = declared_or_exit(folder, declared)
    if not known:
        fail(f"{folder} declares no UnitCost: docs/how-to/unit-costs.md says how to write one", ExitCode.PROBLEMS)
    return [one_or_exit(known, name, "UnitCost")] if name else list(known.values())


def _plan(folder: Path, name: str) -> "CostAllocation | None":
    from finops.allocation.declared import declared

    return one_or_exit(declared_or_exit(folder, declared), name, "CostAllocation") if name else None


def _asked(
    unit_costs: "Sequence[UnitCost]", plan: "CostAllocation | None", settings: "Settings", asked: "Asked"
) -> "list[PastUnitCost]":
    from controlplane.ports import Permanent, Transient
    from controlplane.problem_report import as_text
    from controlplane.problems import in_order
    from flyball.cli.cost.opening import opened
    from flyball.money.unit_costs import past_unit_cost, past_unit_cost_allocated

    beside = Path(plan.source.path).parent if plan else None
    try:
        with opened(settings, billed=asked.billed, beside=beside) as sources:
            if plan is None:
                return [past_unit_cost(each, asked, sources.ledger, sources.backend) for each in unit_costs]
            found = [past_unit_cost_allocated(each, asked, plan, sources) for each in unit_costs]
    except (Transient, Permanent) as error:
        fail(f"flyball cost unit: {error}", ExitCode.OUTSIDE)
    problems = in_order(problem for each in found for problem in each.problems)
    if problems:
        fail(as_text(problems, {}, sys.stderr.isatty()), ExitCode.PROBLEMS)
    return found
