"""A ladder in a world of its own: a clock that only waits move, a flag store, journeys, and people with opinions."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from controlplane.model.check import CheckKind, CheckResult, Outcome
from controlplane.model.event import Event
from controlplane.model.ladder import FlagValue, LadderOrder, LadderState, OrderKind, StepRecord
from controlplane.model.source import SourcePosition
from controlplane.ports import HeldLease, Permanent, Transient
from controlplane.store import SqlStore
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagType
from finops.flags.ports import FlagClient, FlagStore
from finops.ladder.daemon import LadderDaemon, LadderTurn
from finops.ladder.model import (
    Comparison,
    Condition,
    Ladder,
    Limits,
    Measure,
    Mode,
    Signal,
    Tier,
    Verification,
)
from finops.ladder.readings import Quality, Reading, Readings

HERE = SourcePosition("ladder.yaml", 1, 1)
START = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
NAME = "intelgraph"
NORMAL: Mapping[str, FlagValue] = {
    "sampling": False, "batch-frozen": True, "limited": False, "context": "32000", "enrichers-off": False, "hops": 6,
}  # fmt: skip
"""What the flags are at full service; `batch-frozen` because somebody had frozen the batch jobs before."""
TIERS: tuple[Mapping[str, FlagValue], ...] = (
    {"sampling": True, "batch-frozen": True},
    {"limited": True, "context": "8000"},
    {"enrichers-off": True},
    {"context": "2000", "hops": 2},
)
_TYPES = {bool: FlagType.BOOLEAN, int: FlagType.INTEGER, str: FlagType.STRING}


def at_tier(tier: int, earlier: Mapping[str, FlagValue] = NORMAL) -> dict[str, FlagValue]:
    """What every flag is in a tier."""
    values = dict(earlier)
    for flags in TIERS[:tier]:
        values.update(flags)
    return values


def a_tier(number: int, flags: Mapping[str, FlagValue]) -> Tier:
    """Entered when the signal is at its number, left when it is below."""
    at = Decimal(number)
    return Tier(
        number=number,
        name=f"tier-{number}",
        description="",
        flags=tuple(flags.items()),
        saving_per_hour=Decimal(number),
        enter=Condition((Comparison("burn", at),), needs_all=False),
        enter_samples=1,
        exit=Condition((Comparison("burn", at - Decimal("0.5")),), needs_all=True),
        exit_samples=1,
        dwell=timedelta(0),
        needs_approval=False,
        expires_after=None,
        journeys=("core", f"flow-{number}"),
        explains=(),
        public_text="",
        source=HERE,
    )


LADDER = Ladder(
    name=NAME,
    display_name="IntelGraph",
    mode=Mode.ENFORCE,
    store="platform",
    currency="USD",
    every=30 * SECOND,
    signals=(Signal("burn", Measure.QUERY, "q", None, "q", "", None, "q", 5 * MINUTE, HERE),),
    tiers=tuple(a_tier(number, flags) for number, flags in enumerate(TIERS, start=1)),
    brakes=(),
    growth=None,
    emergency=None,
    limits=Limits(changes_per_day=1000, cool_down=timedelta(0), retry_after=MINUTE),
    verification=Verification(visible_within=5 * SECOND, settle=SECOND),
    owner="platform",
    runbook_url="",
    labels=(("team", "platform"),),
    source=HERE,
)
DECLARED = DeclaredStore(
    "platform",
    "memory",
    (),
    tuple(DeclaredFlag(flag, _TYPES[type(value)], value, "platform", HERE) for flag, value in NORMAL.items()),
    HERE,
)


@dataclass
class SimulatedClock:
    """Moves when somebody waits, and never by itself."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class Journeys:
    """Green, unless said otherwise; `says` is asked each time, by the journey's name."""

    says: Callable[[str], Outcome] = lambda _: Outcome.OK
    walked: list[str] = field(default_factory=list)

    def run(self, journeys: Sequence[str], now: datetime) -> list[CheckResult]:
        self.walked += journeys
        return [self._walk(name, now) for name in journeys]

    def _walk(self, name: str, now: datetime) -> CheckResult:
        outcome = self.says(name)
        detail = "" if outcome is Outcome.OK else "red"
        return CheckResult(name, CheckKind.JOURNEY, "here", now, 0.1, outcome, detail=detail)


@dataclass
class Between:
    """A flag store with something that happens before a call of it: a person's edit, an outage."""

    inner: Any
    before: Callable[[str], None]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self.before(name)
            return found(*arguments, **options)

        return call


