"""What commands about DORA metrics share: the policy, the store, times, names, and how all of it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.asking import length_or_exit
from flyball.cli.declared import fail, show_or_exit
from flyball.cli.opened_store import opened_store
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog
    from controlplane.store import SqlStore
    from exporters.dora.policy.model import DeliveryPolicy

Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
Database = Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]
Since = Annotated[str, typer.Option("--since", metavar="LENGTH", help="That long until now, such as 30d, 12h.")]
Service = Annotated[str, typer.Option("--service", metavar="NAME", help="Only this service.")]
Environment = Annotated[
    str,
    typer.Option(
        "--environment", metavar="NAME", help="Only this one; `all` for any.", show_default="the policy's production"
    ),
]
Limit = Annotated[int, typer.Option(min=1, max=5000, help="At most so many.")]
ALL: Final = "all"


def policy_or_exit(folder: Path) -> "DeliveryPolicy":
    """The workspace's DeliveryPolicy, or what holds without one; mistakes in it end the program."""
    from controlplane.adapters.files import read_folder
    from controlplane.problems import in_order
    from flyball.delivery.declared import KINDS, delivery_of
    from flyball.reading_kinds import read_kinds

    if not folder.is_dir():
        fail(f"{folder} is not a folder", ExitCode.PROBLEMS)
    files, unreadable = read_folder(folder)
    documents, broken = read_kinds(files, KINDS)
    declared, problems = delivery_of(documents)
    show_or_exit(folder, in_order([*unreadable, *broken, *problems]))
    return declared.policy


@contextmanager
def opened(folder: Path, database: str) -> "Iterator[SqlStore]":
    """The store, with its tables. What it says when it fails, and names that fit nothing, end the program."""
    from exporters.dora.report.finding import NotFound

    url = database or settings_or_exit(folder).database_url.reveal()
    with opened_store(url, "dora", NotFound) as store:
        yield store


def stretch_or_exit(since: str, first: str, until: str, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """[start, end): a length until now, or days of the policy's time zone; `until` is the last day that counts."""
    if since and (first or until):
        raise typer.BadParameter("say one of --since and --from", param_hint="--since")
    if not (first or until):
        return now - length_or_exit(since or "90d", "--since"), now
    end = _midnight(until, "--to", zone, days=1) if until else now
    start = _midnight(first, "--from", zone) if first else end - timedelta(days=90)
    if start >= end:
        raise typer.BadParameter("must lie before --to", param_hint="--from")
    return start, min(end, now) if start < now else end


def _midnight(text: str, option: str, zone: str, *, days: int = 0) -> datetime:
    from datetime import date
    from zoneinfo import ZoneInfo

    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"`{text[:40]}` is no day such as 2026-11-30", param_hint=option) from None
    return datetime.combine(day + timedelta(days=days), time.min, ZoneInfo(zone)).astimezone(UTC)


def environments_of(environment: str, policy: "DeliveryPolicy") -> tuple[str, ...]:
    """Those that are asked for, by our names; none means any."""
    if environment == ALL:
        return ()
    return (policy.environment(environment),) if environment else policy.production


def check_names(
    log: "DeliveryLog", policy: "DeliveryPolicy", *, service: str, team: str = "", environment: str
) -> None:
    """End the program for a service, team or environment of which nothing is known; says which one is meant."""
    known = log.services()
    environments = {each for _, each in known}
    if service:
        _check("service", policy.service(service), {each for each, _ in known})
    if team:
        _check("team", team, set(policy.teams.values()))
    if environment not in ("", ALL):
        _check("environment", policy.environment(environment), environments)


def _check(kind: str, name: str, known: set[str]) -> None:
    from controlplane.specfile import did_you_mean

    if name in known:
        return
    if not known:
        hint = "nothing is known of any yet: docs/how-to/send-events.md"
    else:
        meant = did_you_mean(name, known)
        names = ", ".join(sorted(known)[:10]) + (f" and {len(known) - 10} more" if len(known) > 10 else "")
        hint = f"did you mean `{meant}`?" if meant else f"there is {names}"
    fail(f"no {kind} is named `{name}`: {hint}", ExitCode.PROBLEMS)
