"""Steps of a ladder in a process that is killed between any two statements, while a person changes flags.

Run as a program it reads a line of JSON for each run, does it, lets the next leader go on, and answers with a line:
what is wrong (nothing, if all is well), and what happened. Every line of ours that is executed is a statement: before
the one whose turn it is the process kills itself, as the kernel would, without a word. Forking saves the second that
imports take, so that thousands of runs are cheap.
"""

import json
import os
import pickle
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from controlplane import conventions as names
from controlplane.model.check import Outcome
from controlplane.model.ladder import FlagValue, LadderState, StepOutcome
from controlplane.store import SqlStore, open_store
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagWrite, WriteNote
from finops.flags.ports import FlagStore
from finops.ladder.acting.journal import unmoved
from finops.ladder.readings import Quality, Reading
from tests.finops.ladder.acting.places import Place, RealClock, load_tables, place_of
from tests.finops.ladder.acting.world import NORMAL, START, TIERS, SimulatedClock, World, at_tier

ROOT: Final = Path(__file__).resolve().parents[4]
TRACED: Final = tuple(str(ROOT / part) + os.sep for part in ("finops/ladder", "finops/flags", "controlplane/store"))
LEASE: Final = "leader"
LEASE_LIVES: Final = timedelta(milliseconds=1)
OTHERS: Final[Mapping[str, tuple[FlagValue, ...]]] = {
    "sampling": (False, True),
    "batch-frozen": (False, True),
    "limited": (False, True),
    "context": ("32000", "8000", "2000", "16000"),
    "enrichers-off": (False, True),
    "hops": (6, 2, 4),
}


@dataclass
class Person:
    """Changes flags at moments of their own, mostly those that the ladder is about to change. What they did is told.

    No flag twice: who changes one and puts it back before anybody looked has changed nothing.
    """

    place: Place
    chance: random.Random
    tell: Callable[[list[Any]], None]
    near: Sequence[str]
    done: Sequence[str] = ()

    def act(self) -> None:
        flag = self.chance.choice(self.near if self.chance.random() < 0.8 else sorted(OTHERS))
        if flag in self.done:
            return
        present = self.place.read(flag)
        value = self.chance.choice([each for each in OTHERS[flag] if each != present])
        self.place.edit(flag, value)
        self.tell(["edit", flag, value])


@dataclass
class Told:
    """A flag store whose calls are told, so that it is known afterwards what was read when."""

    inner: FlagStore
    tell: Callable[[list[Any]], None]

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        self.tell(["read"])
        found = self.inner.read(flags)
        self.tell(["was read"])
        return found

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        self.tell(["write", note.id])
        self.inner.write(writes, note)

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        return self.inner.history(flag, since)

    def close(self) -> None:
        self.inner.close()


