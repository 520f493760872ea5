"""`flyball anomaly list`, `show`, `episodes`: what is watched, and what was told."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.anomaly.opening import (
    AsJSON,
    Database,
    Folder,
    answer,
    apart,
    detector_or_exit,
    detectors_or_exit,
    moment_or_exit,
    opened,
)
from flyball.cli.asking import now
from flyball.cli.declared import fail

if TYPE_CHECKING:
    from alerts.anomaly.backtesting.listed import Listed
    from alerts.anomaly.model import AnomalyDetector
    from controlplane.store import SqlStore

_RECENT: Final = timedelta(days=7)
_MOST: Final = 5000


def list_(folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """List the detectors of the workspace: since when models of them are kept, what is open, what the past week told.

    Exit status: 0, 1 when files have mistakes, 3 when the database failed.

    \b
    Examples:
      flyball anomaly list
      flyball anomaly list --json | jq '.detectors[] | select(.open > 0) | .name'
    """
    from alerts.anomaly.backtesting.listed import detectors_text, listed_data

    at = now()
    detectors = detectors_or_exit(folder)
    with opened(folder, database) as store:
        rows = [_state(store, each, at) for each in detectors.values()]
    text = detectors_text(rows) if rows else "No AnomalyDetector is declared: docs/how-to/detect-anomalies.md"
    answer({"detectors": [listed_data(each) for each in rows]}, text, as_json=as_json)


def show(
    name: Annotated[str, typer.Argument(metavar="DETECTOR", help="By name.")],
    folder: Folder = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Show a detector: its definition, its models, what is open, the past week's anomalies, what people said.

    Exit status: 0, 1 when files have mistakes or nothing has that name, 3 when the database failed.

    \b
    Examples:
      flyball anomaly show gateway-traffic
    """
    from alerts.anomaly.backtesting.listed import shown_data, shown_text

    detector = detector_or_exit(folder, name)
    at = now()
    with opened(folder, database) as store:
        row = _state(store, detector, at)
        with store.transaction(read_only=True) as transaction:
            recent = transaction.anomalies.episodes(at - _RECENT, at, detector=name)
            said = transaction.anomalies.feedback(name)
            open_now = transaction.anomalies.open_episodes(name)
    text = shown_text(row, detector, open_now, recent, said, at)
    answer(shown_data(row, detector, open_now, recent, said), text, as_json=as_json)


def episodes(
    name: Annotated[str, typer.Argument(metavar="[DETECTOR]", help="By name; left out: of all.")] = "",
    folder: Folder = Path(),
    since: Annotated[
        str, typer.Option("--since", metavar="LENGTH", help="How far back, or a time in RFC 3339.")
    ] = "7d",
    open_only: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="At most so many.")] = 50,
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """List anomalies that were told, latest first, with why.

    Exit status: 0, 2 when an option is wrong, 3 when the database failed.

    \b
    Examples:
      flyball anomaly episodes
      flyball anomaly episodes gateway-traffic --since 30d
      flyball anomaly episodes --open --json | jq -r '.episodes[].series'
    """
    from alerts.anomaly.backtesting.as_json import episode_data
    from alerts.anomaly.backtesting.listed import episodes_text

    name, folder = apart(name, folder)
    at = now()
    start = moment_or_exit(since, at, "--since")
    if start >= at:
        raise typer.BadParameter("must lie in the past", param_hint="--since")
    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        log = transaction.anomalies
        found = log.episodes(start, at, detector=name or None, limit=limit if not open_only else _MOST)
    shown = [each for each in found if each.ended_at is None or not open_only][:limit]
    text = episodes_text(shown, at) if shown else _nothing(name, since)
    answer({"episodes": [episode_data(each) for each in shown]}, text, as_json=as_json)


def _nothing(name: str, since: str) -> str:
    of = f" of {name}" if name else ""
    return f"No anomaly{of} since {since}: flyball anomaly backtest says what would have been told."


def _state(store: "SqlStore", detector: "AnomalyDetector", at: datetime) -> "Listed":
    from alerts.anomaly.backtesting.listed import Listed

    with store.transaction(read_only=True) as transaction:
        log = transaction.anomalies
        models = log.models(detector.name)
        recent = log.episodes(at - _RECENT, at, detector=detector.name)
        return Listed(
            name=detector.name,
            title=detector.display_name or detector.name,
            step=detector.step,
            severity=detector.severity,
            fitted_at=max((each.fitted_at for each in models), default=None),
            open=len(log.open_episodes(detector.name)),
            recent=len(recent),
        )
