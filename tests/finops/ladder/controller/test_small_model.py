"""Every state that a small ladder can reach, and every answer of the world in each of them.

A tick is six hours, so that a day is four of them; ages are kept up to where they make no difference. From the state at
the beginning, each state that any answer leads to is visited, breadth first, until there is no new one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import Final

import pytest

from controlplane.model.ladder import Approval, ApprovalScope
from finops.ladder.controller import decide, failed, moved
from finops.ladder.deciding import ControllerState, Decision, Given
from finops.ladder.model import Ladder
from tests.finops.ladder.controller.building import (
    CONTRADICTORY,
    DAY,
    START,
    a_brake,
    a_ladder,
    a_tier,
    an_emergency,
    approval,
    old,
    readings,
)
from tests.finops.ladder.controller.oracle import broken

TICK: Final = timedelta(hours=6)
Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class World:
    """A ladder and all that may happen to it in one tick."""

    ladder: Ladder
    answers: tuple[Given, ...]
    most_failures: int


@dataclass(frozen=True, slots=True)
class Explored:
    """How much there was."""

    states: int
    transitions: int
    moves: int


def a_small_ladder(tiers: int = 3) -> Ladder:
    """Two samples up or down, two ticks of dwell and cool-down, three moves a day; tier 2 is approved and expires."""
    return a_ladder(
        *(
            a_tier(
                number,
                enter_samples=2,
                exit_samples=2,
                dwell=2 * TICK,
                needs_approval=number == 2,
                expires_after=6 * TICK if number == 2 else None,
            )
            for number in range(1, tiers + 1)
        ),
        every=TICK,
        stale_after=TICK,
        brakes=(a_brake(2, releases=True),),
        emergency=an_emergency(tiers, 2),
        changes_per_day=3,
        cool_down=2 * TICK,
        retry_after=TICK,
    )


def a_world(ladder: Ladder, *, is_full: bool, most_failures: int = 1) -> World:
    """Signals calm, high, in an emergency and not good in four ways; brakes; approvals; people who stop it."""
    calm = {"burn": "0.1"}
    samples = [
        readings(START, **calm),
        readings(START, burn=3),
        readings(START, burn=9),
        readings(START, burn=9, spike=12, infra=12),
        readings(START, burn=None),
        readings(START, burn="0.1", forecast=CONTRADICTORY),
        readings(START, burn=9, gateway=0),
        readings(START, burn="0.1", gateway=None),
    ]
    people: list[tuple[Approval, ...]] = [(), (approval(2),), (approval(ladder.top, ApprovalScope.JUMP),)]
    if is_full:
        samples += [
            readings(START, burn="1.5"),
            readings(START, burn=5),
            readings(START, burn=old(9, START)),
            readings(START, spike=12, infra=None),
            readings(START, burn="0.1", spike=12, infra=12),
            readings(START, burn=9, gateway=None),
            readings(START, burn="0.1", per_hour={"burn": "2"}),
            readings(START - 2 * TICK, burn=9),
        ]
        people += [(approval(2, ApprovalScope.EXTEND),), (approval(1), approval(3))]
    answers = [Given(sample, some) for sample, some in product(samples, people)]
    answers += [Given(readings(START, burn=9), is_killed=True), Given(readings(START, burn=9), theirs=("flag",))]
    return World(ladder, tuple(answers), most_failures)


def explore(world: World, most: int | None = None) -> tuple[Explored, list[ControllerState]]:
    """Visit all states, or the first so many; every decision in each is held against what may never happen."""
    first = ControllerState()
    known: dict[Key, ControllerState] = {_key(first): first}
    queue, transitions, moves = [first], 0, 0
    for state in queue:
        if most is not None and len(queue) > most:
            break
        for given in world.answers:
            decision = decide(world.ladder, state, given, START)
            faults = broken(world.ladder, state, given, START, decision)
            assert faults == [], (faults, state, given, decision)
            _assert_calm(world.ladder, state, decision)
            moves += decision.move is not None
            for after in _ends(world, decision):
                transitions += 1
                later = _a_tick_later(world, after)
                if known.setdefault(_key(later), later) is later:
                    queue.append(later)
    return Explored(len(queue), transitions, moves), queue


def _ends(world: World, decision: Decision) -> Iterator[ControllerState]:
    if decision.move is None:
        yield decision.state
        return
    yield moved(world.ladder, decision.state, decision.move, START)
    tried = decision.state.failures.get(decision.move.to_tier, (0, START))[0]
    if tried < world.most_failures:
        yield failed(world.ladder, decision.state, decision.move, START)


def _assert_calm(ladder: Ladder, state: ControllerState, decision: Decision) -> None:
    """No flapping: with this move there are at most two within the dwell, and never more than the cap in a day."""
    if decision.move is None:
        return
    dwell = min(tier.dwell for tier in ladder.tiers)
    assert sum(START - at < dwell for at in state.moves) <= 1
    assert sum(START - at < DAY for at in state.moves) < ladder.limits.changes_per_day
    assert set(state.entered) == set(range(1, state.tier + 1))


def _a_tick_later(world: World, state: ControllerState) -> ControllerState:
    """The same state with all its times a tick older; those that are too old to matter as young as they may be."""
    longest = 6 * TICK

    def aged(at, most=longest):  # type: ignore[no-untyped-def]
        return max(at - TICK, START - most)

    wait = 2**world.most_failures * TICK
    return replace(
        state,
        since=aged(state.since) if state.since else None,
        moves=tuple(sorted(at - TICK for at in state.moves if START - at + TICK < DAY)),
        entered={
            tier: aged(at) if world.ladder.tiers[tier - 1].expires_after else START - longest
            for tier, at in state.entered.items()
        },
        failures={tier: (times, aged(at, wait)) for tier, (times, at) in state.failures.items()},
        sampled_at=aged(state.sampled_at, 4 * TICK) if state.sampled_at else None,
    )


def _key(state: ControllerState) -> Key:
    return (
        state.tier,
        state.since,
        tuple(sorted(state.entering.items())),
        state.leaving,
        state.jumping,
        state.moves,
        tuple(sorted(state.entered.items())),
        tuple(sorted(state.failures.items())),
        state.locked,
        state.sampled_at,
    )


def calm_ends(world: World, states: list[ControllerState]) -> int:
    """From each state calm samples lead back to full service; the most ticks that it took."""
    calm = Given(readings(START, burn="0.1"))
    ticks: dict[Key, int] = {}
    for state in states:
        path: list[Key] = []
        while state.tier and (key := _key(state)) not in ticks:
            assert key not in path, f"calm leads round in circles: {state}"
            path.append(key)
            decision = decide(world.ladder, state, calm, START)
            after = decision.state
            if decision.move is not None:
                assert decision.move.to_tier < state.tier
                after = moved(world.ladder, after, decision.move, START)
            state = _a_tick_later(world, after)
        rest = ticks[_key(state)] if state.tier else 0
        for distance, key in enumerate(reversed(path), rest + 1):
            ticks[key] = distance
    return max(ticks.values())


def test_no_state_that_a_small_ladder_reaches_first_breaks_a_promise() -> None:
    world = a_world(a_small_ladder(), is_full=False)

    explored, states = explore(world, most=120)

    assert explored.moves > 50
    assert calm_ends(world, states) < 40


@pytest.mark.soak
@pytest.mark.parametrize(("tiers", "most_failures"), [(3, 1), (2, 2)], ids=["three tiers", "failures in a row"])
def test_no_state_that_a_small_ladder_reaches_breaks_a_promise(tiers: int, most_failures: int) -> None:
    world = a_world(a_small_ladder(tiers), is_full=True, most_failures=most_failures)

    explored, states = explore(world)

    print(explored)
    assert explored.states > 2_000
    assert calm_ends(world, states) < 40