@dataclass
class Statements:
    """Counts statements of ours as they are about to be executed; kills or lets a person act when it is time."""

    die_at: int
    person_at: int
    person: Callable[[], None]
    count: int = 0
    lines: frozenset[tuple[str, int]] = frozenset()

    def start(self) -> None:
        sys.settrace(self.trace)

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(TRACED):
            return None
        return self.line

    def line(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self.count += 1
            if self.count >= self.person_at > 0 and (frame.f_code.co_filename, frame.f_lineno) not in self.lines:
                self.person_at = 0
                self.person()
            if self.count == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.line


@dataclass(frozen=True)
class Run:
    """One run: where it starts, which way it goes, when it is killed and when a person acts; all from one seed."""

    seed: int
    kind: str
    folder: str
    template: str
    database: str
    statements: int

    def chance(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}/{what}")


def work(run: Run, what: str, place: Place, clock: SimulatedClock, done: Sequence[str], url: str, out: int) -> None:
    """One leader's turn, up to its end or to its death."""

    def tell(line: list[Any]) -> None:
        os.write(out, (json.dumps(line) + "\n").encode())

    chance, store = run.chance(what), opened(url)
    world = world_of(run, store, place, clock, tell)
    world.prefix = f"{what}-{run.seed}-"
    misfortune = chance.random()
    if misfortune < 0.15:
        world.journeys.says = lambda name: Outcome.FAILED
    elif misfortune < 0.25:
        place.is_blind = True
    take_lease(world, what)
    statements = Statements(
        die_at=chance.randrange(1, run.statements),
        person_at=chance.randrange(1, run.statements) if chance.random() < 0.5 else 0,
        person=Person(place, chance, tell, near(run), done).act,
        lines=place.blind_spots,
    )
    daemon = world.daemon()
    statements.start()
    daemon.run_once((world.ladder,), clock.now(), world.lease)
    sys.settrace(None)
    tell(["done", statements.count])
    store.close()


def world_of(
    run: Run, store: SqlStore, place: Place, clock: SimulatedClock, tell: Callable[[list[Any]], None]
) -> World:
    world = World(store, Told(place.store(clock), tell), place.client(clock), clock)
    world.burn = run.chance("way").choice((0, 4))
    return world


def start_of(run: Run) -> int:
    """The tier in which a run starts."""
    return run.chance("tier").randrange(5)


def near(run: Run) -> list[str]:
    """The flags that the first step changes."""
    tier, burn = start_of(run), run.chance("way").choice((0, 4))
    return sorted(TIERS[min(tier, 3)] if burn else TIERS[max(tier - 1, 0)])


def take_lease(world: World, holder: str) -> None:
    while world.lease is None:
        world.lease = world.store.leases.acquire(LEASE, holder, LEASE_LIVES)
        time.sleep(0.001)


@cache
def opened(url: str) -> SqlStore:
    """One for all runs, closed before a process forks: what it has put together of SQL is half of a run's work."""
    return open_store(url)


def in_a_child(job: Callable[[int], None]) -> tuple[int, list[list[Any]]]:
    """Its exit status, and the lines that it wrote."""
    inward, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(inward)
        try:
            job(out)
        finally:
            if sys.exc_info()[0] is not None:
                sys.settrace(None)
                import traceback

                traceback.print_exc()
                sys.stderr.flush()
            os._exit(0 if sys.exc_info()[0] is None else 1)
    os.close(out)
    with os.fdopen(inward) as stream:
        lines = [json.loads(line) for line in stream]
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), lines


def do(run: Run) -> dict[str, Any]:
    """One run from its template to its check."""
    chance, tier = run.chance("run"), start_of(run)
    place = place_of(run.kind, Path(run.folder))
    url = run.database or f"sqlite:///{run.folder}/state.db"
    place.restore(Path(run.template), tier)
    restore_database(run, tier, url)
    clock = SimulatedClock(START + timedelta(hours=1)) if run.kind == "flagd" else RealClock()
    history: list[list[Any]] = []
    statuses = []
    for what in ["first", "second"][: 1 + (chance.random() < 0.35)]:
        status, lines = in_a_child(partial(work, run, what, place, clock, edited(history), url))
        statuses.append(status)
        history += lines
        if status not in (0, -9):
            return {"seed": run.seed, "problems": [f"{what} ended with {status}"]}
        if chance.random() < 0.5:
            Person(place, chance, history.append, near(run), edited(history)).act()
        clock.wait(chance.choice((1, 20, 300, 1200)))
    problems = settle(run, url, place, clock, history)
    counts = [line[1] for line in history if line[0] == "done"]
    edits = sum(line[0] == "edit" for line in history)
    return {"seed": run.seed, "problems": problems, "statuses": statuses, "counts": counts, "edits": edits}


def edited(history: list[list[Any]]) -> list[str]:
    """The flags that a person has changed already."""
    return [line[1] for line in history if line[0] == "edit"]


def restore_database(run: Run, tier: int, url: str) -> None:
    if not run.database:
        for old in Path(run.folder).glob("state.db*"):
            old.unlink()  # the journal of a killed process as well: it would be played back into the new file
        shutil.copyfile(Path(run.template) / f"tier-{tier}.db", Path(run.folder) / "state.db")
        return
    load_tables(url, pickle.loads((Path(run.template) / f"tier-{tier}.tables").read_bytes()))


