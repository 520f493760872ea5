"""What a configuration would have told whom, and when: alerts of a time that is over, by the same tree and rules.

Routes, mute times, inhibition and the waits of groups are Alertmanager's; incidents, priorities and escalation ours.
An incident is acknowledged when the real one was, if there was one; nobody resolves it before its alerts end. Silences
that people made by hand are not known any more.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.escalation.planning import steps_of
from alerts.escalation.reaching import reached, told
from alerts.explaining.delivering import Notice, delivered
from alerts.explaining.firings import Fired
from alerts.incidents.grouping import incident_key
from alerts.model import AlertsDeclared
from alerts.routing.inhibiting import inhibitions_of
from alerts.routing.router import Router
from controlplane import conventions as names
from controlplane.model.incident import Priority
from controlplane.model.inhibition import Inhibition

_BEFORE: Final = datetime.min.replace(tzinfo=UTC)
NOT_DECLARED: Final = "no Route is declared: it is shown on the console only"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is tried. `further` are the inhibitions of SLOs and money."""

    declared: AlertsDeclared
    further: tuple[Inhibition, ...] = ()


@dataclass(frozen=True, slots=True)
class Telling:
    """Somebody is told of an incident: a receiver, when, and by what."""

    at: datetime
    receiver: str
    by: str


@dataclass(frozen=True, slots=True)
class Episode:
    """An incident as it would have been. `alerts` are places among those that fired; `ended_at` None: it goes on."""

    opened_at: datetime
    ended_at: datetime | None
    title: str
    priority: Priority
    alerts: tuple[int, ...]
    tellings: tuple[Telling, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of every alert: the episode that it is part of (its place), or why nobody was told."""

    episodes: tuple[Episode, ...]
    part_of: Mapping[int, int]
    quiet: Mapping[int, str]

    def told_of(self, alert: int, fired: Fired) -> dict[str, Telling]:
        """Who is told of an alert, and when first: of one that joins, not before it began."""
        if alert not in self.part_of:
            return {}
        found: dict[str, Telling] = {}
        for telling in self.episodes[self.part_of[alert]].tellings:
            at = max(telling.at, fired.start)
            found.setdefault(telling.receiver, Telling(at, telling.receiver, telling.by))
        return found


def replay(fired: Sequence[Fired], tried: Configuration, until: datetime) -> Replayed:
    """What `tried` would have done up to `until`. Alerts by start."""
    root = tried.declared.root
    if root is None:
        return Replayed((), {}, dict.fromkeys(range(len(fired)), NOT_DECLARED))
    router = Router(root, tried.declared.windows)
    rules = inhibitions_of(root, tried.further)
    came = delivered(fired, router, tried.declared.windows, rules, until)
    by_key: dict[str, list[Notice]] = {}
    for notice in came.notices:
        by_key.setdefault(incident_key(notice.first, fired[notice.alert].labels), []).append(notice)
    made = [
        _episode(fired, notices, end, tried.declared, until)
        for group in by_key.values()
        for notices, end in _incidents(fired, group)
    ]
    episodes = tuple(sorted(made, key=lambda each: (each.opened_at, each.alerts)))
    part_of = {alert: place for place, each in enumerate(episodes) for alert in each.alerts}
    return Replayed(episodes, part_of, came.quiet)


def _incidents(
    fired: Sequence[Fired], group: Sequence[Notice]
) -> Iterator[tuple[list[Notice], datetime | None]]:  # fmt: skip
    """Notices of one key, incident by incident, each with its end: all alerts ended, and `resolve_after` passed."""
    part: list[Notice] = []
    wait, last, goes_on = timedelta(0), _BEFORE, False
    for notice in group:
        if part and not goes_on and notice.at >= last + wait:
            yield part, last + wait
            part, wait, last = [], timedelta(0), _BEFORE
        part.append(notice)
        wait = max(wait, notice.routed.resolve_after)
        ends = fired[notice.alert].end
        goes_on = goes_on or ends is None
        last = max(last, ends or last)
    if part:
        yield part, None if goes_on else last + wait


def _episode(
    fired: Sequence[Fired],
    notices: Sequence[Notice],
    end: datetime | None,
    declared: AlertsDeclared,
    until: datetime,
) -> Episode:
    """An incident: who is told when it opens, when it is more urgent, and by escalation."""
    opened_at = notices[0].at
    tellings: list[Telling] = []
    heard: set[str] = set()
    wanted: dict[str, str] = {}
    priority = notices[0].routed.priority
    for notice in notices:
        priority = min(priority, notice.routed.priority, key=lambda each: each.rank)
        for receiver in notice.routed.receivers:
            wanted.setdefault(receiver, notice.routed.route)
        for receiver, route in wanted.items():
            if receiver not in heard and _takes(declared, receiver, priority):
                heard.add(receiver)
                tellings.append(Telling(notice.at, receiver, f"route {route}"))
    acknowledged = _acknowledged(fired, notices, opened_at)
    tellings += _escalated(
        notices, declared, until=min(each for each in (end, acknowledged, until) if each is not None)
    )
    alerts = tuple(dict.fromkeys(notice.alert for notice in notices))
    return Episode(
        opened_at=opened_at,
        ended_at=end if end is not None and end < until else None,
        title=title_of(fired[notices[0].alert]),
        priority=priority,
        alerts=alerts,
        tellings=tuple(_first_of_each(sorted(tellings, key=lambda each: each.at))),
    )


def _takes(declared: AlertsDeclared, name: str, priority: Priority) -> bool:
    receiver = declared.receiver(name)
    return receiver is not None and any(priority in channel.priorities for channel in receiver.channels)


def _acknowledged(fired: Sequence[Fired], notices: Sequence[Notice], opened_at: datetime) -> datetime | None:
    """When the real incident of one of its alerts was acknowledged."""
    times = [fired[notice.alert].acknowledged_at for notice in notices]
    return min((at for at in times if at is not None and at >= opened_at), default=None)


def _escalated(notices: Sequence[Notice], declared: AlertsDeclared, *, until: datetime) -> Iterator[Telling]:
    """Steps that fire before somebody has it, or it is over."""
    ranked = sorted(notices, key=lambda notice: (notice.routed.priority.rank, notice.at))
    leading = next((notice for notice in ranked if notice.routed.escalation), None)
    policy = declared.policy(leading.routed.escalation) if leading is not None else None
    if leading is None or policy is None:
        return
    priority = ranked[0].routed.priority
    for step in steps_of(policy, "", leading.at):
        if step.due_at >= until:
            return
        for receiver in told(reached(step, declared, priority, step.due_at)):
            yield Telling(step.due_at, receiver, f"{policy.name}, step {step.step + 1}")


def _first_of_each(tellings: Sequence[Telling]) -> Iterator[Telling]:
    heard: set[str] = set()
    for telling in tellings:
        if telling.receiver not in heard:
            heard.add(telling.receiver)
            yield telling


def title_of(fired: Fired) -> str:
    """An alert in a few words: its name, and what it is about."""
    about = fired.labels.get(names.SLO) or fired.labels.get(names.SERVICE) or fired.labels.get(names.BUDGET) or ""
    return f"{fired.name} {about}".strip()
