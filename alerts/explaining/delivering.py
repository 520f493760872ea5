"""When Alertmanager would have delivered alerts to routes: groups and their waits, inhibition, mute times.

As `dispatch` and `notify` of Alertmanager do it: a group is told after `group_wait`, then every `group_interval` while
it has alerts; what is muted or inhibited at such a moment waits for the next one.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from alerts.explaining.decisions import said
from alerts.explaining.firings import Fired
from alerts.maintenance.active import active_spans, is_active
from alerts.maintenance.model import MaintenanceWindow
from alerts.routing.matchers import all_match, parse
from alerts.routing.model import Matcher, MatchOperator, Routed
from alerts.routing.router import Router
from controlplane.model.inhibition import Inhibition

_LOOK_AHEAD: Final = timedelta(days=35)  # for the end of a mute time
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_MOST_TRIES: Final = 1000  # times that an alert was quiet when its group was told


@dataclass(frozen=True, slots=True)
class Notice:
    """A route is told of an alert for the first time. `first` is the route that says which incident it belongs to."""

    at: datetime
    alert: int
    routed: Routed
    first: Routed


@dataclass(frozen=True, slots=True)
class Delivered:
    """Notices in order of time, and of alerts of which no route is told: why not."""

    notices: tuple[Notice, ...]
    quiet: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class _Quiet:
    """From when to when other alerts keep one quiet."""

    start: datetime
    end: datetime
    why: str


def delivered(
    fired: Sequence[Fired],
    router: Router,
    windows: Sequence[MaintenanceWindow],
    inhibitions: Sequence[Inhibition],
    until: datetime,
) -> Delivered:
    """What routes are told up to `until`. Alerts by start."""
    quiet = _inhibited(fired, inhibitions)
    by = router, {window.name: window for window in windows}
    reasons: dict[int, str] = {}
    notices: list[Notice] = []
    for group in _grouped(fired, router):
        for begins, chain in _chains(fired, group):
            for member in chain:
                at, why = _told(fired[member.alert], member.routed, begins, by, quiet.get(member.alert, []), until)
                if at is None:
                    reasons[member.alert] = why
                else:
                    notices.append(Notice(at, member.alert, member.routed, member.first))
    told = {notice.alert for notice in notices}
    ordered = sorted(notices, key=lambda each: (each.at, each.alert, each.routed.route))
    return Delivered(tuple(ordered), {alert: why for alert, why in reasons.items() if alert not in told})


# --- groups -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Member:
    """An alert at one of its routes."""

    alert: int
    routed: Routed
    first: Routed


def _grouped(fired: Sequence[Fired], router: Router) -> list[list[_Member]]:
    """Alerts by route and values of the labels that it groups by; whether it is muted is asked when it is told."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], list[_Member]] = {}
    for number, each in enumerate(fired):
        routes = router.routes_of(each.labels)
        for routed in routes:
            values = tuple((label, each.labels.get(label, "")) for label in routed.group_by)
            found.setdefault((routed.route, values), []).append(_Member(number, routed, routes[0]))
    return list(found.values())


def _chains(fired: Sequence[Fired], group: Sequence[_Member]) -> Iterator[tuple[datetime, list[_Member]]]:
    """Alerts of a group while it lives, with the time at which it is told first."""
    chain: list[_Member] = []
    begins = ends = datetime.min.replace(tzinfo=UTC)
    for member in group:
        each = fired[member.alert]
        if chain and each.start > _tick(ends, begins, member.routed.group_interval):
            yield begins, chain
            chain = []
        if not chain:
            begins, ends = each.start + member.routed.group_wait, each.start
        chain.append(member)
        ends = max(ends, each.end or _NEVER)
    if chain:
        yield begins, chain


def _tick(at: datetime, begins: datetime, interval: timedelta) -> datetime:
    """The first moment at or after `at` at which the group is told."""
    if at <= begins or at == _NEVER:
        return max(at, begins)
    return begins + math.ceil((at - begins) / max(interval, _SECOND)) * max(interval, _SECOND)


