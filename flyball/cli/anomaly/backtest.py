"""`flyball anomaly backtest`: what detectors would have told in the past."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.anomaly.opening import (
    AsJSON,
    Database,
    Folder,
    PrometheusURL,
    SeriesOption,
    apart,
    chosen_or_exit,
    known,
    ledgers_of,
    matchers_or_exit,
    matrix_of,
    moment_or_exit,
    progress_on,
)
from flyball.cli.asking import now
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.anomaly.backtesting.model import Backtest, Past
    from alerts.anomaly.explaining.asking import RulingsOf
    from alerts.anomaly.model import AnomalyDetector
    from controlplane.model.matcher import Matcher
    from flyball.settings import Settings

    Reader = Callable[[AnomalyDetector, datetime, datetime], Past]

_LONGEST: Final = timedelta(days=400)
_INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it


def backtest(
    detector: Annotated[str, typer.Argument(metavar="[DETECTOR]", help="By name; left out: all of them.")] = "",
    folder: Folder = Path(),
    since: Annotated[str, typer.Option(help="How far back (30d, 36h), or a time in RFC 3339.")] = "30d",
    until: Annotated[str, typer.Option(help="A time in RFC 3339, or how long ago (2d).", show_default="now")] = "",
    series: SeriesOption = "",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Beside it, with that changed: sensitivity=low; repeatable."),
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with charts, too.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="So many anomalies in the table.")] = 40,
    most_alarms: Annotated[
        float | None,
        typer.Option("--fail-above", min=0, metavar="N", help="Exit 1 when there are more alarms a series and month."),
    ] = None,
    prometheus: PrometheusURL = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Replay detectors over the past: which anomalies they would have told, when, and why.

    Files count as they are now, applied or not. What lies before --since is read, too, so that the first step is
    judged by as much past as in life; groups, false-discovery control, hysteresis, calendars and feedback are those of
    the daemon. Nothing is written anywhere. With --set the detector is held against itself with something changed.

    Exit status: 0 when there is a report, 1 when files have mistakes or there are more alarms than --fail-above, 2 when
    an option is wrong, 3 when Prometheus or the database failed, or a page cannot be written.

    \b
    Examples:
      flyball anomaly backtest
      flyball anomaly backtest gateway-traffic --since 30d --html backtest.html
      flyball anomaly backtest gateway-traffic --series '{service="checkout"}' --since 7d
      flyball anomaly backtest gateway-traffic --set sensitivity=low --set open.steps=3
      flyball anomaly backtest --fail-above 2 --json | jq '.backtests[] | {label, alarms}'
    """
    detector, folder = apart(detector, folder)
    at = now()
    end = moment_or_exit(until, at, "--until") if until else at
    begin = moment_or_exit(since, end, "--since")
    if not timedelta(0) < end - begin <= _LONGEST:
        raise typer.BadParameter(f"must be before --until, by {_LONGEST.days} days at most", param_hint="--since")
    if end > at:
        raise typer.BadParameter("lies in the future", param_hint="--until")
    matchers = matchers_or_exit(series)
    chosen = chosen_or_exit(folder, detector)
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    variants = {each.name: _variants(each, changes or []) for each in chosen}
    try:
        with known(folder, database, settings) as what, _reader(settings) as read:
            tests = [
                test for each in chosen for test in _run(read, what, each, variants[each.name], (begin, end), matchers)
            ]
    except KeyboardInterrupt:
        typer.echo("Interrupted; nothing was written.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    _report(tests, len(variants[chosen[0].name]) if chosen else 1, as_json=as_json, html=html, most=most)
    rates = [each.alarms_per_series_month or 0.0 for each in tests if each.label == each.detector.name]
    if most_alarms is not None and any(rate > most_alarms for rate in rates):
        raise typer.Exit(ExitCode.PROBLEMS)


def _variants(detector: "AnomalyDetector", changes: Sequence[str]) -> "list[tuple[str, AnomalyDetector]]":
    """The detector as it is, and with all changes together."""
    from alerts.anomaly.backtesting.overrides import overridden

    if not changes:
        return [(detector.name, detector)]
    changed = detector
    for text in changes:
        try:
            changed = overridden(changed, text)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--set") from None
    return [(detector.name, detector), (", ".join(changes)[:60], changed)]


@contextmanager
def _reader(settings: "Settings") -> "Iterator[Reader]":
    """Reads the past of a detector from Prometheus or a ledger."""
    from alerts.anomaly.backtesting.costs import read_costs
    from alerts.anomaly.backtesting.past import read_past, warm_up

    with matrix_of(settings) as source, ledgers_of(settings) as ledgers:

        def read(detector: "AnomalyDetector", since: datetime, end: datetime) -> "Past":
            if detector.cost is not None:
                return read_costs(ledgers(detector.cost.ledger), detector, since, end)
            with progress_on(f"Reading {detector.name}") as progress:
                return read_past(source, detector, since - warm_up(detector), end, progress=progress)

        yield read


def _run(
    read: "Reader",
    what: "RulingsOf",
    detector: "AnomalyDetector",
    variants: "Sequence[tuple[str, AnomalyDetector]]",
    span: tuple[datetime, datetime],
    matchers: "Sequence[Matcher]",
) -> "Iterator[Backtest]":
    from alerts.anomaly.backtesting.replaying import backtest as replay
    from alerts.anomaly.scoring.steps import time_of

    past = _chosen(read(detector, *span), matchers)
    if not past.labels:
        typer.echo(f"{detector.name}: there are no such series in this time", err=True)
    start = time_of(past.first, past.step)
    for label, variant in variants:
        with progress_on(f"Scoring {label}") as progress:
            yield replay(variant, past, span[0], what(variant, start, span[1]), label=label, progress=progress)


def _chosen(past: "Past", matchers: "Sequence[Matcher]") -> "Past":
    from dataclasses import replace

    from alerts.anomaly.explaining.selecting import fits

    if not matchers:
        return past
    rows = [row for row, labels in enumerate(past.labels) if fits(matchers, labels)]
    return replace(past, labels=tuple(past.labels[row] for row in rows), values=past.values[rows])


def _report(tests: "Sequence[Backtest]", together: int, *, as_json: bool, html: Path | None, most: int) -> None:
    from alerts.anomaly.backtesting.as_json import as_json as json_text
    from alerts.anomaly.backtesting.as_text import as_text
    from controlplane.problem_report import printable

    if html is not None:
        from flyball.anomaly_page import of_backtests

        try:
            html.write_text(of_backtests(tests), encoding="utf-8")
        except OSError as error:
            fail(f"{html}: {error.strerror}", ExitCode.OUTSIDE)
        typer.echo(f"Written to {html}", err=True)
    if as_json:
        typer.echo(json_text(tests), nl=False)
        return
    parts = [as_text(tests[at : at + together], most=most) for at in range(0, len(tests), together)]
    typer.echo(printable("\n".join(parts), keep="\n"), nl=False)
