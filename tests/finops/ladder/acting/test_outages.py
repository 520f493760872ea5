"""The flag store is silent, the kill switch is set, the lease is gone: nothing is written that may not be."""

from datetime import timedelta
from typing import Any

import pytest

from controlplane import conventions as names
from controlplane.model.check import Outcome
from controlplane.model.ladder import StepOutcome, StepPhase
from controlplane.ports import LeaseLost, Permanent, Transient
from finops.flags.model import FlagWrite, WriteNote
from finops.ladder.readings import Quality, Reading
from tests.finops.ladder.acting.world import DECLARED, MINUTE, World, at_tier, down


def alerts(world: World) -> list[tuple[str, str]]:
    return [(page["labels"]["alertname"], page["status"]) for page in world.pages()]


def test_a_flag_store_that_is_down_for_ten_minutes_holds_the_ladder_retries_and_pages_once(world: World) -> None:
    world.burn = 1
    world.turn()
    world.burn, world.before = 2, down
    daemon = world.daemon()
    for _ in range(10):
        world.turn(daemon, after=60)
    assert (world.state().tier, world.values()) == (1, at_tier(1))
    (step,) = [each for each in world.steps() if each.outcome is None]
    assert step.phase is StepPhase.INTENT
    assert step.attempts == 10
    assert alerts(world) == [(names.ALERT_FLAG_STORE_DOWN, "firing")]
    world.before = lambda _: None
    world.turn(daemon)
    assert (world.state().tier, world.values()) == (2, at_tier(2))
    assert (names.ALERT_FLAG_STORE_DOWN, "resolved") in alerts(world)
    assert "store-down" not in (world.state().told or {})


def test_a_step_that_could_not_begin_for_more_than_ten_minutes_is_refused(world: World) -> None:
    world.burn, world.before = 1, down
    daemon = world.daemon()
    for _ in range(3):
        world.turn(daemon, after=303)
    first = world.steps()[0]
    assert first.outcome is StepOutcome.REFUSED  # what it was decided on is over
    assert first.detail == "it could not be finished within 10 minutes: flags: read: no answer"
    assert world.values() == at_tier(0)


def test_a_short_silence_wakes_nobody_and_the_step_goes_on(world: World) -> None:
    world.burn, world.before = 1, down
    world.turns(2)
    world.before = lambda _: None
    world.turn()
    assert (world.state().tier, world.steps()[0].attempts) == (1, 2)
    assert alerts(world) == []


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (2, 1, "the signals do not ask for it any more"),
        (0, 1, "the signals do not ask for it any more"),
        (2, Reading(Quality.MISSING), "nobody knows what signals say now"),
    ],
    ids=["up, calm again", "down, high again", "up, dark by now"],
)
def test_a_step_that_waited_for_its_store_does_not_begin_on_data_of_before(
    world: World, before: int, after: Reading | int, why: str
) -> None:
    world.burn = 1
    world.turn()
    world.burn, world.before = before, down
    world.turns(2)
    world.burn = after
    world.turns(2)
    world.before = lambda _: None
    world.turn()
    step = world.steps()[-1]
    assert (step.outcome, step.detail) == (StepOutcome.REFUSED, f"it could not begin for 2 min, and {why}")
    assert (world.state().tier, world.values()) == (1, at_tier(1))


def test_the_page_of_a_store_that_is_back_ends_although_nothing_is_in_force_or_wanted(world: World) -> None:
    world.burn, world.before = 1, down
    world.turns(4)
    world.burn = 0
    world.turns(2)
    assert alerts(world) == [(names.ALERT_FLAG_STORE_DOWN, "firing")]
    world.before = lambda _: None
    world.turns(2)
    assert alerts(world)[-1] == (names.ALERT_FLAG_STORE_DOWN, "resolved")
    assert (world.state().tier, world.steps()[-1].outcome) == (0, StepOutcome.REFUSED)


@pytest.mark.parametrize("has_written", [True, False], ids=["the write arrived", "the write was lost"])
def test_a_write_without_an_answer_is_looked_at_before_it_is_repeated(world: World, has_written: bool) -> None:
    silent = Silent(world.flags, has_written)
    world.flags, world.burn = silent, 1
    world.turn()
    assert world.steps()[0].phase is StepPhase.WRITING
    silent.is_silent = False
    world.turn()
    assert (world.state().tier, world.values()) == (1, at_tier(1))
    assert len(silent.inner.history("sampling", world.clock.at - timedelta(days=1))) == 1


class Silent:
    """Takes a write, or loses it, and says nothing either way."""

    def __init__(self, inner: Any, has_written: bool) -> None:
        self.inner, self.has_written, self.is_silent = inner, has_written, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def write(self, *arguments: Any) -> None:
        if self.has_written or not self.is_silent:
            self.inner.write(*arguments)
        if self.is_silent:
            raise Transient("no answer")


