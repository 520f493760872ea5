"""`flyball cost forecast`: what a window will have cost at its end."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.cost.workspace import budgets_or_exit
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.budget import Budget
    from controlplane.ports import CostLedger
    from finops.forecast.model import DailySpend, Days
    from finops.forecast.views import ForecastView
    from flyball.settings import Settings

_QUERY_SECONDS: Final = 60.0
_HISTORY_OF_BILLS: Final = timedelta(days=400)
_DECEMBER: Final = 12


class Source(Enum):
    """Where the days come from."""

    ESTIMATED = "estimated"
    BILLED = "billed"


def forecast(
    budget: Annotated[str, typer.Argument(metavar="[BUDGET]", help="The budget; all by default.")] = "",
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    ledger: Annotated[Source, typer.Option(help="Live estimates (Prometheus), or what was billed.")] = Source.ESTIMATED,
    prometheus: Annotated[
        str, typer.Option(metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV of day,amount instead; no workspace is needed.")
    ] = None,
    month: Annotated[
        str, typer.Option(metavar="YYYY-MM", help="Of --file: the month; by default that of its last day.")
    ] = "",
    amount: Annotated[str, typer.Option(metavar="MONEY", help="Of --file: the month's budget.")] = "",
    currency: Annotated[str, typer.Option(help="Of --file.")] = "USD",
    settling: Annotated[
        int | None,
        typer.Option(min=0, max=14, help="How many of the latest days are known in part: 2 of a bill, 0 of a file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, decimals as strings.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row for each day of the window.")] = False,
) -> None:
    """Say what a budget's window will have cost at its end, how sure that is, and how sure it has been.

    The two bounds hold in 80 of 100 cases. Past windows of the same series are forecast as if their end were not known:
    how far off that was is told, too. Days that nobody recorded, and the rest of today, count as usual days.

    Exit status: 0 when there is a forecast (or a reason why not), 1 when files have mistakes, 3 when Prometheus or the
    ledger can't be read.

    \b
    Examples:
      flyball cost forecast
      flyball cost forecast shop/
      flyball cost forecast llm-monthly --json | jq -r '.[0].forecast.middle'
      flyball cost forecast infra-monthly shop --ledger billed
      flyball cost forecast --file daily.csv --amount 18000
      flyball cost forecast --file daily.csv --csv > forecast.csv
    """
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv", param_hint="--csv")
    if file is not None:
        views = [_of_file(file, month, amount, currency, settling or 0)]
    else:
        if month or amount:
            raise typer.BadParameter("goes with --file: a budget has its own", param_hint="--month, --amount")
        if _is_workspace(budget) and folder == Path():
            budget, folder = "", Path(budget)
        budgets = budgets_or_exit(folder, budget)
        settings = settings_or_exit(folder, {"prometheus.url": prometheus})
        views = list(_of_budgets(budgets, settings, ledger, settling))
    _print(views, as_json=as_json, as_csv=as_csv)


def _is_workspace(text: str) -> bool:
    """Whether what stands in a budget's place can only mean a folder: `flyball cost forecast shop/`."""
    from flyball.settings import FILE_NAME

    folder = Path(text)
    return bool(text) and folder.is_dir() and ("/" in text or text.startswith(".") or (folder / FILE_NAME).is_file())


def _print(views: "Sequence[ForecastView]", *, as_json: bool, as_csv: bool) -> None:
    from finops.forecast.views import as_data, as_lines, csv_rows

    if as_json:
        typer.echo(json.dumps([as_data(view) for view in views], indent=2))
        return
    if as_csv:
        from flyball.cli.cost.tables import csv_text

        columns = ("budget", "currency", "day", "low", "middle", "high")
        typer.echo(csv_text(columns, [row for view in views for row in csv_rows(view)]), nl=False)
        return
    typer.echo("\n\n".join("\n".join(as_lines(view)) for view in views))


