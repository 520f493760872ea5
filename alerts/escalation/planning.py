"""When who is told if nobody acknowledges: a policy's steps as times of their own."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from alerts.escalation.model import EscalationPolicy
from controlplane.model.incident import DueStep


def steps_of(policy: EscalationPolicy, incident: str, opened_at: datetime, *, first_round: int = 0) -> list[DueStep]:
    """Every step of every round for the incident of that id, in order of time; `opened_at` is a database time.

    `first_round` numbers the first one: when an acknowledgement lapses, the rounds begin again and count on.
    """
    return [
        DueStep(
            incident=incident,
            policy=policy.name,
            round=first_round + number,
            step=index,
            due_at=opened_at + number * policy.round_length + step.after,
            targets=step.targets,
        )
        for number in range(policy.rounds)
        for index, step in enumerate(policy.steps)
    ]


def cancelled(steps: Iterable[DueStep], at: datetime) -> list[DueStep]:
    """Those that are still to come, called off at `at`: somebody acknowledged or resolved the incident."""
    return [replace(step, cancelled_at=at) for step in steps if is_pending(step)]


def is_pending(step: DueStep) -> bool:
    """Whether it is still to come."""
    return step.fired_at is None and step.cancelled_at is None


def next_step(steps: Iterable[DueStep]) -> DueStep | None:
    """The one that comes next; None when none does."""
    pending = [step for step in steps if is_pending(step)]
    return min(pending, key=lambda step: (step.due_at, step.round, step.step), default=None)
