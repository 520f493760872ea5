"""Shadow tells, recommend asks, enforce acts."""

from dataclasses import replace
from decimal import Decimal

from controlplane import conventions as names
from controlplane.model.ladder import Approval, ApprovalScope, OrderKind
from finops.ladder.acting.judging import imagined
from finops.ladder.controller.judging import without
from finops.ladder.deciding import Because
from finops.ladder.last_decision import last_of
from finops.ladder.model import Mode
from finops.ladder.readings import Quality, Reading, Readings
from tests.finops.ladder.acting.world import LADDER, MINUTE, NAME, START, World, at_tier, shadowed


def test_a_ladder_in_shadow_mode_moves_in_its_memory_and_tells_each_move(world: World) -> None:
    world.ladder, world.burn = shadowed(world.ladder), 3
    world.turns(4)
    proposed = world.events(names.EVENT_TIER_PROPOSED)
    assert [(each.data["from"], each.data["to"], each.data["mode"]) for each in proposed] == [
        (0, 1, "shadow"), (1, 2, "shadow"), (2, 3, "shadow"),
    ]  # fmt: skip
    assert world.values() == at_tier(0)
    assert world.steps() == []
    with world.store.transaction(read_only=True) as transaction:
        assert transaction.ladders.state(NAME) is None
        last = last_of(transaction.ladders.state(f"{NAME}/shadow"))
    assert last is not None
    assert (last.tier, last.mode) == (3, Mode.SHADOW)


def test_in_shadow_mode_what_its_tiers_would_save_is_taken_off(world: World) -> None:
    """Tier 1 saves 1 an hour, which is worth 1 of the signal: 2 becomes 1, and tier 2 waits."""
    world.ladder, world.burn, world.per_hour = shadowed(world.ladder), 2, Decimal(1)
    world.turns(5)
    assert [each.data["to"] for each in world.events(names.EVENT_TIER_PROPOSED)] == [1]


def test_in_shadow_mode_more_savings_than_there_is_spend_do_not_keep_a_ladder_up() -> None:
    """At 1 of the signal, tiers of 4 and 6 would leave nothing; without the upper one there would still be nothing."""
    world_of = tuple(
        replace(each, saving_per_hour=Decimal(saving)) for each, saving in zip(LADDER.tiers, (4, 6, 1), strict=False)
    )
    ladder = replace(LADDER, tiers=world_of)
    burn = Reading(Quality.GOOD, Decimal(1), START, Decimal(1))
    for tier, without_it in ((1, 1), (2, 0)):
        seen = imagined(Readings(START, {"burn": burn}), ladder, tier)
        assert seen.signals["burn"].value == 0
        assert without(seen, ladder, tier).signals["burn"].value == without_it


def test_a_ladder_that_recommends_asks_once_and_goes_when_it_is_allowed(world: World) -> None:
    world.ladder, world.burn = replace(world.ladder, mode=Mode.RECOMMEND), 1
    world.turns(3)
    (asked,) = world.events(names.EVENT_TIER_PROPOSED)
    assert (asked.data["to"], asked.data["mode"]) == (1, "recommend")
    assert world.values() == at_tier(0)
    with world.store.transaction() as transaction:
        at = world.clock.now()
        approval = Approval("a1", NAME, 1, ApprovalScope.STEP, "ana", "it burns", at, at + 60 * MINUTE)
        transaction.ladders.put_approval(approval)
    world.turn()
    assert (world.state().tier, world.steps()[0].approval) == (1, "a1")


def test_missing_data_holds_and_is_told_once_until_it_is_over(world: World) -> None:
    world.burn = 1
    world.turn()
    for _ in range(2):
        world.burn = Reading(Quality.MISSING, reason="no sample")
        world.turns(3)
        world.burn = 1
        world.turns(2)
    held = world.events(names.EVENT_LADDER_HELD)
    assert [each.data["because"] for each in held] == ["no-data", "no-data"]
    assert world.state().tier == 1


def test_a_real_tier_under_a_ladder_in_shadow_mode_stays_and_is_told_loudly_once(world: World) -> None:
    world.burn = 2
    world.turns(2)
    world.ladder, world.burn = shadowed(world.ladder), 0
    world.turns(5)
    assert (world.state().tier, world.values()) == (2, at_tier(2))
    (page,) = world.pages()
    assert page["labels"]["alertname"] == names.ALERT_LADDER_STRANDED
    assert page["annotations"][names.SUMMARY] == f"ladder {NAME}: tier 2 is in force, and it is in shadow mode"
    world.ladder = replace(world.ladder, mode=Mode.ENFORCE)
    world.turns(2)
    assert [each["status"] for each in world.pages()] == ["firing", "resolved"]
    assert world.state().tier == 0


def test_a_ladder_is_judged_as_often_as_it_says_also_by_a_new_leader(world: World) -> None:
    daemon = world.daemon()
    at = world.clock.now()
    assert daemon.run_once([world.ladder], at).judged == 1
    assert daemon.run_once([world.ladder], at).judged == 0
    world.clock.wait(10)
    assert world.daemon().run_once([world.ladder], world.clock.now()).judged == 0
    world.clock.wait(20)
    assert world.daemon().run_once([world.ladder], world.clock.now()).judged == 1


def test_a_renamed_ladder_does_not_build_on_what_the_old_one_has_in_force(world: World) -> None:
    """What flags are now is not what they were: kept as that, full service would never come back."""
    world.burn = 1
    world.turns(3)
    assert world.values() == at_tier(1)
    old, world.ladder = world.ladder, replace(world.ladder, name="renamed")
    world.turns(4)
    assert [step.ladder for step in world.steps()] == [NAME]
    with world.store.transaction(read_only=True) as transaction:
        last = last_of(transaction.ladders.state("renamed"))
    assert last is not None
    assert [note.because for note in last.notes if note.is_alert] == [Because.TAKEN]
    assert f"flyball ladder step {NAME} --to 0" in last.notes[-1].text
    world.order(OrderKind.STEP, 0)
    world.turn()
    assert world.values() == at_tier(0)
    world.turns(3)
    with world.store.transaction(read_only=True) as transaction:
        found = transaction.ladders.state("renamed")
    assert found is not None
    assert found.tier == 1
    assert {change.before for applied in found.applied for change in applied.changes} == {
        at_tier(0)[flag] for flag, _ in old.tiers[0].flags
    }
