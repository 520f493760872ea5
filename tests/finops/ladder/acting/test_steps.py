"""A step is read, compared, written, read back, shown, verified; or it is undone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane import conventions as names
from controlplane.model.check import Outcome
from controlplane.model.ladder import (
    Approval,
    ApprovalScope,
    FlagChange,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from finops.ladder.acting import plan
from finops.ladder.acting.journal import unmoved
from tests.finops.ladder.acting.world import DECLARED, LADDER, MINUTE, NAME, START, World, at_tier


def test_a_step_up_and_one_down_restore_earlier_values_not_defaults(world: World) -> None:
    world.burn = 2
    world.turns(2)
    assert (world.state().tier, world.values()) == (2, at_tier(2))
    world.burn = 0
    world.turns(2)
    assert (world.state().tier, world.values()) == (0, at_tier(0))
    assert world.values()["batch-frozen"] is True  # somebody had set it before; its default is off
    assert world.state().store == ""


def test_every_phase_is_in_the_audit_log_and_every_change_in_the_event_log(world: World) -> None:
    world.burn = 2
    world.turns(2)
    phases = ["begun", "writing", "showing", "verifying", "committed"]
    assert world.audited() == [f"ladder.step_{phase}" for phase in phases] * 2
    moved = world.events(names.EVENT_TIER_CHANGED)[-1]
    assert (moved.id, moved.subject) == ("finops.tier_changed:s2", NAME)
    assert (moved.data["from"], moved.data["to"], moved.data["cause"]) == (1, 2, "signals")
    changed = {each.subject: (each.data["from"], each.data["to"]) for each in world.events(names.EVENT_FLAG_CHANGED)}
    assert changed == {"sampling": (False, True), "limited": (False, True), "context": ("32000", "8000")}
    assert world.pages() == []


def test_times_of_a_step_are_kept(world: World) -> None:
    world.burn = 1
    world.turn()
    (step,) = world.steps()
    assert step.outcome is StepOutcome.COMMITTED
    assert step.decided_at == step.written_at == step.visible_at == START + timedelta(seconds=30)
    assert step.verified_at == step.ended_at == START + timedelta(seconds=31)  # after settling
    assert step.journeys == ("core", "flow-1")
    assert world.journeys.walked == ["core", "flow-1"]


def a_jump(**changed: object) -> StepRecord:
    return replace(
        StepRecord(
            "jump", NAME, "platform", 0, 4, StepCause.EMERGENCY, "two signals", "flyball", START, StepPhase.INTENT,
            plan.changes_up(LADDER, 0, 4), ("core",),
        ),
        **changed,  # type: ignore[arg-type]
    )  # fmt: skip


def begin(world: World, step: StepRecord) -> StepRecord:
    """Write the step down, and let the daemon carry it on."""
    with world.store.transaction() as transaction:
        transaction.ladders.put_step(step)
    world.turn(ladders=[replace(world.ladder, every=timedelta(days=1))])
    return next(each for each in world.steps() if each.id == step.id)


def test_a_jump_writes_each_flag_once_and_is_left_tier_by_tier(world: World) -> None:
    world.burn = 4
    assert begin(world, a_jump()).outcome is StepOutcome.COMMITTED
    assert world.values() == at_tier(4)
    assert [edit.value for edit in world.flags.history("context", START)] == ["2000"]
    assert [applied.tier for applied in world.state().applied] == [1, 2, 3, 4]
    world.burn = 0
    for tier in (3, 2, 1, 0):
        world.turn()
        assert (world.state().tier, world.values()) == (tier, at_tier(tier))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (FlagChange(1, "unheard-of", None, True), "has no flag unheard-of"),
        (FlagChange(1, "hops", None, True), "flag hops is 6, which is not of the type of true"),
        (FlagChange(1, "unlisted", None, True), "unlisted is not on the allow-list"),
    ],
    ids=["missing", "other type", "not listed"],
)
def test_a_step_that_cannot_be_written_whole_is_refused(world: World, change: FlagChange, told: str) -> None:
    world.flags.edit("unlisted", False, "ana")
    ended = begin(world, a_jump(changes=(FlagChange(1, "sampling", None, True), change), to_tier=1))
    assert ended.outcome is StepOutcome.REFUSED
    assert told in ended.detail
    assert world.values() == at_tier(0)
    assert [each.data["outcome"] for each in world.events(names.EVENT_STEP_FAILED)] == ["refused"]


def test_red_journeys_undo_the_step_page_and_are_tried_again_later(world: World) -> None:
    world.burn = 1
    world.journeys.says = lambda name: Outcome.FAILED if name == "flow-1" else Outcome.OK
    world.turn()
    (step,) = world.steps()
    assert (step.outcome, step.detail) == (StepOutcome.UNDONE, "journeys are not green: flow-1: red")
    assert (world.state().tier, world.values()) == (0, at_tier(0))
    (page,) = world.pages()
    assert page["labels"]["alertname"] == names.ALERT_LADDER_STEP_FAILED
    assert page["labels"]["team"] == "platform"
    assert "Journeys are not green: flow-1: red." in page["annotations"][names.DESCRIPTION]
    assert world.events(names.EVENT_TIER_CHANGED) == []
    world.journeys.says = lambda _: Outcome.OK
    world.turns(1)
    assert len(world.steps()) == 1  # not at once
    world.turns(2)
    assert world.state().tier == 1


def test_a_step_down_with_red_journeys_goes_back_up(world: World) -> None:
    world.burn = 1
    world.turn()
    world.burn, world.journeys.says = 0, lambda _: Outcome.FAILED
    world.turn()
    assert (world.state().tier, world.values()) == (1, at_tier(1))
    assert world.steps()[-1].outcome is StepOutcome.UNDONE


@pytest.mark.parametrize(("faults", "outcome"), [(1, StepOutcome.COMMITTED), (2, StepOutcome.UNDONE)])
def test_a_fault_of_our_own_is_tried_once_more(world: World, faults: int, outcome: StepOutcome) -> None:
    walks = iter([Outcome.OK, *[Outcome.FAULT] * faults, Outcome.OK])
    world.journeys.says = lambda _: next(walks)
    world.burn = 1
    world.turn()
    (step,) = world.steps()
    assert step.outcome is outcome
    assert world.journeys.walked == ["core", "flow-1", "flow-1"]  # only what was at fault
    assert "it could not be verified: flow-1: red" in step.detail or outcome is StepOutcome.COMMITTED


def test_a_step_that_clients_never_see_is_undone(world: World) -> None:
    class Blind:
        def values(self, flags: object) -> dict[str, object]:
            return {flag.name: flag.normal for flag in DECLARED.flags}

    world.client, world.burn = Blind(), 1
    world.turn()
    (step,) = world.steps()
    assert step.outcome is StepOutcome.UNDONE
    assert step.detail == "within 5 s clients do not see sampling (true)"
    assert step.visible_at is None
    assert world.values() == at_tier(0)


def test_an_approval_is_used_up_by_the_step_that_stands(world: World) -> None:
    asking = replace(world.ladder.tiers[0], needs_approval=True)
    world.ladder = replace(world.ladder, tiers=(asking, *world.ladder.tiers[1:]))
    world.burn = 1
    world.turn()
    assert world.steps() == []
    approve(world)
    world.turn()
    assert world.state().tier == 1
    with world.store.transaction(read_only=True) as transaction:
        (approval,) = transaction.ladders.approvals(NAME)
    assert approval.used_by == "s1"


def test_an_approval_that_is_withdrawn_while_the_step_runs_undoes_it(world: World) -> None:
    asking = replace(world.ladder.tiers[0], needs_approval=True)
    world.ladder = replace(world.ladder, tiers=(asking, *world.ladder.tiers[1:]))
    world.burn = 1
    approval = approve(world)

    def withdraw(name: str) -> Outcome:
        with world.store.transaction() as transaction:
            transaction.ladders.put_approval(replace(approval, withdrawn_at=world.clock.now()))
        return Outcome.OK

    world.journeys.says = withdraw
    world.turn()
    (step,) = world.steps()
    assert (step.outcome, step.detail) == (StepOutcome.UNDONE, "its approval was withdrawn while it ran")
    assert world.values() == at_tier(0)


def approve(world: World) -> Approval:
    at = world.clock.now()
    approval = Approval("a1", NAME, 1, ApprovalScope.STEP, "ana", "it burns", at, at + 60 * MINUTE)
    with world.store.transaction() as transaction:
        transaction.ladders.put_approval(approval)
    return approval


def test_what_was_written_in_another_store_is_not_built_upon(world: World) -> None:
    world.burn = 1
    world.turn()
    world.burn, world.ladder = 4, replace(world.ladder, store="elsewhere")
    world.turns(2)
    assert world.state().tier == 1
    (page,) = world.pages()
    assert page["labels"]["alertname"] == names.ALERT_LADDER_STRANDED
    world.burn = 0
    world.turn()
    assert (world.state().tier, world.values()) == (0, at_tier(0))


def test_applied_tiers_chain_what_flags_were_before() -> None:
    changes = plan.with_earlier(plan.changes_up(LADDER, 0, 4), at_tier(0))
    by_key = {(each.tier, each.flag): each.before for each in changes}
    assert (by_key[2, "context"], by_key[4, "context"]) == ("32000", "8000")
    step = a_jump(changes=changes)
    assert plan.sources(step) == {flag: at_tier(0)[flag] for flag in plan.targets(step)}
    assert plan.targets(step)["context"] == "2000"
    applied = plan.applied_after(unmoved(NAME, START), step, START)
    assert [each.tier for each in applied] == [1, 2, 3, 4]
    assert [change for each in applied for change in each.changes] == list(changes)
