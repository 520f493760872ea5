"""A person's edit is theirs: the ladder leaves it alone, says so, and waits to be told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from controlplane import conventions as names
from controlplane.model.check import Outcome
from controlplane.model.ladder import OrderKind, StepOutcome
from finops.flags.model import DeclaredFlag, FlagState
from finops.flags.ports import NotOneValue
from tests.finops.ladder.acting.world import NAME, World, at_tier


def once(call: str, number: int, do: Callable[[], Any]) -> Callable[[str], None]:
    """Do it before the call of that name and number."""
    seen: list[str] = []

    def before(name: str) -> None:
        seen.append(name)
        if name == call and seen.count(call) == number:
            do()

    return before


MOMENTS = [
    pytest.param("write", 1, "16000", id="between reading and writing"),
    pytest.param("write", 1, "8000", id="what it is about to write"),
    pytest.param("read", 2, "16000", id="between writing and reading back"),
    pytest.param("read", 2, "32000", id="as it was, before it is read back"),
    pytest.param("values", 1, "32000", id="as it was, before clients see it"),
    pytest.param("read", 3, "16000", id="while it is verified"),
]


@pytest.mark.parametrize(("call", "number", "value"), MOMENTS)
def test_an_edit_during_a_step_stays_and_the_rest_is_put_back(world: World, call: str, number: int, value: str) -> None:
    world.burn = 1
    world.turn()
    world.burn = 2
    # the daemon reads once before the step, to see whether people changed what is in force
    reads = number + 1 if call == "read" else number
    world.before = once(call, reads, lambda: world.flags.edit("context", value, "ana"))
    world.turn()
    step = world.steps()[-1]
    assert step.outcome is StepOutcome.YIELDED
    assert world.values() == {**at_tier(1), "context": value}
    assert world.state().theirs == {"context": "8000"}
    (event,) = world.events(names.EVENT_FLAG_YIELDED)
    assert (event.subject, event.data["by"]) == ("context", "ana")
    alerts = [page["labels"]["alertname"] for page in world.pages()]
    assert alerts == [names.ALERT_LADDER_YIELDED]
    world.clock.wait(3600)
    world.turns(2)
    assert (world.state().tier, len(world.steps())) == (1, 2)  # it waits


def test_an_edit_of_a_flag_in_force_holds_the_ladder_in_both_directions_and_is_told_once(world: World) -> None:
    world.burn = 2
    world.turns(2)
    world.flags.edit("sampling", False, "ana")
    for burn in (4, 0):
        world.burn = burn
        world.turns(2)
    assert world.state().tier == 2
    assert world.values() == {**at_tier(2), "sampling": False}
    assert world.state().theirs == {"sampling": True}
    assert len(world.events(names.EVENT_FLAG_YIELDED)) == 1
    (page,) = world.pages()
    assert "sampling (by ana)" in page["annotations"][names.SUMMARY]
    assert "ladder.yielded" in world.audited()


def test_kept_edits_stay_down_to_full_service_and_are_left_alone_until_then(world: World) -> None:
    world.burn = 2
    world.turns(2)
    world.flags.edit("context", "16000", "ana")
    world.turn()
    world.order(OrderKind.KEEP_THEIRS)
    world.turn()
    assert world.outcome().is_done_well
    assert world.outcome().result == "left alone until full service: context"
    assert not world.state().theirs
    world.burn = 4
    world.turns(2)
    assert (world.state().tier, world.values()) == (4, {**at_tier(4), "context": "16000"})
    world.burn = 0
    world.turns(4)
    assert (world.state().tier, world.values()) == (0, {**at_tier(0), "context": "16000"})
    world.burn = 2
    world.turns(2)
    assert world.values() == at_tier(2)  # full service ended it: what it was is kept as the earlier value
    world.burn = 0
    world.turns(2)
    assert world.values() == {**at_tier(0), "context": "16000"}


def test_an_edit_that_is_taken_back_is_the_ladders_again(world: World) -> None:
    world.burn = 2
    world.turns(2)
    world.flags.edit("context", "16000", "ana")
    world.turn()
    world.order(OrderKind.TAKE_BACK)
    world.turn()
    assert world.outcome().result == "taken back: context (8000)"
    assert (world.values(), world.state().theirs) == (at_tier(2), None)
    world.burn = 0
    world.turns(2)
    assert world.values() == at_tier(0)
    (event,) = [each for each in world.events(names.EVENT_FLAG_CHANGED) if "order" in each.data]
    assert (event.data["from"], event.data["to"]) == ("16000", "8000")


def test_taking_back_overwrites_no_edit_that_came_after_the_order(world: World) -> None:
    world.burn = 2
    world.turns(2)
    world.flags.edit("context", "16000", "ana")
    world.turn()
    world.order(OrderKind.TAKE_BACK)
    world.before = once("write", 1, lambda: world.flags.edit("context", "32000", "ben"))
    world.turn()
    assert world.outcome().is_done_well is False
    assert world.values() == {**at_tier(2), "context": "32000"}
    assert world.state().theirs == {"context": "8000"}


def test_an_edit_of_a_flag_that_is_not_in_force_may_be_taken_back_without_writing(world: World) -> None:
    world.burn = 1
    world.before = once("write", 1, lambda: world.flags.edit("sampling", True, "ana"))
    world.turn()
    assert world.state().theirs == {"sampling": True}
    world.before = lambda _: None
    world.burn = 0
    world.order(OrderKind.TAKE_BACK)
    world.turn()
    assert world.outcome().result == "the ladder may write its flags again"
    assert world.values()["sampling"] is True  # what ana had set is what the next step down restores


def test_a_flag_that_is_removed_in_force_is_a_persons_doing(world: World) -> None:
    world.burn = 1
    world.turn()
    del world.flags._states["sampling"]
    world.burn = 0
    world.turns(2)
    assert world.state().tier == 1
    assert world.state().theirs == {"sampling": True}


def test_a_step_over_an_edit_that_nobody_saw_yet_writes_nothing(world: World) -> None:
    world.burn = 1
    world.turn()
    world.burn = 2
    # after the daemon's look, before the step's own reading
    world.before = once("read", 2, lambda: world.flags.edit("sampling", False, "ana"))
    world.turn()
    step = world.steps()[-1]
    assert step.outcome is StepOutcome.YIELDED
    assert step.detail == "sampling is false, and the ladder had set true"
    assert world.values() == {**at_tier(1), "sampling": False}


def test_an_edit_during_an_undo_stays(world: World) -> None:
    world.burn = 2
    world.journeys.says = lambda name: Outcome.FAILED if name == "flow-2" else Outcome.OK
    world.turn()
    writes: list[str] = []

    def before(call: str) -> None:
        writes.append(call)
        if call == "write" and writes.count("write") == 2:  # the one that puts back
            world.flags.edit("limited", False, "ana")

    world.before = before
    world.turn()
    assert world.steps()[-1].outcome is StepOutcome.YIELDED
    assert world.values() == at_tier(1)
    assert world.state().theirs == {"limited": True}


def test_an_order_to_step_waits_for_nobody_who_changed_a_flag(world: World) -> None:
    world.burn = 1
    world.turn()
    world.flags.edit("sampling", False, "ana")
    world.turn()
    world.order(OrderKind.STEP, 0)
    world.turn()
    assert world.outcome().is_done_well is False
    assert world.outcome().result == "people changed sampling"
    assert world.values()["sampling"] is False
    assert world.state().ladder == NAME


def test_a_flag_in_force_that_somebody_rolls_out_to_some_only_is_theirs(world: World) -> None:
    world.burn = 1
    world.turn()
    world.flags = RolledOut(world.flags, "sampling")
    world.burn = 0
    world.turns(3)
    assert world.state().theirs == {"sampling": True}
    assert [page["labels"]["alertname"] for page in world.pages()] == [names.ALERT_LADDER_YIELDED]
    assert (world.state().tier, len(world.steps())) == (1, 1)
    world.flags = world.flags.inner
    world.order(OrderKind.TAKE_BACK)
    world.turns(3)
    assert (world.state().tier, world.values()) == (0, at_tier(0))


@dataclass
class RolledOut:
    """A store in which somebody gave a flag to a part of all users."""

    inner: Any
    flag: str

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        if self.flag in [each.name for each in flags]:
            raise NotOneValue(f"flag {self.flag} is on for some only")
        found: Mapping[str, FlagState] = self.inner.read(flags)
        return found
