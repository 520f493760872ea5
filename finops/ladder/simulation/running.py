"""Runs a ladder over history: the controller of production, on signals lowered by what it would have saved.

Nothing is drawn but by the seed, and nothing is read but what is given: the same history gives the same moves.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.ladder import Approval, ApprovalScope
from finops.ladder.controller import decide, failed, moved
from finops.ladder.deciding import Because, ControllerState, Decision, Given, Move
from finops.ladder.model import Ladder
from finops.ladder.readings import Readings
from finops.ladder.simulation.book import HOLDS, Book, Holding, minutes, time_of
from finops.ladder.simulation.flaps import flaps_of, within
from finops.ladder.simulation.model import History, InTier, Moved, Options, Point, Simulation, SpendPoint, Totals
from finops.ladder.simulation.plant import Plant, hours, in_force, left_for, total
from finops.ladder.simulation.resting import Resting
from finops.ladder.simulation.sight import Sight

_ZERO: Final = Decimal(0)
_BLIND: Final = frozenset({Because.NO_DATA})
_APPROVED_FOR: Final = timedelta(hours=1)
_SPEND_POINTS: Final = 720
_WHOLE: Final = 2**64


def simulate(
    ladder: Ladder, history: History, options: Options, label: str = "", *, asks_always: bool = False
) -> Simulation:
    """What the ladder would have done over the whole history, beginning at full service.

    `asks_always`: ask the controller at every sample, even where nothing can have changed; slower, and the same.
    """
    return _Run(ladder, history, options, asks_always).simulation(label or ladder.name)


@dataclass(frozen=True, slots=True)
class _Step:
    """A move under way."""

    move: Move
    at: datetime
    ends: datetime
    fails: bool


class _Run:
    """One simulation, sample by sample."""

    def __init__(self, ladder: Ladder, history: History, options: Options, asks_always: bool) -> None:
        self.ladder = ladder
        self.history = history
        self.options = options
        self.state = ControllerState()
        self.step: _Step | None = None
        self.moves: list[Moved] = []
        self.approvals: dict[tuple[int, ApprovalScope], Approval] = {}
        self.plant = Plant(ladder, history.start, history.budgets)
        self.book, self.holding = Book(options), Holding()
        self.resting = Resting(ladder, not asks_always)
        self.spend = _SpendCourse(max(len(history.points) // _SPEND_POINTS, 1))
        self.steps = 0
        self.asked = 0
        self.rested_at: datetime | None = None  # the last sample that was not decided
        self.sight = Sight(ladder, self.plant)
        self.point, self.since = history.points[0], history.start
        self.savings: Mapping[int, Decimal] = {}  # what tiers in force save now
        self.believed: Mapping[int, Decimal] = {}  # what receipts would say they save
        self.came: dict[int, Decimal] = {}  # what was spent when each tier in force came, before it saved
        self.hours_between, self.saved_between = hours(ladder.every), _ZERO

    def simulation(self, label: str) -> Simulation:
        """Run it."""
        history, every, end = self.history, self.ladder.every, self.history.end
        at, place, following_point = history.start, -1, history.start
        while at < end:
            if at >= following_point:
                self._close(at)
                place = history.place(at)
                following_point = history.start + (place + 1) * history.step
                self._stand(place, at)
            self._sample(place, at)
            following = min(at + every, end)
            self.plant.advance(self._pass(at, following))
            at = following
        self._close(end)
        if self.step is not None:
            self.moves.append(self._moved(self.step, None))
        return self._outcome(label)

    @property
    def tier(self) -> int:
        return self.state.tier

    def _stand(self, place: int, at: datetime) -> None:
        """Another point stands, or another tier is in force."""
        self.point, self.since = self.history.points[place], at
        self.savings = in_force(self.ladder, self.tier, self.point.spend_per_hour, self.came)
        lately = self.history.spend_lately(place) if self.tier else None
        self.believed = in_force(self.ladder, self.tier, lately, self.came)
        self.plant.rate = total(self.savings)
        self.saved_between = self.plant.rate * self.hours_between
        self.spend.passed(at, place, self.point, self.plant.rate)

    def _close(self, at: datetime) -> None:
        """Write down the time since then."""
        if at > self.since:
            self.book.passed(self.tier, self.point, self.savings, self.since, at)

    # --- one sample ---------------------------------------------------------------------------------------------------

    def _sample(self, place: int, at: datetime) -> None:
        """Decide, unless it is certain what would be decided."""
        before, seen = self.state, None
        if self.step is None and self.resting.is_on:
            seen = self.sight.of(place, self.point, self.tier, self.believed, at)
            if self.resting.may_rest(seen, at):
                self.rested_at = at
                return
        if self.rested_at is not None:
            before, self.rested_at = replace(before, sampled_at=self.rested_at), None
        readings = self.plant.lowered(self.point.readings, self.tier, at, self.believed)
        decision = self._decided(before, readings, at)
        if self._approved(decision, at):
            decision = self._decided(decision.state, readings, at)
        self.state = decision.state
        self.holding.noted(decision.notes, self.tier, at)
        if decision.move is not None:
            self._begin(decision.move, at)
        elif seen is not None:
            waits = [moment for each in self.approvals.values() for moment in (each.at, each.until)]
            self.resting.decided(seen, before, self.state, at, waits)

    def _decided(self, state: ControllerState, readings: Readings, at: datetime) -> Decision:
        self.asked += 1
        approvals = tuple(each for each in self.approvals.values() if each.is_valid(at))
        return decide(self.ladder, state, Given(readings, approvals, is_stepping=self.step is not None), at)

    def _approved(self, decision: Decision, at: datetime) -> bool:
        """Ask people for what the decision asks for; whether they have answered at once."""
        after = self.options.approval_after
        if after is None or not decision.asks:
            return False
        self.approvals = {key: each for key, each in self.approvals.items() if at < each.until}
        wanted = [(tier, scope) for tier in decision.asks for scope in (ApprovalScope.STEP, ApprovalScope.JUMP)]
        new = {key: self._approval(*key, at, at + after) for key in wanted if key not in self.approvals}
        self.approvals.update(new)
        return bool(new) and not after

    def _approval(self, tier: int, scope: ApprovalScope, asked: datetime, at: datetime) -> Approval:
        return Approval(
            id=f"{scope.value}-{tier}-{asked:%Y%m%dT%H%M%S}",
            ladder=self.ladder.name,
            tier=tier,
            scope=scope,
            by="the backtest",
            why="it takes people to approve",
            at=at,
            until=at + _APPROVED_FOR,
        )

    def _begin(self, move: Move, at: datetime) -> None:
        self.steps += 1
        self.approvals = {key: each for key, each in self.approvals.items() if each.id != move.approval}
        tier = self.ladder.tier(max(move.to_tier, move.from_tier))
        journeys = len(tier.journeys) if tier else 0
        takes = self.options.visible_in + self.ladder.verification.settle + journeys * self.options.journey_takes
        fails = move.to_tier > move.from_tier and drawn(self.options.seed, self.steps) < self.options.journey_failures
        self.step = _Step(move, at, at + takes, fails)

    # --- the time up to the next one ----------------------------------------------------------------------------------

    def _pass(self, since: datetime, until: datetime) -> Decimal:
        """Let time go by; a step may end in it. Returns the money that was saved."""
        step = self.step
        if step is None or step.ends > until:
            return self.saved_between if until - since == self.ladder.every else self.plant.rate * hours(until - since)
        ends = max(step.ends, since)
        before = self.plant.rate * hours(ends - since)
        self._close(ends)
        self._end(step)
        self._stand(self.history.place(since), ends)
        return before + self.plant.rate * hours(until - ends)

    def _end(self, step: _Step) -> None:
        """Verified, or undone."""
        self.step = None
        end = failed if step.fails else moved
        self.state = end(self.ladder, self.state, step.move, step.ends)
        self.came = {tier: spend for tier, spend in self.came.items() if tier <= self.tier}
        for tier in range(step.move.from_tier + 1, self.tier + 1):
            if self.point.spend_per_hour is not None:
                self.came[tier] = left_for(self.ladder, tier, self.point.spend_per_hour, self.came)
        self.moves.append(self._moved(step, step.ends))
        self.resting.stirred()

    def _moved(self, step: _Step, until: datetime | None) -> Moved:
        move = step.move
        return Moved(
            at=step.at,
            until=until,
            from_tier=move.from_tier,
            to_tier=move.to_tier,
            cause=move.cause,
            reason=move.reason,
            saving_per_hour=total(in_force(self.ladder, move.to_tier, None)),
            approved=bool(move.approval),
            undone=step.fails,
        )

    # --- what it came to ----------------------------------------------------------------------------------------------

    def _outcome(self, label: str) -> Simulation:
        ladder, history, book = self.ladder, self.history, self.book
        held = self.holding.closed(history.end)
        flaps = flaps_of(ladder, self.moves, self.options.flap_within)
        reduced = sum((length for tier, length in book.time.items() if tier), timedelta(0))
        totals = Totals(
            flaps=len(flaps),
            moves=len(self.moves),
            undone=sum(1 for each in self.moves if each.undone),
            saved=book.saved_in_all(),
            spent=book.spent,
            degraded_minutes=minutes(reduced),
            degraded_user_minutes=book.user_minutes_in_all(),
            max_tier=max((each.tier for each in book.stretches), default=0),
            held_minutes=time_of(held, HOLDS),
            minutes_without_data=time_of(held, _BLIND),
        )
        return Simulation(
            ladder=ladder,
            label=label,
            since=history.start,
            until=history.end,
            moves=tuple(self.moves),
            held=held,
            stretches=tuple(book.stretches),
            flaps=flaps,
            tiers=tuple(self._in_tier(tier.number, tier.name) for tier in ladder.tiers),
            totals=totals,
            flap_within=self.options.flap_within or max(within(ladder, each.number) for each in ladder.tiers),
            has_users=any(point.users is not None for point in history.points),
            origin=history.origin,
            notes=history.notes,
            spend=tuple(self.spend.points),
            decided=self.asked,
        )

    def _in_tier(self, tier: int, name: str) -> InTier:
        entered = sum(
            1 for each in self.moves if each.from_tier < tier <= each.to_tier and each.until and not each.undone
        )
        book = self.book
        return InTier(tier, name, entered, book.time[tier], book.user_minutes(tier), book.saved(tier))


def drawn(seed: int, number: int) -> Decimal:
    """A number from 0 up to 1 that depends on nothing else."""
    digest = hashlib.sha256(f"{seed}/{number}".encode()).digest()
    return Decimal(int.from_bytes(digest[:8])) / _WHOLE


@dataclass(slots=True)
class _SpendCourse:
    """Money an hour for a chart: every `thinning`-th point."""

    thinning: int
    points: list[SpendPoint] = field(default_factory=list)
    last: int = -1

    def passed(self, at: datetime, place: int, point: Point, rate: Decimal) -> None:
        if place != self.last and place % self.thinning == 0 and point.spend_per_hour is not None:
            self.points.append(SpendPoint(at, point.spend_per_hour, point.spend_per_hour - rate))
        self.last = place
