"""`flyball cost backfill`: gives prices, budgets and unit costs that are new their past."""

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, values_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.specfile import Declared, Document
    from flyball.money.backfilling import Filled
    from flyball.money.declared import MoneyDeclared
    from flyball.settings import Settings

_SETTINGS: Final = (
    "Prometheus takes the past only when it was started with --web.enable-remote-write-receiver, and when "
    "storage.tsdb.out_of_order_time_window in its configuration is as long as --since is far back"
)


def backfill(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    since: Annotated[str, typer.Option(help="How far back (30d, 36h), or a time in RFC 3339.")] = "31d",
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what is missing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of words.")] = False,
) -> None:
    """Compute what the rules of prices, budgets and unit costs would have recorded, and hand it to Prometheus.

    Only the time before an object's first ledger entry is filled: entries add up, so none is ever written for time that
    has one, and running it again writes nothing. Price maps come first, then the budgets and unit costs that read them.

    Prometheus must take remote writes (--web.enable-remote-write-receiver) as old as --since is far back
    (storage.tsdb.out_of_order_time_window). The metrics that prices are for must be in it.

    Exit status: 0 when it is done, 1 when files have mistakes, 3 when Prometheus refused or cannot be reached.

    \b
    Examples:
      flyball cost backfill --dry-run
      flyball cost backfill --since 2026-11-01
      flyball cost backfill money/ --prometheus http://127.0.0.1:9090 --json
    """
    from controlplane.adapters.clock import SystemClock

    begin = _begin(since, SystemClock().now())
    money = _money(folder)
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    done = _run(money, settings, begin, dry_run)
    if as_json:
        typer.echo(_json(done, begin, dry_run))
    else:
        for one in done:
            typer.echo(_line(one, dry_run))
        if dry_run:
            typer.echo(_of_dry_run(done), err=True)


def _begin(since: str, now: datetime) -> datetime:
    from flyball.money.backfilling import LONGEST
    from slo.replay.times import moment_before

    try:
        begin = moment_before(since, now)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    if not now - LONGEST <= begin < now:
        raise typer.BadParameter(f"must lie in the past, by {LONGEST.days} days at most", param_hint="--since")
    return begin


def _money(folder: Path) -> "MoneyDeclared":
    (money,) = values_or_exit(folder, _declared)
    if not (money.price_maps or money.budgets or money.unit_costs):
        message = f"{folder} declares no PriceMap, Budget or UnitCost: docs/how-to/price-usage.md says how to begin"
        fail(message, ExitCode.PROBLEMS)
    return money


def _declared(documents: "Sequence[Document]") -> "Declared[MoneyDeclared]":
    from controlplane.specfile import Declared
    from flyball.money.declared import money_of

    money, problems = money_of(documents, lambda name: True)
    return Declared((money,), problems)


def _run(money: "MoneyDeclared", settings: "Settings", since: datetime, dry_run: bool) -> "list[Filled]":
    from controlplane.adapters.clock import SystemClock
    from controlplane.adapters.prometheus_storage import storage_facts
    from controlplane.adapters.remote_write import RemoteWriter
    from controlplane.ports import Permanent, Transient
    from flyball.cli.cost.ledgers import prometheus_of
    from flyball.demo.steps import steps_on
    from flyball.money.backfilling import Order
    from flyball.money.backfilling import backfill as fill
    from flyball.slo_wiring import with_credentials

    try:
        with (
            prometheus_of(settings) as backend,
            RemoteWriter(with_credentials(settings)) as writer,
            steps_on(sys.stderr) as steps,
        ):
            order = Order(since, storage_facts(backend), dry_run)
            with steps.step("Looking for what is missing" if dry_run else "Computing the past of money") as report:
                return fill(money, backend, writer, order, SystemClock().now, report)
    except (Transient, Permanent) as error:
        words = f"flyball cost backfill: {error}"
        if "remote write to" in words and isinstance(error, Permanent):
            words += f". {_SETTINGS}"
        fail(words, ExitCode.OUTSIDE)


def _line(one: "Filled", dry_run: bool) -> str:
    name = f"{one.kind} {one.name}"
    if one.first is None or one.last is None:
        if one.recorded_from is None:
            return f"{name}: nothing was measured in that time"
        return f"{name}: nothing is missing, its entries begin at {_time(one.recorded_from)}"
    verb = "lacks " if dry_run else ""
    samples = "" if dry_run else f" ({one.samples:,} samples)"
    count = f"{one.entries:,} entr{'y' if one.entries == 1 else 'ies'}"
    return f"{name}: {verb}{count}, {_time(one.first)} to {_time(one.last)}{samples}"


def _of_dry_run(done: "Sequence[Filled]") -> str:
    words = "Nothing was written."
    if any(one.kind == "price map" and one.entries for one in done):
        words += " Budgets and unit costs will get as much as the price maps that they read."
    return words


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _json(done: "Sequence[Filled]", since: datetime, dry_run: bool) -> str:
    import json

    objects = [
        {
            "kind": one.kind.replace(" ", "-"),
            "name": one.name,
            "entries": one.entries,
            "from": one.first.isoformat() if one.first else None,
            "to": one.last.isoformat() if one.last else None,
            "samples": one.samples,
            "recordedFrom": one.recorded_from.isoformat() if one.recorded_from else None,
        }
        for one in done
    ]
    return json.dumps({"since": since.isoformat(), "dryRun": dry_run, "objects": objects}, indent=2)
