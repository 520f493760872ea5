"""`flyball ladder drill --dry-run`: what a drill would meet, without a write."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import values_or_exit
from flyball.cli.ladder.opening import now, printed
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.ladder_ports import JourneyRunner
    from controlplane.specfile import Declared, Document
    from controlplane.store import SqlStore
    from finops.ladder.acting.stepper import Stepper
    from finops.ladder.orders import Target
    from flyball.synthetics.declared import ChecksDeclared


def show_rehearsal(store: "SqlStore", target: "Target", folder: Path, to: int, *, as_json: bool) -> None:
    """Read every flag up to a tier and walk the journeys of the tiers; ends with 1 when a drill would fail now."""
    from finops.ladder.acting.rehearsing import rehearse
    from finops.ladder.orders import check_rehearsal
    from finops.ladder.rehearsal_views import rehearsal_data, rehearsal_text

    with store.transaction(read_only=True) as transaction:
        ladder = check_rehearsal(target, transaction.ladders.state(target.name), to)
    with _stepping(store, folder) as stepper:
        told = rehearse(stepper, ladder, to, now())
    printed(rehearsal_data(told), rehearsal_text(told), as_json=as_json)
    if told.problems:
        raise typer.Exit(ExitCode.PROBLEMS)


@contextmanager
def _stepping(store: "SqlStore", folder: Path) -> "Iterator[Stepper]":
    from controlplane.adapters.clock import SystemClock
    from finops.flags.declared import declared
    from finops.flags.kinds import KINDS
    from finops.ladder.acting.stepper import Stepper
    from flyball.ladder.stores import DeclaredStores

    found, clock = values_or_exit(folder, declared, KINDS), SystemClock()
    stores = DeclaredStores(lambda: found, folder, clock)
    try:
        is_killed = settings_or_exit(folder).ladder.why_stopped
        yield Stepper(store, stores, stores.declared, _journeys(folder), is_killed, time.sleep, clock)
    finally:
        stores.close()


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
