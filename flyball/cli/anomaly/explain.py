"""`flyball anomaly explain`: one step of one series, from a fresh reading, or an episode of the store."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from flyball.cli import ExitCode
from flyball.cli.anomaly.opening import (
    AsJSON,
    Database,
    Folder,
    PrometheusURL,
    SeriesOption,
    answer,
    detectors_or_exit,
    known,
    ledgers_of,
    matchers_or_exit,
    matrix_of,
    moment_or_exit,
    opened,
)
from flyball.cli.asking import now
from flyball.cli.declared import fail, one_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.anomaly.model import AnomalyDetector
    from controlplane.matrix_ports import MatrixBackend
    from controlplane.model.anomaly import Episode
    from controlplane.model.matcher import Matcher
    from controlplane.model.spend import Ledger
    from controlplane.ports import CostLedger

_DELAY: Final = timedelta(seconds=60)  # after its time a step is complete, as in the daemon
_LOOKED_BACK: Final = 3  # steps in which series are looked for
_MOST_NAMED: Final = 8


def explain(
    subject: Annotated[str, typer.Argument(metavar="DETECTOR|EPISODE", help="A detector, or an episode's id.")],
    folder: Folder = Path(),
    series: SeriesOption = "",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="In RFC 3339, or how long ago (2h).", show_default="now")
    ] = "",
    prometheus: PrometheusURL = "",
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Explain a step of a series: what was expected, how rare it is, the same time on earlier days, whether it alerts.

    Prometheus is read anew, so no daemon needs to run. A detector with several series needs --series, which one of
    them must fit. An episode of the store is explained at its worst step.

    Exit status: 0, 1 when files have mistakes or nothing has that name, 2 when an option is wrong, 3 when Prometheus or
    the database failed.

    \b
    Examples:
      flyball anomaly explain gateway-traffic --series '{service="checkout"}'
      flyball anomaly explain gateway-traffic --series service=checkout --at 2026-11-30T09:35:00Z
      flyball anomaly explain 4f1d2c9a77e0b513
      flyball anomaly explain gateway-traffic --json | jq .said
    """
    from alerts.anomaly.explaining.asking import explain as explained
    from alerts.anomaly.explaining.told import explained_data, explained_text

    moment = moment_or_exit(at, now(), "--at") if at else None
    matchers = matchers_or_exit(series)
    detectors = detectors_or_exit(folder)
    episode = None if subject in detectors else _episode(folder, database, subject, detectors)
    detector = detectors[episode.detector if episode else subject]
    settings = settings_or_exit(folder, {"prometheus.url": prometheus})
    with known(folder, database, settings) as what, matrix_of(settings) as source, ledgers_of(settings) as ledgers:
        when = moment or (episode.worst_at if episode else _newest(detector))
        labels = episode.labels if episode else _one_series(_there(source, ledgers, detector, when), detector, matchers)
        found = explained(source, detector, labels, when, what, ledgers)
    if found is None:
        from alerts.anomaly.scoring.lineup import series_text
        from controlplane.problem_report import printable

        fail(f"nothing is known of {printable(series_text(labels))} at that time", ExitCode.PROBLEMS)
    answer(explained_data(found), explained_text(found, detector), as_json=as_json)


def _newest(detector: "AnomalyDetector") -> datetime:
    """In the newest step that is complete; of costs, which come late, whatever the ledger has."""
    return now() - (detector.step if detector.cost else _DELAY)


def _episode(folder: Path, database: str, name: str, detectors: "Mapping[str, AnomalyDetector]") -> "Episode":
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        found = transaction.anomalies.episode(name)
    if found is None:
        one_or_exit(detectors, name, "AnomalyDetector or episode")
        raise AssertionError("ended")
    if found.detector not in detectors:
        fail(f"{name} is of {found.detector}, which these files do not declare any more", ExitCode.PROBLEMS)
    return found


def _there(
    source: "MatrixBackend", ledgers: "Callable[[Ledger], CostLedger]", detector: "AnomalyDetector", at: datetime
) -> "Sequence[Mapping[str, str]]":
    """Labels of the series that there are around a time."""
    from alerts.anomaly.backtesting.costs import read_costs
    from alerts.anomaly.scoring.steps import index_at, time_of

    end = time_of(index_at(at, detector.step), detector.step)
    if detector.cost is not None:
        return read_costs(ledgers(detector.cost.ledger), detector, end, end).labels
    start = end - _LOOKED_BACK * detector.step
    return source.matrix(detector.query, start, end, detector.step, most_series=2 * detector.most_series).labels


def _one_series(
    there: "Sequence[Mapping[str, str]]", detector: "AnomalyDetector", matchers: "Sequence[Matcher]"
) -> Mapping[str, str]:
    """If not exactly one fits, they are named and the program ends."""
    from alerts.anomaly.explaining.selecting import fits
    from alerts.anomaly.scoring.lineup import lineup_of, series_text

    lineup = lineup_of(there, detector.grouping)
    found = [each for each in lineup.labels if fits(matchers, each)]
    exact = [each for each in found if {it.name: it.value for it in matchers} == dict(each)]
    if len(found) != 1 and not exact:
        _choose(detector.name, [series_text(each) for each in found or lineup.labels], len(found))
    return (exact or found)[0]


def _choose(detector: str, series: Sequence[str], fitting: int) -> NoReturn:
    from controlplane.problem_report import printable

    if not series:
        fail(f"{detector}: there is no series of it at that time", ExitCode.PROBLEMS)
    named = "".join(f"\n  --series {printable(quote(each))}" for each in series[:_MOST_NAMED])
    named += f"\n  and {len(series) - _MOST_NAMED} more" if len(series) > _MOST_NAMED else ""
    said = f"{fitting} series fit" if fitting else "no series fits"
    fail(f"{detector}: {said}; choose one:{named}", ExitCode.PROBLEMS)
