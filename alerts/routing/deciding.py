"""Who is told of an alert, when, by what ways, and why: of labels and a time alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.escalation.model import EscalationPolicy
from alerts.model import AlertsDeclared, Link
from alerts.routing.model import Route, Routed
from alerts.routing.router import Router, passed_over
from alerts.runbooks.linking import runbooks_of
from alerts.schedules.turns import on_call
from controlplane.model.incident import Priority

_SCHEDULE = "schedule:"


@dataclass(frozen=True, slots=True)
class Told:
    """A receiver that is told `after` the alert fired, if nobody acknowledged before, on these channels.

    `receiver` is empty where a schedule has nobody then, or no time was named. `step` is that of the policy, from 1 on;
    0 is the route itself.
    """

    after: timedelta
    receiver: str
    display_name: str
    channels: tuple[str, ...]
    step: int = 0
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an alert. `routes` are all at which it ends; muted ones tell nobody."""

    labels: Mapping[str, str]
    at: datetime | None
    routes: tuple[Routed, ...]
    priority: Priority
    policy: str
    told: tuple[Told, ...]
    grouped_by: Mapping[str, str]
    runbooks: tuple[Link, ...]
    passed_over: tuple[str, ...] = ()

    @property
    def is_muted(self) -> bool:
        """Whether nobody is told because of the time."""
        return all(routed.is_muted for routed in self.routes)

    @property
    def is_only_kept(self) -> bool:
        """Whether nobody is told because of what it is."""
        return all(routed.tells_nobody for routed in self.routes)

    @property
    def receivers(self) -> tuple[str, ...]:
        """Everybody who is told at once, each once."""
        return tuple(dict.fromkeys(told.receiver for told in self.told if not told.step))

    @property
    def on_call(self) -> tuple[str, ...]:
        """Who is on call in the schedules of the policy's first step."""
        first = min((told.after for told in self.told if told.step), default=None)
        people = (told.receiver for told in self.told if told.step and told.after == first and told.schedule)
        return tuple(dict.fromkeys(person for person in people if person))


def decide(
    declared: AlertsDeclared,
    root: Route,
    labels: Mapping[str, str],
    at: datetime | None,
    annotations: Mapping[str, str] | None = None,
) -> Decision:
    """By the tree `root` of `declared`. `at` None: at no special time, so nothing is muted and nobody is on call."""
    routes = Router(root, declared.windows).routes_of(labels, at)
    telling = [routed for routed in routes if not routed.is_muted and not routed.tells_nobody]
    ranked = sorted(telling or routes, key=lambda routed: routed.priority.rank)
    policy = next((routed.escalation for routed in ranked if routed.escalation), "") if telling else ""
    decision_priority = ranked[0].priority
    told = [*_at_once(declared, telling, decision_priority)]
    opens = min((routed.group_wait for routed in telling), default=timedelta(0))
    found = declared.policy(policy)
    if found is not None:
        told += _by_policy(declared, found, opens, at, decision_priority)
    return Decision(
        labels=dict(labels),
        at=at,
        routes=routes,
        priority=decision_priority,
        policy=policy,
        told=tuple(told),
        grouped_by={label: labels.get(label, "") for label in routes[0].group_by},
        runbooks=runbooks_of(labels, annotations or {}, declared.runbooks),
        passed_over=tuple(passed_over(root, labels)),
    )


def _at_once(declared: AlertsDeclared, telling: Sequence[Routed], priority: Priority) -> Iterator[Told]:
    seen: set[str] = set()
    for routed in telling:
        for name in routed.receivers:
            if name not in seen:
                seen.add(name)
                yield _told(declared, name, routed.group_wait, priority)


def _by_policy(
    declared: AlertsDeclared, policy: EscalationPolicy, opens: timedelta, at: datetime | None, priority: Priority
) -> Iterator[Told]:
    for number, step in enumerate(policy.steps, 1):
        after = opens + step.after
        for target in step.targets:
            if not target.startswith(_SCHEDULE):
                yield _told(declared, target.partition(":")[2], after, priority, step=number)
                continue
            name = target.removeprefix(_SCHEDULE)
            schedule = declared.schedule(name)
            person = on_call(schedule, at + after) if schedule is not None and at is not None else ""
            yield _told(declared, person, after, priority, step=number, schedule=name)


def _told(
    declared: AlertsDeclared, name: str, after: timedelta, priority: Priority, *, step: int = 0, schedule: str = ""
) -> Told:
    receiver = declared.receiver(name)
    channels = receiver.channels if receiver is not None else ()
    return Told(
        after=after,
        receiver=name,
        display_name=receiver.display_name if receiver is not None else "",
        channels=tuple(channel.name for channel in channels if priority in channel.priorities),
        step=step,
        schedule=schedule,
    )
