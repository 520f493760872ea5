"""Whom a drill reaches: receivers by name, whoever schedules have on call, everybody in a policy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alerts.escalation.declared import RECEIVER, SCHEDULE
from alerts.model import AlertsDeclared
from alerts.schedules.turns import on_call
from controlplane.model.incident import Priority

MOST: Final = 50


class Refused(Exception):
    """The drill cannot be held: why, and what could be done instead."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A receiver, why it is part of the drill, and the channels by which it is told."""

    receiver: str
    why: str
    channels: tuple[str, ...]


def contacts_of(
    declared: AlertsDeclared,
    *,
    receivers: Sequence[str] = (),
    policies: Sequence[str] = (),
    schedules: Sequence[str] = (),
    everyone: bool = False,
    priority: Priority,
    at: datetime,
) -> tuple[Contact, ...]:
    """Each receiver once. Nothing named: everybody in every policy. `everyone`: all who take turns, not who has it now.

    Raises `Refused` for names that nothing has, for a schedule with nobody on call, and when nobody is left.
    """
    if not (receivers or policies or schedules):
        policies = [policy.name for policy in declared.policies]
        if not policies:
            raise Refused("no EscalationPolicy is declared: say whom, by --receiver NAME or --schedule NAME")
    wanted = [
        *((name, "named") for name in receivers),
        *_of_schedules(declared, schedules, "", at, everyone=everyone),
        *(pair for name in policies for pair in _of_policy(declared, name, at, everyone=everyone)),
    ]
    found: dict[str, Contact] = {}
    for name, why in wanted:
        receiver = declared.receiver(name)
        if receiver is None:
            known = ", ".join(each.name for each in declared.receivers) or "none is declared"
            raise Refused(f"there is no Receiver {name}: there is {known}")
        channels = tuple(channel.name for channel in receiver.channels if priority in channel.priorities)
        found.setdefault(name, Contact(name, why, channels))
    if len(found) > MOST:
        raise Refused(f"it would reach {len(found)} receivers, and a drill reaches {MOST} at most: name some")
    if not found:
        raise Refused("it would reach nobody")
    return tuple(found.values())


def _of_policy(declared: AlertsDeclared, name: str, at: datetime, *, everyone: bool) -> Iterator[tuple[str, str]]:
    policy = declared.policy(name)
    if policy is None:
        known = ", ".join(each.name for each in declared.policies) or "none is declared"
        raise Refused(f"there is no EscalationPolicy {name}: there is {known}")
    for number, step in enumerate(policy.steps, 1):
        where = f"{name}, step {number}"
        for target in step.targets:
            if target.startswith(SCHEDULE):
                yield from _of_schedules(declared, [target.removeprefix(SCHEDULE)], where, at, everyone=everyone)
            else:
                yield target.removeprefix(RECEIVER), where


def _of_schedules(
    declared: AlertsDeclared, schedules: Sequence[str], where: str, at: datetime, *, everyone: bool
) -> Iterator[tuple[str, str]]:
    for name in schedules:
        schedule = declared.schedule(name)
        if schedule is None:
            known = ", ".join(each.name for each in declared.schedules) or "none is declared"
            raise Refused(f"there is no Schedule {name}: there is {known}")
        if everyone:
            people = [person for rotation in schedule.rotations for person in rotation.participants]
            yield from ((person, f"takes turns in {name}") for person in people)
            continue
        person = on_call(schedule, at)
        if not person:
            raise Refused(f"nobody is on call by {name} now: that is worse than any drill could show")
        yield person, f"{where + ', ' if where else ''}on call by {name}"