def settle(run: Run, url: str, place: Place, clock: SimulatedClock, history: list[list[Any]]) -> list[str]:
    """The next leader finishes or undoes what was left. Then all is checked; and once more back at full service."""
    store = opened(url)
    place.is_blind = False
    try:
        world = world_of(run, store, place, clock, history.append)
        world.prefix = f"last-{run.seed}-"
        take_lease(world, "last")
        if isinstance(clock, RealClock):
            clock.late = timedelta(seconds=run.chance("late").choice((45, 120, 1200)))
        world.burn = Reading(Quality.MISSING)  # so that it does not move by itself
        world.turn()
        problems = check(world, history)
        if problems or world.state().theirs or run.chance("drain").random() < 0.5:
            return problems
        world.burn = 0
        daemon = world.daemon()
        for _ in range(8):
            clock.wait(3600)
            if isinstance(clock, RealClock):
                clock.late += timedelta(hours=1)
            world.turn(daemon)
        return [f"at the end {each}" for each in check(world, history, drained=True)]
    finally:
        place.is_blind = False
        store.close()


def check(world: World, history: list[list[Any]], *, drained: bool = False) -> list[str]:
    """What is wrong."""
    problems = []
    with world.store.transaction(read_only=True) as transaction:
        if (broken := transaction.audit.verify()) is not None:
            problems.append(f"the audit log does not hold at {broken}")
        if transaction.ladders.open_step(world.ladder.name) is not None:
            problems.append("a step is open")
        state = transaction.ladders.state(world.ladder.name) or unmoved(world.ladder.name, START)
        events = [each.event for each in transaction.events.after(0, 1000, (names.EVENT_TIER_CHANGED,))]
        steps = transaction.ladders.steps(world.ladder.name)
    committed = sorted(step.id for step in steps if step.outcome is StepOutcome.COMMITTED)
    if sorted(str(each.data["step"]) for each in events) != committed:
        problems.append(f"{len(events)} events of {len(committed)} steps")
    if events and state.tier != max(events, key=lambda each: each.occurred_at).data["to"]:
        problems.append(f"tier {state.tier} is not that of the last event")
    if drained and state.tier:
        problems.append(f"it does not come back from tier {state.tier}")
    return [*problems, *wrong_flags(state, world.values(), history)]


def wrong_flags(state: LadderState, found: Mapping[str, FlagValue | None], history: list[list[Any]]) -> list[str]:
    """Flags that are neither as the tier in force has them nor as a person set them; earlier values that are lost."""
    edits = {line[1]: (at, line[2]) for at, line in enumerate(history) if line[0] == "edit"}
    wanted = at_tier(state.tier)
    first: dict[str, tuple[FlagValue | None, str]] = {}
    for applied in state.applied:
        for change in applied.changes:
            first.setdefault(change.flag, (change.before, applied.step))
    problems = []
    for flag, value in found.items():
        before, step = first.get(flag, (NORMAL[flag], ""))
        if flag in edits:
            at, theirs = edits[flag]
            is_earlier = step and before == theirs and value == wanted[flag] and began(step, history) > at
            if value != theirs and not is_earlier:
                problems.append(f"{flag} is {value!r}, and a person had set {theirs!r}")
        elif value != wanted[flag] or type(value) is not type(wanted[flag]):
            problems.append(f"{flag} is {value!r}, and tier {state.tier} has {wanted[flag]!r}")
        elif before != NORMAL[flag]:
            problems.append(f"{flag}: the earlier value {NORMAL[flag]!r} is lost: {before!r}")
        elif flag in (state.theirs or {}):
            problems.append(f"{flag} is taken for a person's, and nobody changed it")
    return problems


def began(step: str, history: list[list[Any]]) -> int:
    """When the step had read what flags were: edits of before are earlier values, those after it are not touched."""
    wrote = next((at for at, line in enumerate(history) if line == ["write", f"{step}:do"]), 0)
    return max((at for at, line in enumerate(history[:wrote]) if line == ["was read"]), default=0)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(do(Run(**json.loads(line)))), flush=True)
