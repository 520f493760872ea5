"""What commands about usage need: the workspace's meters and contracts, and the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, values_or_exit
from flyball.cli.opened_store import opened_store

if TYPE_CHECKING:
    from controlplane.ports import Store
    from exporters.usage.ports import AchievedSLO
    from exporters.usage.terms import UsageTerms
    from flyball.settings import Settings

Workspace = Annotated[Path, typer.Option("-w", "--workspace", metavar="DIR", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON; decimals are texts.")]
Month = Annotated[str, typer.Option("--period", metavar="YYYY-MM", help="The month, such as 2026-11.")]


def month_or_exit(period: str) -> str:
    """The month as it was typed, if it is one."""
    from exporters.usage.periods import is_period

    if not is_period(period):
        raise typer.BadParameter("must be a month such as 2026-11", param_hint="--period")
    return period


def terms_or_exit(folder: Path) -> "UsageTerms":
    """Meters, quotas and contracts of the workspace; mistakes in the files that hold them end the program.

    A meter that cannot be read must not be taken for one that is not there: its events would not be counted.
    """
    from exporters.usage.declared import declared

    found = values_or_exit(folder, declared)
    if not found or not found[0].meters:
        fail(f"{folder} declares no Meter: docs/how-to/meter-usage.md says how to write one", ExitCode.PROBLEMS)
    return found[0]


@contextmanager
def opened(settings: "Settings", database: str) -> "Iterator[Store]":
    """The store, with its tables. What the database says when it fails ends the program."""
    with opened_store(database or settings.database_url.reveal(), "usage") as store:
        yield store


@contextmanager
def recorded_slos(settings: "Settings") -> "Iterator[AchievedSLO]":
    """What SLOs achieved, as the workspace's Prometheus has recorded it."""
    from controlplane.adapters.prometheus import PrometheusBackend
    from exporters.usage.recorded_slo import RecordedSLO

    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials)
    try:
        yield RecordedSLO(backend)
    finally:
        backend.close()
