"""Fires steps that are due: whoever is next is told, and that is written down, all in one transaction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.escalation.planning import is_pending
from alerts.escalation.reaching import Reached, reached, told
from alerts.incidents.writing import event_of, write
from alerts.model import AlertsDeclared
from controlplane import incident_names as names
from controlplane import wording
from controlplane.model.event import Event
from controlplane.model.incident import DueStep, Incident, TimelineEntry, TimelineKind
from controlplane.ports import Transaction

ACTOR: Final = "flyball"
_LATE: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Fired:
    """A step that fired, and who its targets were."""

    step: DueStep
    found: tuple[Reached, ...]


def fire(
    transaction: Transaction,
    incident: Incident,
    due: Sequence[DueStep],
    *,
    declared: AlertsDeclared,
    at: datetime,
    now: datetime,
) -> tuple[Incident, list[Fired]]:
    """Fire these steps of one incident in order, at database time `at`; the incident as it is then.

    The caller holds `incidents.lock()`, and knows the incident to be open and unacknowledged. A step by which nobody
    can be told waits for nobody: the next one of its policy fires with it.
    """
    fired = list(_with_next(transaction, incident, due, declared, at))
    receivers = dict.fromkeys((*incident.receivers, *(name for each in fired for name in each.step.told)))
    changed = replace(incident, receivers=tuple(receivers), version=incident.version + 1, updated_at=at)
    incident = transaction.incidents.put(changed)
    transaction.incidents.put_steps([each.step for each in fired])
    lines = [_line(incident, each, at) for each in fired]
    events = [_event(incident, each, at) for each in fired]
    write(transaction, incident, lines, events, declared=declared, now=now)
    for event in events:
        transaction.audit.append(at=now, actor=ACTOR, action=event.kind, subject=incident.name, detail=event.data)
    return incident, fired


def _with_next(
    transaction: Transaction, incident: Incident, due: Sequence[DueStep], declared: AlertsDeclared, at: datetime
) -> Iterator[Fired]:
    """Those that are due, and after each that reaches nobody the next one that is still to come."""
    queue, rest = list(due), None
    while queue:
        step = queue.pop(0)
        found = reached(step, declared, incident.priority, at)
        yield Fired(replace(step, fired_at=at, told=told(found)), found)
        if told(found) or any(each.policy == step.policy for each in queue):
            continue
        if rest is None:
            taken = {_place(each) for each in due}
            rest = [each for each in transaction.incidents.steps_of(incident.id) if is_pending(each)]
            rest = [each for each in rest if _place(each) not in taken]
        following = next((each for each in rest if each.policy == step.policy), None)
        if following is not None:
            rest.remove(following)
            queue.append(following)


def _place(step: DueStep) -> tuple[str, int, int]:
    return step.policy, step.round, step.step


def _name(step: DueStep) -> str:
    return f"{step.policy}:{step.round}:{step.step}"


def _line(incident: Incident, fired: Fired, at: datetime) -> TimelineEntry:
    step = fired.step
    return TimelineEntry(
        id=f"escalated:{_name(step)}",
        incident=incident.id,
        at=at,
        kind=TimelineKind.ESCALATED,
        text=text_of(incident, fired),
        actor=ACTOR,
        data={"policy": step.policy, "round": step.round, "step": step.step, "told": list(step.told)},
    )


def text_of(incident: Incident, fired: Fired) -> str:
    """`Nobody acknowledged for 5 min: release-lead is told (step 2 of p0)`."""
    step = fired.step
    people = [each.text for each in fired.found if each.receiver]
    others = [each.why for each in fired.found if not each.receiver]
    verb = "is told" if len(people) == 1 else "are told"
    what = f"{', '.join(people)} {verb}" if people else "nobody can be told"
    place = f"step {step.step + 1} of {step.policy}{_lateness(step)}"
    why = f"; {'; '.join(others)}" if others else ""
    return f"{_waiting(incident, step)}{what} ({place}){why}"


def _waiting(incident: Incident, step: DueStep) -> str:
    if step.round:
        return "Still nobody has it: "
    waited = step.due_at - incident.opened_at
    return f"Nobody acknowledged for {wording.duration(waited)}: " if waited else ""


def _lateness(step: DueStep) -> str:
    late = step.fired_at - step.due_at if step.fired_at is not None else timedelta(0)
    return f", {wording.duration(late)} late" if late > _LATE else ""


def _event(incident: Incident, fired: Fired, at: datetime) -> Event:
    step = fired.step
    event = event_of(
        names.EVENT_INCIDENT_ESCALATED,
        incident,
        at,
        policy=step.policy,
        round=step.round,
        step=step.step,
        due_at=step.due_at.isoformat(),
        told=list(step.told),
        why=[each.why for each in fired.found if each.why],
    )
    return replace(event, id=f"{names.EVENT_INCIDENT_ESCALATED}:{incident.id}:{_name(step)}")