@dataclass
class Pair:
    """A store and a client."""

    store: FlagStore
    client: FlagClient


@dataclass
class World:
    """Everything that the daemon is given, and what came of it. `before` happens before each call of the flag store."""

    store: SqlStore
    flags: Any
    client: Any
    clock: SimulatedClock = field(default_factory=SimulatedClock)
    journeys: Journeys = field(default_factory=Journeys)
    ladder: Ladder = LADDER
    burn: Reading | Decimal | int = 0
    killed: str = ""
    lease: HeldLease | None = None
    before: Callable[[str], None] = lambda _: None
    prefix: str = "s"
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    per_hour: Decimal | None = None
    paged: list[dict[str, Any]] = field(default_factory=list)
    running: LadderDaemon | None = None

    def daemon(self) -> LadderDaemon:
        """One that knows nothing yet, as after a restart."""
        return LadderDaemon(
            store=self.store,
            open_store=self.open,
            stores=lambda: (DECLARED,),
            read_signals=self.read,
            run_journeys=self.journeys,
            is_killed=lambda: self.killed,
            ids=lambda: f"{self.prefix}{next(self.numbers)}",
            wait=self.clock.wait,
            clock=self.clock,
        )

    @contextmanager
    def open(self, name: str) -> Iterator[Pair]:
        if name != "platform":
            raise Permanent(f"there is no FlagStore {name}")
        store, client = (Between(each, lambda call: self.before(call)) for each in (self.flags, self.client))
        yield Pair(store, client)

    def read(self, ladder: Ladder, now: datetime, savings: Mapping[int, Decimal]) -> Readings:
        found = self.burn
        if not isinstance(found, Reading):
            found = Reading(Quality.GOOD, Decimal(found), now, self.per_hour)
        return Readings(now, {"burn": found}, savings=savings)

    def turn(
        self, daemon: LadderDaemon | None = None, *, ladders: Sequence[Ladder] | None = None, after: float = 30
    ) -> LadderTurn:
        """The next turn, half a minute later, by the same daemon unless another one is given."""
        self.clock.wait(after)
        chosen = (self.ladder,) if ladders is None else ladders
        self.running = daemon or self.running or self.daemon()
        return self.running.run_once(chosen, self.clock.now(), self.lease)

    def turns(self, count: int) -> LadderTurn:
        """Several."""
        done = LadderTurn()
        for _ in range(count):
            done += self.turn()
        return done

    def values(self) -> dict[str, FlagValue | None]:
        """What the flag store holds."""
        return {flag: each.value for flag, each in self.flags.read(DECLARED.flags).items()}

    def state(self) -> LadderState:
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.ladders.state(NAME)
        assert found is not None
        return found

    def steps(self) -> list[StepRecord]:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.ladders.steps(NAME)[::-1]

    def order(self, kind: OrderKind, argument: int | None = None, name: str = "o1") -> LadderOrder:
        """A person orders it."""
        made = LadderOrder(name, NAME, kind, argument, "ana", "to try it", self.clock.now())
        with self.store.transaction() as transaction:
            transaction.ladders.put_order(made)
        return made

    def outcome(self, name: str = "o1") -> LadderOrder:
        with self.store.transaction(read_only=True) as transaction:
            found = transaction.ladders.order(name)
        assert found is not None
        return found

    def events(self, kind: str = "") -> list[Event]:
        with self.store.transaction(read_only=True) as transaction:
            return [each.event for each in transaction.events.after(0, 1000, (kind,) if kind else ())]

    def pages(self) -> list[dict[str, Any]]:
        """What whoever is on call got so far, in order."""
        at = self.clock.now()
        with self.store.transaction() as transaction:
            while due := transaction.outbox.claim(1000, at):
                for each in due:
                    self.paged.append(dict(each.message.payload))
                    transaction.outbox.delivered(each.message.id, at)
        return self.paged

    def audited(self) -> list[str]:
        """What the audit log says was done; the chain holds."""
        with self.store.transaction(read_only=True) as transaction:
            assert transaction.audit.verify() is None
            return [entry.action for entry in transaction.audit.entries()]


def down(call: str) -> None:
    """A flag store that does not answer."""
    raise Transient(f"flags: {call}: no answer")


def shadowed(ladder: Ladder) -> Ladder:
    """The same ladder, in shadow mode."""
    return replace(ladder, mode=Mode.SHADOW)
