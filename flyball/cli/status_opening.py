"""What commands about status pages share: the pages of a workspace, its store, and how they end when those fail."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.ports import Store
    from synthetics.status_page.model import StatusPage

PageName = Annotated[str, typer.Argument(metavar="[PAGE]", help="The page; not needed where there is one.")]
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


def pages_or_exit(folder: Path) -> "dict[str, StatusPage]":
    """The pages that the workspace declares, by name; mistakes in their files end the program."""
    from synthetics.status_page.declared import declared
    from synthetics.status_page.kinds import KINDS

    pages = declared_or_exit(folder, declared, KINDS)
    if not pages:
        hint = "docs/how-to/publish-a-status-page.md says how to begin"
        fail(f"{folder} declares no StatusPage: {hint}", ExitCode.PROBLEMS)
    return pages


def page_or_exit(name: str, folder: Path) -> "StatusPage":
    """The page of that name, or the only one."""
    pages = pages_or_exit(folder)
    if name:
        return one_or_exit(pages, name, "StatusPage")
    if len(pages) > 1:
        fail(f"which page? There are {', '.join(sorted(pages))}", ExitCode.PROBLEMS)
    return next(iter(pages.values()))


@contextmanager
def opened(folder: Path, database: str) -> "Iterator[Store]":
    """The store, with its tables. What it says when it fails, and what is refused, ends the program."""
    from synthetics.status_page.desk import Refused

    url = database or settings_or_exit(folder).database_url.reveal()
    with opened_store(url, "status", Refused) as store:
        yield store


def measured_or_unknown(page: "StatusPage", folder: Path, at: datetime) -> "frozenset[str] | None":
    """Which SLOs have data, as `flyball up` asks it; nobody is asked about a page that names none."""
    from controlplane.ports import Permanent, Transient
    from flyball.cli.cost.ledgers import prometheus_of
    from flyball.synthetics.measured_slos import measured_slos

    if not any(component.sources.slos for component in page.components):
        return None
    try:
        with prometheus_of(settings_or_exit(folder)) as backend:
            return measured_slos(backend, at)
    except (Transient, Permanent) as error:
        typer.echo(f"flyball status: {error}: what only objectives know is unknown", err=True)
        return None


def now() -> datetime:
    """By the machine's clock."""
    from controlplane.adapters.clock import SystemClock

    return SystemClock().now()


def moment_or_exit(text: str, page: "StatusPage", option: str) -> datetime:
    """A time by the clocks of the page's zone, or with an offset."""
    from controlplane.calendar.moments import moment_of
    from controlplane.calendar.zones import zone

    found = moment_of(text, zone(page.time_zone))
    if found is None:
        hint = f"a time such as 2026-12-05 22:00 ({page.time_zone}), or 2026-12-05T22:00Z"
        raise typer.BadParameter(hint, param_hint=option)
    return found


def printed(data: object, text: str, *, as_json: bool) -> None:
    """As JSON or as text."""
    typer.echo(json.dumps(data, ensure_ascii=False) if as_json else text)
