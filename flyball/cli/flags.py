"""`flyball flags`: the flags that ladders may change, and which of them should go."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail

if TYPE_CHECKING:
    from datetime import datetime

    from finops.flags.hygiene import FlagReport, Limits, Seen
    from finops.flags.model import DeclaredStore

    AsText = Callable[[Sequence[FlagReport], datetime], str]

_HELP: Final = """Flags that downshift ladders may change: values, owners, expiry, and which of them are stale.

\b
Examples:
  flyball flags list
  flyball flags sunset --unused-for 30d --fail
"""
_UNITS: Final = {"d": 1, "w": 7}

app = typer.Typer(no_args_is_help=True, help=_HELP)
Folder = Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")]
StoreName = Annotated[str, typer.Option("--store", metavar="NAME", help="One FlagStore only.")]
AsJSON = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")]


@app.command("list")
def list_(folder: Folder = Path(), store: StoreName = "", as_json: AsJSON = False) -> None:
    """List every declared flag: its value now (* where it is not normal), owner, expiry, and when it was asked for.

    Exit status: 0; 1 when files have mistakes; 3 when a store did not answer.

    \b
    Examples:
      flyball flags list
      flyball flags list examples/intelgraph --json | jq '.[] | select(.value != .normal)'
    """
    from finops.flags.hygiene import Limits
    from finops.flags.hygiene_views import list_text

    _shown(folder, store, Limits(), list_text, as_json=as_json)


@app.command("sunset")
def sunset(
    folder: Folder = Path(),
    store: StoreName = "",
    unused_for: Annotated[
        str,
        typer.Option("--unused-for", metavar="LENGTH", help="No application asked for it for so long, such as 30d."),
    ] = "30d",
    unchanged_for: Annotated[
        str, typer.Option("--unchanged-for", metavar="LENGTH", help="It had one value for so long, such as 90d.")
    ] = "90d",
    fails: Annotated[bool, typer.Option("--fail", help="Exit 1 when a flag is stale.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Report stale flags, with what to do: expired, unused, missing, archived, left on, or set by no ladder.

    What a store does not tell is no finding. Exit status: 0; 1 when files have mistakes, or with --fail when a flag is
    stale; 3 when a store did not answer.

    \b
    Examples:
      flyball flags sunset
      flyball flags sunset --unused-for 14d --fail
      flyball flags sunset --json | jq -r '.[] | select(.findings != []) | .owner' | sort | uniq -c
    """
    from finops.flags.hygiene import Limits
    from finops.flags.hygiene_views import sunset_text

    limits = Limits(_days_or_exit(unused_for, "--unused-for"), _days_or_exit(unchanged_for, "--unchanged-for"))
    reports = _shown(folder, store, limits, sunset_text, as_json=as_json)
    if fails and any(report.is_stale for report in reports):
        raise typer.Exit(ExitCode.PROBLEMS)


def _shown(folder: Path, store: str, limits: "Limits", as_text: "AsText", *, as_json: bool) -> "list[FlagReport]":
    import json

    from controlplane.adapters.clock import SystemClock
    from finops.flags.hygiene import examine
    from finops.flags.hygiene_views import data

    now = SystemClock().now()
    stores, used_by = _declared_or_exit(folder, store)
    reports: list[FlagReport] = []
    for each in stores:
        seen = _looked_at(each, folder, limits)
        reports += examine(each, seen, used_by.get(each.name, {}), now=now, limits=limits)
    typer.echo(json.dumps(data(reports), ensure_ascii=False) if as_json else as_text(reports, now))
    if any(report.fault for report in reports):
        raise typer.Exit(ExitCode.OUTSIDE)
    return reports


def _declared_or_exit(folder: Path, name: str) -> "tuple[Sequence[DeclaredStore], dict[str, dict[str, list[str]]]]":
    """The stores, and by store and flag the tiers that set it."""
    from finops.flags.declared import declared
    from flyball.cli.declared import declared_or_exit, one_or_exit
    from flyball.cli.ladder.opening import ladders_or_exit

    stores = declared_or_exit(folder, declared)
    if not stores:
        hint = "docs/how-to/connect-a-flag-store.md says how to begin"
        fail(f"{folder} declares no FlagStore: {hint}", ExitCode.PROBLEMS)
    used_by: dict[str, dict[str, list[str]]] = {}
    for ladder in ladders_or_exit(folder).values():
        for tier in ladder.tiers:
            for flag, _ in tier.flags:
                used_by.setdefault(ladder.store, {}).setdefault(flag, []).append(f"{ladder.name} {tier.number}")
    return ([one_or_exit(stores, name, "FlagStore")] if name else list(stores.values())), used_by


def _looked_at(store: "DeclaredStore", folder: Path, limits: "Limits") -> "Seen":
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent
    from finops.flags.adapters.opening import open_declared
    from finops.flags.looking import failed, look
    from flyball.ladder.stores import secret_names
    from flyball.settings import secrets_of

    clock = SystemClock()
    try:
        variables = secrets_of(secret_names(store))
        opened = open_declared(store, folder=folder, variables=variables, clock=clock)
    except Permanent as error:
        return failed(store.flags, str(error))
    try:
        return look(opened.store, store.flags, clock.now() - 2 * limits.unchanged_for)
    finally:
        opened.close()


def _days_or_exit(text: str, option: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isascii() or not number.isdecimal() or len(number) > 4 or unit not in _UNITS or int(number) == 0:
        raise typer.BadParameter(f"`{text}` is no length: write 30d or 4w", param_hint=option)
    return timedelta(days=int(number) * _UNITS[unit])
