"""From the decision to move to the moment in which an application sees its flags, on a flagd file and on Unleash."""

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.postgresql import postgresql
from benchmarks.report import Figure, progress, show
from controlplane.model.check import CheckResult
from controlplane.model.ladder import StepOutcome, StepRecord
from controlplane.store import SqlStore, migrate, open_store
from finops.flags.adapters.opening import Opened, open_declared
from finops.flags.model import DeclaredStore
from finops.ladder.daemon import LadderDaemon
from finops.ladder.model import Ladder, Verification
from finops.ladder.readings import Quality, Reading, Readings
from tests.finops.flags.unleash_server import CLIENT_TOKEN, ENVIRONMENT, PROJECT, TOKEN, running_unleash
from tests.finops.ladder.acting.places import FILE, VARIANTS, write_file
from tests.finops.ladder.acting.world import DECLARED, LADDER, NAME, NORMAL

STEPS: Final = 12  # up to the highest tier and down again, and half of that once more
LIMITS: Final[Mapping[str, float]] = {"flagd file": 2, "Unleash": 5}


def run() -> None:
    """Measure and print."""
    figures = []
    with tempfile.TemporaryDirectory() as name, _file(Path(name)) as opened:
        figures += _figures("flagd file", _steps(Path(name), opened))
    with tempfile.TemporaryDirectory() as name, _unleash() as opened:
        figures += _figures("Unleash", _steps(Path(name), opened))
    show("Ladder visibility: from the decision to the flag in an application", figures)


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class _NoJourneys:
    def run(self, journeys: object, now: datetime) -> list[CheckResult]:
        return []


@contextmanager
def _file(folder: Path) -> Iterator[Opened]:
    write_file(folder / FILE)
    store = replace(DECLARED, type="flagd", options=(("file", FILE),))
    opened = open_declared(store, folder=folder, variables={}, clock=_Clock())
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _unleash() -> Iterator[Opened]:
    with postgresql() as url, running_unleash(url) as server:
        for flag, value in NORMAL.items():
            if isinstance(value, bool):
                server.create(flag, on=value)
            else:
                kind = "number" if isinstance(value, int) else "string"
                server.serve(flag, [str(each) for each in VARIANTS[flag].values()], str(value), kind=kind)
        options = {
            "url": server.url, "project": PROJECT, "environment": ENVIRONMENT, "tokenFrom": "T", "clientTokenFrom": "C",
        }  # fmt: skip
        store: DeclaredStore = replace(DECLARED, type="unleash", options=tuple(options.items()))
        opened = open_declared(store, folder=Path(), variables={"T": TOKEN, "C": CLIENT_TOKEN}, clock=_Clock())
        try:
            yield opened
        finally:
            opened.close()


def _steps(folder: Path, opened: Opened) -> list[StepRecord]:
    """Verified steps at the real pace, without settling and without journeys."""
    url = f"sqlite:///{folder}/state.db"
    migrate(url)
    store = open_store(url)
    tiers = tuple(replace(tier, journeys=()) for tier in LADDER.tiers)
    ladder = replace(
        LADDER, tiers=tiers, every=timedelta(0),
        verification=Verification(visible_within=timedelta(seconds=30), settle=timedelta(0)),
    )  # fmt: skip
    burns = itertools.cycle([4] * 4 + [0] * 4)
    present = {"burn": 0}
    daemon = _daemon(store, opened, lambda: present["burn"])
    for number in range(STEPS):
        present["burn"] = next(burns)
        time.sleep(0.13 * number)  # to meet the clients' own turns at any phase
        daemon.run_once((ladder,), datetime.now(UTC))
        progress(f"step {number + 1} of {STEPS}")
    with store.transaction(read_only=True) as transaction:
        steps = transaction.ladders.steps(NAME)
    store.close()
    assert len(steps) == STEPS
    assert all(step.outcome is StepOutcome.COMMITTED for step in steps), [step.detail for step in steps]
    return steps


def _daemon(store: SqlStore, opened: Opened, burn: Callable[[], int]) -> LadderDaemon:
    numbers = itertools.count()

    @contextmanager
    def open_flags(name: str) -> Iterator[Opened]:
        yield opened

    def read(ladder: Ladder, now: datetime, savings: Mapping[int, Decimal]) -> Readings:
        return Readings(now, {"burn": Reading(Quality.GOOD, Decimal(burn()), now)}, savings=savings)

    return LadderDaemon(
        store=store,
        open_store=open_flags,
        stores=lambda: (DECLARED,),
        read_signals=read,
        run_journeys=_NoJourneys(),
        is_killed=lambda: "",
        ids=lambda: f"s{next(numbers)}",
        wait=time.sleep,
        clock=_Clock(),
    )


def _figures(name: str, steps: list[StepRecord]) -> list[Figure]:
    took = [(step.visible_at - step.decided_at).total_seconds() for step in steps if step.visible_at is not None]
    written = [(step.written_at - step.decided_at).total_seconds() for step in steps if step.written_at is not None]
    return [
        Figure(f"{name}: slowest of {len(took)} steps", max(took), "s", LIMITS[name], detail="seen by clients"),
        Figure(f"{name}: … the middle one", median(took), "s"),
        Figure(f"{name}: … of that until it is written", median(written), "s"),
    ]
