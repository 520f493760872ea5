"""`flyball ladder drill --dry-run`: what a drill would meet, without a write."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, values_or_exit
from flyball.cli.ladder.opening import now, printed
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.ladder_ports import JourneyRunner
    from controlplane.specfile import Declared, Document
    from controlplane.store import SqlStore
    from finops.flags.model import DeclaredStore
    from finops.flags.ports import OpenedStore, OpenStore
    from finops.ladder.acting.stepper import Stepper
    from finops.ladder.orders import Target
    from flyball.synthetics.declared import ChecksDeclared

_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")


def show_rehearsal(store: "SqlStore", target: "Target", folder: Path, to: int, *, as_json: bool) -> None:
    """Read every flag up to a tier and walk the journeys of the tiers; ends with 1 when a drill would fail now."""
    from finops.ladder.acting.rehearsing import rehearse
    from finops.ladder.orders import check_rehearsal
    from finops.ladder.rehearsal_views import rehearsal_data, rehearsal_text

    with store.transaction(read_only=True) as transaction:
        ladder = check_rehearsal(target, transaction.ladders.state(target.name), to)
    told = rehearse(_stepper(store, folder), ladder, to, now())
    printed(rehearsal_data(told), rehearsal_text(told), as_json=as_json)
    if told.problems:
        raise typer.Exit(ExitCode.PROBLEMS)


def _stepper(store: "SqlStore", folder: Path) -> "Stepper":
    from controlplane.adapters.clock import SystemClock
    from finops.flags.declared import declared
    from finops.flags.kinds import KINDS
    from finops.ladder.acting.stepper import Stepper

    stores = values_or_exit(folder, declared, KINDS)
    return Stepper(
        store=store,
        open_store=_opener({each.name: each for each in stores}, folder),
        stores=lambda: stores,
        journeys=_journeys(folder),
        is_killed=settings_or_exit(folder).ladder.why_stopped,
        wait=time.sleep,
        clock=SystemClock(),
    )


def _opener(stores: "Mapping[str, DeclaredStore]", folder: Path) -> "OpenStore":
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent
    from finops.flags.adapters.opening import open_declared

    @contextmanager
    def opened(name: str) -> "Iterator[OpenedStore]":
        if name not in stores:
            raise Permanent(f"FlagStore {name} is not declared")
        found = open_declared(stores[name], folder=folder, variables=_variables(stores[name]), clock=SystemClock())
        try:
            yield found
        finally:
            found.close()

    return opened


def _variables(declared: "DeclaredStore") -> dict[str, str]:
    """Those that the store's document names, from the environment, or from the files that NAME_FILE names."""
    from flyball.settings import variables_of

    names = {value for _, value in declared.options if _VARIABLE.fullmatch(value)}
    found = variables_of({*names, *(f"{name}_FILE" for name in names)})
    for name in names - found.keys():
        if path := found.get(f"{name}_FILE"):
            try:
                found[name] = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError):
                fail(f"flyball ladder: {name}_FILE names {path}, which cannot be read", ExitCode.OUTSIDE)
    return found


def _journeys(folder: Path) -> "JourneyRunner":
    from secrets import token_bytes

    from controlplane.adapters.clock import SystemClock
    from controlplane.specfile import Declared
    from flyball.ladder.journeys import DeclaredJourneys
    from flyball.synthetics.declared import KINDS, checks_of
    from flyball.synthetics.region_checks import RegionChecks

    def read(documents: "Sequence[Document]") -> "Declared[ChecksDeclared]":
        checks, problems = checks_of(documents)
        return Declared((checks,), problems)

    (declared,) = values_or_exit(folder, read, KINDS)
    checks = settings_or_exit(folder).checks
    maker = RegionChecks(checks.region, folder, checks.directory / "artifacts", token_bytes)
    return DeclaredJourneys(lambda: declared, maker, SystemClock())