def _of_file(path: Path, month: str, amount: str, currency: str, settling: int) -> "ForecastView":
    from controlplane.problem_report import as_text
    from finops.forecast.daily_file import LONGEST_BYTES, read_daily_file
    from finops.forecast.daily_sums import with_latest_settling

    try:
        with path.open("rb") as stream:
            content = stream.read(LONGEST_BYTES + 1)
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.PROBLEMS)
    found = read_daily_file(str(path), content)
    if found.problems:
        fail(as_text(list(found.problems), {str(path): content}, False), ExitCode.PROBLEMS)
    window = _month(month or f"{found.days[-1].day:%Y-%m}")
    elapsed = max((found.days[-1].day - window.first).days + 1, 0)
    history = with_latest_settling(found.days, settling)
    return _view(path.stem, currency, window, history, _amount(amount), elapsed=elapsed)


def _month(text: str) -> "Days":
    from finops.forecast.model import Days

    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise typer.BadParameter(f"`{text}` is no month such as 2026-11", param_hint="--month") from None
    end = first.replace(year=first.year + first.month // _DECEMBER, month=first.month % _DECEMBER + 1)
    return Days(first, end)


def _amount(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0:
        raise typer.BadParameter(f"`{text}` is no amount such as 18000", param_hint="--amount")
    return amount


def _of_budgets(
    budgets: "Sequence[Budget]", settings: "Settings", source: Source, settling: int | None
) -> "Iterator[ForecastView]":
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent, Transient

    now = SystemClock().now()
    try:
        if source is Source.BILLED:
            from finops.forecast.daily_sums import SETTLING_DAYS
            from flyball.cli.cost.ledgers import billed_ledger

            days = SETTLING_DAYS if settling is None else settling
            with billed_ledger(settings) as ledger:
                for budget in budgets:
                    yield _by_bill(budget, ledger, now, days)
        else:
            yield from _live(budgets, settings, now)
    except (Transient, Permanent) as error:
        fail(f"flyball cost forecast: {error}", ExitCode.OUTSIDE)


def _by_bill(budget: "Budget", ledger: "CostLedger", now: datetime, settling: int) -> "ForecastView":
    from finops.forecast.daily_sums import days_of_ledger
    from finops.forecast.model import Days, NoForecast, TrackRecord
    from finops.forecast.views import ForecastView
    from finops.forecast.windows import window_of

    window = window_of(budget, now)
    days = Days(min(window.first, (now - _HISTORY_OF_BILLS).date()), window.end)
    history = days_of_ledger(ledger, budget, days, settling=settling)
    if not history:
        scope = ", ".join(f"{label}={'|'.join(values)}" for label, values in budget.scope) or "any"
        why = NoForecast(f"the bill has no charge in {budget.currency} that fits the budget's scope ({scope})")
        return ForecastView(budget.name, budget.currency, window, why, TrackRecord(0), budget.amount)
    return _view(budget.name, budget.currency, window, history, budget.amount, budget=budget, now=now)


def _live(budgets: "Sequence[Budget]", settings: "Settings", now: datetime) -> "Iterator[ForecastView]":
    from controlplane.adapters.prometheus import PrometheusBackend
    from finops.forecast.daemon import ForecastDaemon
    from finops.forecast.views import ForecastView

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        for each in ForecastDaemon(backend).run_once(budgets, now).budgets:
            budget = each.budget
            paced = _paced(budget, now)
            yield ForecastView(budget.name, budget.currency, each.window, each.found, each.record, budget.amount, paced)
    finally:
        backend.close()


def _view(
    name: str,
    currency: str,
    window: "Days",
    history: "Sequence[DailySpend]",
    amount: Decimal | None,
    *,
    budget: "Budget | None" = None,
    now: datetime | None = None,
    elapsed: int = 0,
) -> "ForecastView":
    from controlplane.model.budget import STANDARD_PACE
    from finops.forecast.forecasting import forecast as made
    from finops.forecast.track_record import track_record
    from finops.forecast.views import ForecastView

    pace = budget.pace if budget else STANDARD_PACE
    paced = _paced(budget, now) if budget and now else min(Decimal(elapsed) / len(window), Decimal(1))
    found, record = made(history, window, pace), track_record(history, window, pace)
    return ForecastView(name, currency, window, found, record, amount, paced)


def _paced(budget: "Budget", now: datetime) -> Decimal | None:
    """What the pace expects by now; nothing of a window that rolls, whose forecast is of the days to come."""
    from controlplane.model.slo import CalendarWindow
    from finops.budgets.pacing import pace_ratio

    return pace_ratio(budget.pace, budget.window, now) if isinstance(budget.window, CalendarWindow) else None
