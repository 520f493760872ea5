"""What commands about anomalies share: detectors, the store, Prometheus, what is not learnt; how all of it fails."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from alerts.anomaly.explaining.asking import RulingsOf
    from alerts.anomaly.model import AnomalyDetector
    from controlplane.adapters.prometheus_matrix import PrometheusMatrix
    from controlplane.model.matcher import Matcher
    from controlplane.model.spend import Ledger
    from controlplane.ports import CostLedger
    from controlplane.store import SqlStore
    from flyball.demo.steps import Report
    from flyball.settings import Settings

Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
PrometheusURL = Annotated[
    str, typer.Option("--prometheus", metavar="URL", help="Prometheus' address; by default that of flyball.yaml.")
]
SeriesOption = Annotated[
    str, typer.Option("--series", metavar="SELECTOR", help="""Series by their labels: '{service="checkout"}'.""")
]
_QUERY_SECONDS: Final = 120.0
_SQLITE: Final = "sqlite:///"


def detectors_or_exit(folder: Path) -> "dict[str, AnomalyDetector]":
    """The detectors of the workspace's files, as they are now; mistakes in them end the program."""
    from alerts.anomaly.declared import declared
    from alerts.anomaly.kinds import KINDS

    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    return declared_or_exit(folder, declared, KINDS)


def apart(name: str, folder: Path) -> tuple[str, Path]:
    """A name and a workspace: what stands in the name's place is the workspace where it can only mean a folder."""
    from flyball.settings import FILE_NAME

    found = Path(name)
    if name and folder == Path() and found.is_dir():
        is_meant = "/" in name or name.startswith(".") or (found / FILE_NAME).is_file()
        return ("", found) if is_meant else (name, folder)
    return name, folder


def detector_or_exit(folder: Path, name: str) -> "AnomalyDetector":
    """The one of that name."""
    return one_or_exit(detectors_or_exit(folder), name, "AnomalyDetector")


def chosen_or_exit(folder: Path, name: str) -> "list[AnomalyDetector]":
    """The one of that name, or all where none is named; a workspace without any ends the program."""
    found = detectors_or_exit(folder)
    if not found:
        hint = "docs/how-to/detect-anomalies.md says how to write one"
        fail(f"{folder} declares no AnomalyDetector: {hint}", ExitCode.PROBLEMS)
    return [one_or_exit(found, name, "AnomalyDetector")] if name else list(found.values())


def matchers_or_exit(text: str) -> "tuple[Matcher, ...]":
    """Of `--series`."""
    from alerts.anomaly.explaining.selecting import selector

    try:
        return selector(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--series") from None


@contextmanager
def opened(folder: Path, database: str) -> "Iterator[SqlStore]":
    """The store, with its tables. What it says when it fails ends the program."""
    url = database or settings_or_exit(folder).database_url.reveal()
    with opened_store(url, "anomaly") as store:
        yield store


@contextmanager
def matrix_of(settings: "Settings") -> "Iterator[PrometheusMatrix]":
    """The workspace's Prometheus. What it says when it fails ends the program."""
    from controlplane.adapters.prometheus_matrix import PrometheusMatrix
    from controlplane.ports import Permanent, Transient

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    source = PrometheusMatrix(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        yield source
    except (Transient, Permanent) as error:
        fail(f"flyball anomaly: {error}", ExitCode.OUTSIDE)
    finally:
        source.close()


@contextmanager
def known(folder: Path, database: str, settings: "Settings") -> "Iterator[RulingsOf]":
    """What the workspace's calendars and database keep from being learnt. No database is made where there is none."""
    from flyball.anomalies.deployments import StoredDeployments
    from flyball.anomalies.rulings import StoredRulings
    from flyball.cli.dora.opening import policy_or_exit

    url = database or settings.database_url.reveal()
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file():
        typer.echo("There is no database yet: feedback and deployments are not known.", err=True)
        yield StoredRulings(None, None).of
        return
    with opened_store(url, "anomaly") as store:
        yield StoredRulings(store, StoredDeployments(store, lambda: policy_or_exit(folder))).of


@contextmanager
def ledgers_of(settings: "Settings") -> "Iterator[Callable[[Ledger], CostLedger]]":
    """The workspace's ledgers by their kind. What they say when they fail ends the program."""
    from controlplane.model.spend import Ledger
    from controlplane.ports import Permanent, Transient
    from flyball.cli.cost.ledgers import declared_ledger, estimated_ledger, prometheus_of

    def ledger(kind: Ledger) -> "CostLedger":
        if kind is Ledger.ESTIMATED:
            return estimated_ledger(backend)
        if not settings.cost_directory.is_dir():
            raise Permanent(
                f"there is no billed ledger in {settings.cost_directory.name}/: flyball cost import makes one"
            )
        return declared_ledger(settings)

    try:
        with prometheus_of(settings) as backend:
            yield ledger
    except (Transient, Permanent) as error:
        fail(f"flyball anomaly: {error}", ExitCode.OUTSIDE)


def moment_or_exit(text: str, before: datetime, option: str) -> datetime:
    """A time in RFC 3339, or a length before another time."""
    from slo.replay.times import moment_before

    try:
        return moment_before(text, before)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def answer(data: object, text: str, *, as_json: bool) -> None:
    """As JSON, or as text that a terminal takes for no commands: labels and notes come from anywhere."""
    from controlplane.problem_report import printable
    from flyball.cli.asking import printed

    printed(data, printable(text, keep="\n"), as_json=as_json)


@contextmanager
def progress_on(title: str) -> "Iterator[Report]":
    """A bar with an estimate where somebody looks at it; a log needs none."""
    from flyball.demo.steps import steps_on

    if not sys.stderr.isatty():
        yield lambda share: None
        return
    with steps_on(sys.stderr) as steps, steps.step(title) as report:
        yield report
