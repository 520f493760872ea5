"""A policy's steps as times of their own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.escalation.planning import cancelled, next_step, steps_of
from controlplane.model.incident import DueStep

OPENED = datetime(2026, 12, 1, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
P0 = EscalationPolicy(
    "p0",
    (
        PolicyStep(0 * MINUTE, ("schedule:sre",)),
        PolicyStep(5 * MINUTE, ("receiver:release-lead",)),
        PolicyStep(10 * MINUTE, ("receiver:secops",)),
        PolicyStep(15 * MINUTE, ("receiver:exec",)),
    ),
    rounds=2,
    round_length=20 * MINUTE,
)


def test_every_step_of_every_round_has_its_time() -> None:
    steps = steps_of(P0, "inc", OPENED)
    assert [(step.due_at - OPENED) // MINUTE for step in steps] == [0, 5, 10, 15, 20, 25, 30, 35]
    assert [(step.round, step.step) for step in steps] == [(n, s) for n in (0, 1) for s in range(4)]
    assert steps[3] == DueStep("inc", "p0", 0, 3, OPENED + 15 * MINUTE, ("receiver:exec",))


def test_rounds_that_begin_again_count_on() -> None:
    assert [step.round for step in steps_of(P0, "inc", OPENED, first_round=2)] == [2] * 4 + [3] * 4


def test_only_what_is_still_to_come_is_called_off() -> None:
    steps = steps_of(P0, "inc", OPENED)
    steps[0] = replace(steps[0], fired_at=OPENED)
    steps[1] = replace(steps[1], cancelled_at=OPENED)
    off = cancelled(steps, OPENED + MINUTE)
    assert [(step.round, step.step) for step in off] == [(0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)]
    assert {step.cancelled_at for step in off} == {OPENED + MINUTE}
    assert next_step(steps) == steps[2]
    assert next_step(off) is None
