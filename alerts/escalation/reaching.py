"""Who a step's targets are at a moment: people on call by schedules, and receivers by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from alerts.escalation.declared import RECEIVER, SCHEDULE
from alerts.model import AlertsDeclared
from alerts.schedules.turns import on_call
from controlplane.model.incident import DueStep, Priority


@dataclass(frozen=True, slots=True)
class Reached:
    """A target at a moment. `receiver` is empty where nobody can be told, and `why` says why not."""

    target: str
    receiver: str = ""
    why: str = ""

    @property
    def schedule(self) -> str:
        """The schedule by which somebody is on call; empty for a receiver that is named."""
        return self.target.removeprefix(SCHEDULE) if self.target.startswith(SCHEDULE) else ""

    @property
    def text(self) -> str:
        """In words."""
        if not self.receiver:
            return self.why
        return f"{self.receiver} (on call by {self.schedule})" if self.schedule else self.receiver


def reached(step: DueStep, declared: AlertsDeclared, priority: Priority, at: datetime) -> tuple[Reached, ...]:
    """Each target of a step, in its order, as it is at `at`; `told` are the receivers among them."""
    return tuple(_reached(target, declared, priority, at) for target in step.targets)


def told(found: Iterable[Reached]) -> tuple[str, ...]:
    """The receivers that are told, each once."""
    return tuple(dict.fromkeys(_names(found)))


def _names(found: Iterable[Reached]) -> Iterator[str]:
    return (each.receiver for each in found if each.receiver)


def _reached(target: str, declared: AlertsDeclared, priority: Priority, at: datetime) -> Reached:
    name = target.removeprefix(RECEIVER)
    if target.startswith(SCHEDULE):
        schedule = declared.schedule(target.removeprefix(SCHEDULE))
        if schedule is None:
            return Reached(target, why=f"there is no Schedule {target.removeprefix(SCHEDULE)} any more")
        name = on_call(schedule, at)
        if not name:
            return Reached(target, why=f"nobody is on call by {schedule.name}")
    receiver = declared.receiver(name)
    if receiver is None:
        return Reached(target, why=f"there is no Receiver {name} any more")
    if not any(priority in channel.priorities for channel in receiver.channels):
        return Reached(target, why=f"{name} takes nothing of {priority.value}")
    return Reached(target, receiver=name)
