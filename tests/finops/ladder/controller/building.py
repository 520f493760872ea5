"""Ladders, samples and people for the tests of the controller; and somebody who walks a ladder sample by sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from controlplane.model.ladder import Approval, ApprovalScope, LadderHold
from controlplane.model.source import SourcePosition
from finops.ladder.controller import decide, failed, initial, moved
from finops.ladder.deciding import Because, ControllerState, Decision, Given, Move
from finops.ladder.model import (
    Brake,
    Comparison,
    Condition,
    Emergency,
    Growth,
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
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
GROUPS = {"burn": "llm", "forecast": "llm", "spike": "llm", "infra": "infra", "cost": "calls"}
MISSING = Reading(Quality.MISSING, reason="no sample")
CONTRADICTORY = Reading(Quality.CONTRADICTORY, reason="two values")

Figure = Reading | float | int | str | None


def enter_at(tier: int) -> dict[str, Decimal]:
    """Where the tier is entered: any of these."""
    return {"burn": Decimal(2 * tier), "forecast": Decimal(10 + tier) / 10}


def exit_below(tier: int) -> dict[str, Decimal]:
    """Where it is left: all of these."""
    return {"burn": Decimal(2 * tier) - Decimal("0.8"), "forecast": Decimal(9 + tier) / 10}


def condition(thresholds: Mapping[str, Decimal], *, needs_all: bool) -> Condition:
    """One of these comparisons."""
    return Condition(tuple(Comparison(signal, at) for signal, at in thresholds.items()), needs_all)


def a_tier(
    number: int,
    *,
    enter: Condition | None = None,
    exit: Condition | None = None,  # noqa: A002 - as in the model
    enter_samples: int = 3,
    exit_samples: int = 10,
    dwell: timedelta = 10 * MINUTE,
    needs_approval: bool = False,
    expires_after: timedelta | None = None,
    saving: str = "1",
) -> Tier:
    """A tier that is entered at twice its number."""
    return Tier(
        number=number,
        name=("observe", "throttle", "shed", "degrade", "protect", "emergency")[number - 1],
        description="",
        flags=((f"flag-{number}", True),),
        saving_per_hour=Decimal(saving),
        enter=enter or condition(enter_at(number), needs_all=False),
        enter_samples=enter_samples,
        exit=exit or condition(exit_below(number), needs_all=True),
        exit_samples=exit_samples,
        dwell=dwell,
        needs_approval=needs_approval,
        expires_after=expires_after,
        journeys=("core",),
        explains=(),
        public_text="",
        source=HERE,
    )


def a_signal(name: str, stale_after: timedelta = 5 * MINUTE) -> Signal:
    """A signal of the group that its name belongs to."""
    return Signal(name, Measure.BURN_RATE, "llm", HOUR, "", "", None, GROUPS[name], stale_after, HERE)


def a_ladder(
    *tiers: Tier,
    mode: Mode = Mode.ENFORCE,
    every: timedelta = MINUTE,
    stale_after: timedelta = 5 * MINUTE,
    brakes: tuple[Brake, ...] = (),
    growth: Growth | None = None,
    emergency: Emergency | None = None,
    changes_per_day: int = 12,
    cool_down: timedelta = 30 * MINUTE,
    retry_after: timedelta = 15 * MINUTE,
) -> Ladder:
    """A ladder of these tiers, of three without any."""
    return Ladder(
        name="intelgraph",
        display_name="IntelGraph",
        mode=mode,
        store="platform",
        currency="USD",
        every=every,
        signals=tuple(a_signal(name, stale_after) for name in GROUPS),
        tiers=tiers or tuple(a_tier(number) for number in (1, 2, 3)),
        brakes=brakes,
        growth=growth,
        emergency=emergency,
        limits=Limits(changes_per_day, cool_down, retry_after),
        verification=Verification(30 * MINUTE / 60, 10 * MINUTE / 60),
        owner="",
        runbook_url="",
        labels=(),
        source=HERE,
    )


def a_brake(from_tier: int = 2, *, minimum: str = "0", releases: bool = False) -> Brake:
    """The error budget of the gateway."""
    return Brake("gateway", Decimal(minimum), from_tier, releases, HERE)


def an_emergency(tier: int = 3, samples: int = 2) -> Emergency:
    """Spikes of two kinds of spend, ten times the usual."""
    return Emergency(tier, (Comparison("spike", Decimal(10)), Comparison("infra", Decimal(10))), samples)


def reading(value: Figure, at: datetime, per_hour: str | None = None) -> Reading:
    """A good reading, a missing one for None, a reading as it is."""
    if isinstance(value, Reading):
        return value
    if value is None:
        return MISSING
    return Reading(Quality.GOOD, Decimal(str(value)), at, Decimal(per_hour) if per_hour else None)


def old(value: float, at: datetime) -> Reading:
    """A reading that says it is good, of data from an hour before."""
    return Reading(Quality.GOOD, Decimal(str(value)), at - HOUR)


def readings(
    at: datetime,
    *,
    burn: Figure = 1,
    forecast: Figure = "0.5",
    spike: Figure = 1,
    infra: Figure = 1,
    cost: Figure = "1.2",
    gateway: Figure = 1,
    per_hour: Mapping[str, str] | None = None,
    savings: Mapping[int, Decimal] | None = None,
) -> Readings:
    """One sample; calm unless told otherwise."""
    rates = per_hour or {}
    given = {"burn": burn, "forecast": forecast, "spike": spike, "infra": infra, "cost": cost}
    return Readings(
        at,
        {name: reading(value, at, rates.get(name)) for name, value in given.items()},
        {"gateway": reading(gateway, at)},
        savings or {},
    )


def approval(
    tier: int,
    scope: ApprovalScope = ApprovalScope.STEP,
    *,
    at: datetime = START,
    until: datetime = START + 365 * DAY,
    name: str = "",
    used_by: str = "",
    ladder: str = "intelgraph",
    withdrawn_at: datetime | None = None,
) -> Approval:
    """Ann allows it."""
    known = name or f"{scope.value}-{tier}"
    return Approval(known, ladder, tier, scope, "ann", "load test", at, until, used_by, withdrawn_at)


def a_hold(until: datetime | None = None) -> LadderHold:
    """Bob wants peace."""
    return LadderHold("intelgraph", "bob", "a launch", START, until)


def at_tier(tier: int, *, entered: datetime = START, **more: object) -> ControllerState:
    """A state in which that many tiers were entered at a time, and nothing else is remembered."""
    state = ControllerState(tier=tier, since=entered, entered=dict.fromkeys(range(1, tier + 1), entered))
    return replace(state, **more)  # type: ignore[arg-type]


def because(decision: Decision) -> set[Because]:
    """The reasons that it names."""
    return {note.because for note in decision.notes}


def texts(decision: Decision) -> str:
    """All that it says, a line for each note."""
    return "\n".join(note.text for note in decision.notes)


@dataclass
class Walk:
    """Takes a ladder from sample to sample, and commits (or undoes) what it decides."""

    ladder: Ladder
    state: ControllerState = field(default_factory=ControllerState)
    now: datetime = START
    approvals: list[Approval] = field(default_factory=list)
    moves: list[tuple[datetime, Move]] = field(default_factory=list)
    fails: bool = False
    is_using_up: bool = True

    def step(self, sample: Readings | None = None, **given: object) -> Decision:
        """One interval later: a calm sample unless one is given."""
        self.now += self.ladder.every
        return self.look(sample, **given)

    def look(self, sample: Readings | None = None, **given: object) -> Decision:
        """Decide at the time that it is."""
        known = Given(readings=sample or readings(self.now), approvals=tuple(self.approvals), **given)  # type: ignore[arg-type]
        decision = decide(self.ladder, self.state, known, self.now)
        self.state = decision.state
        if decision.move is not None:
            self.moves.append((self.now, decision.move))
            ended = failed if self.fails else moved
            self.state = ended(self.ladder, self.state, decision.move, self.now)
            if decision.move.approval and self.is_using_up:
                self.approvals = [each for each in self.approvals if each.id != decision.move.approval]
        return decision

    def steps(self, times: int, **figures: Figure) -> Sequence[Decision]:
        """So many samples of these figures, an interval apart."""
        return [self.step(readings(self.now + self.ladder.every, **figures)) for _ in range(times)]  # type: ignore[arg-type]


def walking(ladder: Ladder, tier: int = 0, *, entered: datetime = START - DAY) -> Walk:
    """Somebody at a tier that was entered a day before."""
    return Walk(ladder, at_tier(tier, entered=entered) if tier else initial(ladder, START))