def test_a_half_written_step_that_cannot_go_on_for_ten_minutes_is_undone(world: World) -> None:
    world.flags, world.burn = Silent(world.flags, has_written=True), 1
    world.turn()
    world.before = down
    daemon = world.daemon()
    for _ in range(3):
        world.turn(daemon, after=303)
    assert world.steps()[0].phase is StepPhase.UNDOING
    world.flags.is_silent, world.before = False, lambda _: None
    world.turn(daemon)
    (step,) = world.steps()[:1]
    assert step.outcome is StepOutcome.UNDONE
    assert step.detail == "it could not be finished within 10 minutes: flags: read: no answer"
    assert world.values() == at_tier(0)


def test_a_store_that_refuses_is_not_asked_again_and_the_step_is_undone(world: World) -> None:
    def refuse(call: str) -> None:
        if call == "values":
            raise Permanent("the client's token is refused")

    world.before, world.burn = refuse, 1
    world.turn()
    (step,) = world.steps()
    assert (step.outcome, step.detail) == (StepOutcome.UNDONE, "the client's token is refused")
    assert world.values() == at_tier(0)


def test_a_step_that_can_be_neither_finished_nor_undone_pages_once_and_is_tried_every_turn(world: World) -> None:
    writes: list[str] = []

    def refuse(call: str) -> None:
        writes.append(call)
        if call == "values" or (call == "write" and writes.count("write") > 1):
            raise Permanent("refused")

    world.before, world.burn = refuse, 1
    world.turns(4)
    assert world.steps()[0].phase is StepPhase.UNDOING
    assert alerts(world) == [(names.ALERT_LADDER_STUCK, "firing")]
    world.before = lambda _: None
    world.turn()
    assert world.steps()[0].outcome is StepOutcome.UNDONE
    assert world.values() == at_tier(0)


def test_nothing_is_written_while_the_kill_switch_is_set(world: World) -> None:
    world.burn = 1
    world.turn()
    world.killed, world.burn = "the file is there", 4
    world.turns(2)
    assert world.state().tier == 1
    world.burn = 0
    world.turns(2)
    assert (world.state().tier, world.values()) == (1, at_tier(1))
    world.killed = ""
    world.turns(1)
    assert world.state().tier == 0


@pytest.mark.parametrize(
    ("call", "number", "phase"),
    [("read", 1, None), ("read", 2, StepPhase.SHOWING), ("values", 1, StepPhase.VERIFYING)],
    ids=["before it writes", "when it has written", "while clients look"],
)
@pytest.mark.parametrize(("minutes", "tier"), [(1, 1), (20, 0)], ids=["finished", "undone"])
def test_a_kill_switch_in_the_middle_of_a_step_freezes_it(
    world: World, call: str, number: int, phase: StepPhase | None, minutes: int, tier: int
) -> None:
    calls: list[str] = []

    def before(name: str) -> None:
        calls.append(name)
        if name == call and calls.count(call) == number:
            world.killed = "somebody pulled it"

    world.before, world.burn = before, 1
    world.turn()
    frozen = world.values()
    world.turn(after=60 * minutes)
    assert world.values() == frozen
    step = world.steps()[0]
    if phase is None:
        assert frozen == at_tier(0)
        return
    assert step.phase in (phase, StepPhase.UNDOING)
    assert step.outcome is None
    world.killed, world.before = "", lambda _: None
    world.burn = 0
    world.turn()
    assert world.steps()[0].outcome is (StepOutcome.COMMITTED if tier else StepOutcome.UNDONE)


def test_a_leader_that_lost_the_lease_writes_nothing(world: World) -> None:
    """It stalls between its intent and its write; meanwhile another one leads."""
    leases = world.store.leases
    world.lease = leases.acquire("leader", "one", timedelta(microseconds=1))
    world.burn = 1

    def stall(call: str) -> None:
        if call == "read":
            while leases.acquire("leader", "two", MINUTE) is None:
                pass

    world.before = stall
    with pytest.raises(LeaseLost):
        world.turn()
    assert world.values() == at_tier(0)
    assert [each.phase for each in world.steps()] == [StepPhase.INTENT]


def test_the_lease_and_the_kill_switch_are_asked_right_before_every_write(world: World) -> None:
    world.lease = world.store.leases.acquire("leader", "one", MINUTE)
    world.burn = 1
    asked: list[str] = []

    def is_killed() -> str:
        asked.append("killed?")
        return ""

    daemon = world.daemon()
    daemon.is_killed = is_killed
    world.before = asked.append
    world.turn(daemon)
    assert asked[asked.index("write") - 1] == "killed?"


def test_a_write_of_a_frozen_leader_that_comes_after_its_step_was_undone_is_put_back(world: World) -> None:
    """The leader was asked for its lease, froze, and wakes up when the next one has undone its step."""
    world.burn, world.journeys.says = 1, lambda _: Outcome.FAILED
    world.turn()
    (step,) = world.steps()
    assert step.outcome is StepOutcome.UNDONE
    late = world.flags.read(DECLARED.flags)["sampling"]
    world.flags.write([FlagWrite(late, True)], WriteNote("flyball", "late", f"{step.id}:do"))
    world.burn = 0
    world.turns(1)
    assert world.values() == at_tier(0)
    assert "ladder.late_write_put_back" in world.audited()
    assert not world.state().theirs