def _told(
    each: Fired,
    routed: Routed,
    begins: datetime,
    by: tuple[Router, Mapping[str, MaintenanceWindow]],
    inhibited: Sequence[_Quiet],
    until: datetime,
) -> tuple[datetime | None, str]:
    """When a route is told of an alert; None and why not."""
    if routed.tells_nobody:
        return None, f"route {routed.route} tells nobody"
    router, windows = by
    at, why = _tick(each.start, begins, routed.group_interval), ""
    for _ in range(_MOST_TRIES):
        if at >= until or (each.end is not None and at >= each.end):
            return None, why or f"it was over before route {routed.route} is told, {_waits(each, at)} after it began"
        quiet = next((one for one in inhibited if one.start <= at < one.end), None)
        now = router.named(routed.route, each.labels, at)
        if quiet is not None:
            why, free = f"inhibited by {quiet.why}", quiet.end
        elif now is not None and now.is_muted:
            why, free = f"muted by {now.muted_by}", _changes(windows.get(now.muted_by.partition(" ")[2]), at)
        else:
            return at, ""
        at = _tick(max(free, at + _SECOND), begins, routed.group_interval)
    return None, why


def _waits(each: Fired, at: datetime) -> str:
    return f"{(at - each.start).total_seconds():g} s"


def _changes(window: MaintenanceWindow | None, at: datetime) -> datetime:
    """When a window that is active ends, or one that is not begins."""
    if window is None:
        return _NEVER
    spans = active_spans(window, at, at + _LOOK_AHEAD)
    if is_active(window, at):
        return next((end for start, end in spans if start <= at < end), _NEVER)
    return next((start for start, _ in spans if start > at), _NEVER)


# --- inhibition -------------------------------------------------------------------------------------------------------
def _inhibited(fired: Sequence[Fired], rules: Sequence[Inhibition]) -> dict[int, list[_Quiet]]:
    """By alert, the times at which others keep it quiet: their sources, whether they are told of or not."""
    found: dict[int, list[_Quiet]] = {}
    matching = _Matching(fired)
    for rule in rules:
        source, target = [parse(each) for each in rule.source], [parse(each) for each in rule.target]
        targets = matching.all_of(target)
        if not targets:
            continue
        sources: dict[tuple[str, ...], list[int]] = {}
        for number in matching.all_of(source):
            sources.setdefault(_values(fired[number], rule), []).append(number)
        both = {number for number in targets if all_match(source, fired[number].labels)}
        for number in targets:
            for other in sources.get(_values(fired[number], rule), ()):
                if other == number or (number in both and other in both):
                    continue
                span = _overlap(fired[number], fired[other])
                if span is not None:
                    found.setdefault(number, []).append(_Quiet(*span, said(fired[other].labels)))
    return found


class _Matching:
    """Finds alerts by matchers: among those with the value of one that asks for equality, there are few left."""

    def __init__(self, fired: Sequence[Fired]) -> None:
        self._fired = fired
        self._by_label: dict[tuple[str, str], list[int]] = {}
        for number, each in enumerate(fired):
            for pair in each.labels.items():
                self._by_label.setdefault(pair, []).append(number)

    def all_of(self, matchers: Sequence[Matcher]) -> list[int]:
        """Places of those that all match."""
        equal = [(each.name, each.value) for each in matchers if each.operator is MatchOperator.EQUAL and each.value]
        some = min((self._by_label.get(pair, []) for pair in equal), key=len, default=range(len(self._fired)))
        return [number for number in some if all_match(matchers, self._fired[number].labels)]


def _values(each: Fired, rule: Inhibition) -> tuple[str, ...]:
    return tuple(each.labels.get(label, "") for label in rule.equal)


def _overlap(one: Fired, other: Fired) -> tuple[datetime, datetime] | None:
    start, end = max(one.start, other.start), min(one.end or _NEVER, other.end or _NEVER)
    return (start, end) if start < end else None
