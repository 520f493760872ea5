"""People order steps and drills; what they order is verified like anything else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from controlplane.model.check import Outcome
from controlplane.model.ladder import Approval, ApprovalScope, LadderHold, OrderKind, StepCause
from tests.finops.ladder.acting.world import MINUTE, NAME, World, at_tier, down, shadowed


def test_a_step_goes_tier_by_tier_whatever_the_signals_say(world: World) -> None:
    world.burn = 0
    world.order(OrderKind.STEP, 3)
    for tier in (1, 2, 3):
        world.turn()
        assert (world.state().tier, world.values()) == (tier, at_tier(tier))
    world.burn = 3
    world.turn()
    done = world.outcome()
    assert (done.is_done_well, done.result) == (True, "it is at tier 3")
    steps = world.steps()
    assert {(step.cause, step.actor, step.reason, step.order) for step in steps} == {
        (StepCause.PERSON, "ana", "to try it", "o1")
    }
    timings: Any = done.progress["timings"] if done.progress else []
    assert [(each["from"], each["to"], each["outcome"]) for each in timings] == [
        (0, 1, "committed"), (1, 2, "committed"), (2, 3, "committed"),
    ]  # fmt: skip
    assert timings[0]["verified_seconds"] == "1.000"


def test_a_drill_goes_up_and_back_and_tells_how_long_it_took(world: World) -> None:
    world.order(OrderKind.DRILL, 2)
    tiers = []
    for _ in range(5):
        world.turn()
        tiers.append(world.state().tier)
    assert tiers == [1, 2, 1, 0, 0]
    assert world.outcome().result == "up to tier 2 and back, every step verified"
    assert world.values() == at_tier(0)
    assert len(world.steps()) == 4


def test_a_drill_that_fails_on_its_way_up_goes_back_to_where_it_began(world: World) -> None:
    world.journeys.says = lambda name: Outcome.FAILED if name == "flow-2" else Outcome.OK
    world.order(OrderKind.DRILL, 4)
    for _ in range(4):
        world.turn()
    done = world.outcome()
    assert done.is_done_well is False
    assert "the step from tier 1 to 2 was undone: journeys are not green: flow-2: red" in done.result
    assert done.result.endswith("It is back at tier 0")
    assert (world.state().tier, world.values()) == (0, at_tier(0))


def test_an_order_goes_on_under_the_next_leader(world: World) -> None:
    world.order(OrderKind.DRILL, 1)
    world.before = down
    world.turn()  # the step is written down, and the flag store is silent
    world.before = lambda _: None
    for _ in range(3):
        world.turn(world.daemon())
    assert world.outcome().is_done_well
    assert world.values() == at_tier(0)


@pytest.mark.parametrize("kind", [OrderKind.STEP, OrderKind.DRILL])
def test_an_order_does_not_ignore_the_kill_switch(world: World, kind: OrderKind) -> None:
    world.killed = "the file is there"
    world.order(kind, 2)
    world.turn()
    assert world.outcome().is_done_well is False
    assert world.outcome().result == "the kill switch is set: the file is there"
    assert world.values() == at_tier(0)


def test_an_order_that_nobody_took_up_in_time_is_not_carried_out_by_surprise(world: World) -> None:
    world.order(OrderKind.STEP, 2)
    world.clock.wait(3600)
    world.turn()
    assert world.outcome().result == "nobody took it up within 15 minutes"
    assert world.values() == at_tier(0)


def test_a_hold_that_comes_later_ends_an_order_and_an_earlier_one_does_not(world: World) -> None:
    put_hold(world)
    world.clock.wait(1)
    world.order(OrderKind.STEP, 2)
    world.turn()
    assert world.state().tier == 1
    put_hold(world)
    world.turn()
    assert (world.state().tier, world.outcome().result) == (1, "ben holds the ladder: lunch")


def put_hold(world: World) -> None:
    with world.store.transaction() as transaction:
        transaction.ladders.put_hold(LadderHold(NAME, "ben", "lunch", world.clock.now(), None))


def test_a_tier_that_wants_an_approval_wants_it_from_an_order_too(world: World) -> None:
    tiers = tuple(replace(tier, needs_approval=True) for tier in world.ladder.tiers)
    world.ladder = replace(world.ladder, tiers=tiers)
    with world.store.transaction() as transaction:
        at = world.clock.now()
        approval = Approval("a1", NAME, 1, ApprovalScope.STEP, "ben", "fine", at, at + 60 * MINUTE)
        transaction.ladders.put_approval(approval)
    world.order(OrderKind.STEP, 2)
    world.burn = 1
    world.turn()
    world.turn()
    assert world.state().tier == 1
    assert world.outcome().result == "tier 2 needs an approval"
    with world.store.transaction(read_only=True) as transaction:
        used = transaction.ladders.approval("a1")
    assert used is not None
    assert used.used_by == "s1"


def test_a_ladder_in_shadow_mode_is_ordered_down_and_never_up(world: World) -> None:
    world.burn = 2
    world.turns(2)
    world.ladder, world.burn = shadowed(world.ladder), 0
    world.order(OrderKind.STEP, 3)
    world.turn()
    assert world.outcome().result == "the ladder is in shadow mode"
    world.order(OrderKind.STEP, 0, "o2")
    for _ in range(3):
        world.turn()
    assert (world.outcome("o2").is_done_well, world.values()) == (True, at_tier(0))


@pytest.mark.parametrize("left", [0, 1], ids=["no tier is declared", "fewer tiers are declared"])
def test_tiers_that_are_not_declared_any_more_are_left_by_what_was_recorded(world: World, left: int) -> None:
    world.burn = 2
    world.turns(2)
    shorter = [replace(world.ladder, tiers=world.ladder.tiers[:left])] if left else []
    world.burn = 0
    for _ in range(2):
        world.turn(ladders=shorter)
    assert (world.state().tier, world.values()) == (2, at_tier(2))
    (page,) = world.pages()
    assert "only" in page["annotations"]["summary"] or "gone" in page["annotations"]["summary"]
    world.journeys.walked.clear()
    world.order(OrderKind.STEP, 0)
    for _ in range(3):
        world.turn(ladders=shorter)
    assert (world.state().tier, world.values()) == (0, at_tier(0))
    assert "core" in world.journeys.walked
    world.turn(ladders=shorter)
    assert [page["status"] for page in world.pages()] in (["firing", "resolved"], ["firing"])


def test_orders_are_audited(world: World) -> None:
    world.order(OrderKind.STEP, 1)
    world.burn = 1
    world.turns(2)
    audited = world.audited()
    assert audited[0] == "ladder.order_begun"
    assert audited[-1] == "ladder.order_done"


def test_a_rehearsal_writes_nothing_and_finds_what_would_stop_a_drill(world: World) -> None:
    world.journeys.says = lambda name: Outcome.FAILED if name == "flow-2" else Outcome.OK
    del world.flags._states["context"]
    found = world.daemon().rehearse(world.ladder, 2, world.clock.now())
    assert [(each.tier, each.flag, each.present, each.after) for each in found.flags] == [
        (1, "sampling", False, True), (1, "batch-frozen", True, True),
        (2, "limited", False, True), (2, "context", None, "8000"),
    ]  # fmt: skip
    assert found.problems == ("flag store platform has no flag context", "journey flow-2: red")
    assert world.audited() == []
    assert world.flags.history("sampling", world.clock.at - timedelta(days=1)) == []


def test_a_rehearsal_of_a_sound_ladder_finds_nothing(world: World) -> None:
    found = world.daemon().rehearse(world.ladder, 4, world.clock.now())
    assert found.problems == ()
    assert [result.check for result in found.journeys] == ["core", "flow-1", "flow-2", "flow-3", "flow-4"]
    world.before = down
    assert "no answer" in world.daemon().rehearse(world.ladder, 4, world.clock.now()).problems[0]
