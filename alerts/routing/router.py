"""Which routes an alert ends at, as Alertmanager decides it (`dispatch/route.go`), and why.

A node that does not match is passed over. One that does hands the alert to its children in their order; each child that
takes it ends the search, unless it `goes_on`. A node keeps what none of its children took.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.maintenance.active import is_active
from alerts.maintenance.model import MaintenanceWindow
from alerts.routing.matchers import all_match, as_text, matches
from alerts.routing.model import EVERY_LABEL, NO_ESCALATION, RECORD_ROUTE, WATCHDOG_ROUTE, Route, Routed
from alerts.routing.priorities import explained_priority
from controlplane import conventions as names
from controlplane.burn_rate import duration

DEFAULT_GROUP_BY: Final = ("alertname", names.SERVICE, names.SLO, names.BUDGET)
GROUP_WAIT: Final = timedelta(seconds=30)  # these three are Alertmanager's own
GROUP_INTERVAL: Final = timedelta(minutes=5)
REPEAT_INTERVAL: Final = timedelta(hours=4)
RESOLVE_AFTER: Final = timedelta(minutes=2)
_ROOT: Final = Route(
    name="",
    group_by=DEFAULT_GROUP_BY,
    group_wait=GROUP_WAIT,
    group_interval=GROUP_INTERVAL,
    repeat_interval=REPEAT_INTERVAL,
    resolve_after=RESOLVE_AFTER,
)


class Router:
    """Decides by a tree. `windows` are all that are declared: a route's mute times, and silences by matchers."""

    def __init__(self, root: Route, windows: Sequence[MaintenanceWindow] = ()) -> None:
        self._windows = {window.name: window for window in windows}
        self._top = _node(root, _ROOT)
        self._nodes = {node.own.name: node for node in self._top.all()}

    def routes_of(self, labels: Mapping[str, str], at: datetime | None = None) -> tuple[Routed, ...]:
        """Every route that the alert ends at, first the one that says which incident it belongs to; one at least.

        `at` says when; None asks for no time: then nothing is muted.
        """
        return tuple(self._routed(node, labels, at, passed) for node, passed in _taken(self._top, labels, ()))

    def named(self, route: str, labels: Mapping[str, str], at: datetime | None = None) -> Routed | None:
        """What a route of that name means for the alert that Alertmanager gave it; None when there is no such route."""
        node = self._nodes.get(route)
        if node is None:
            return None
        return self._routed(node, labels, at, ("Alertmanager delivered it to this route",))

    def _routed(self, node: "_Node", labels: Mapping[str, str], at: datetime | None, passed: tuple[str, ...]) -> Routed:
        own, route = node.own, node.effective
        by_labels, why = explained_priority(labels)
        priority = route.priority or by_labels
        said = f"priority {priority.value}: " + ("the route says so" if route.priority else why)
        muted_by, about = self._muted(own, labels, at)
        every = route.group_by == (EVERY_LABEL,)
        return Routed(
            route=own.name,
            receivers=() if own.name in (WATCHDOG_ROUTE, RECORD_ROUTE) else route.receivers,
            escalation="" if route.escalation == NO_ESCALATION else route.escalation,
            priority=priority,
            group_by=tuple(sorted(labels)) if every else route.group_by or (),
            resolve_after=_or(route.resolve_after, RESOLVE_AFTER),
            is_muted=bool(muted_by),
            muted_by=muted_by,
            reasons=(*passed, said, *about),
            group_wait=_or(route.group_wait, GROUP_WAIT),
            group_interval=_or(route.group_interval, GROUP_INTERVAL),
            repeat_interval=_or(route.repeat_interval, REPEAT_INTERVAL),
        )

    def _muted(self, own: Route, labels: Mapping[str, str], at: datetime | None) -> tuple[str, tuple[str, ...]]:
        """The window that keeps it quiet at that time, as `window NAME`, and a line that says so."""
        if at is None:
            return "", ()
        for name in own.muted_during:
            window = self._windows.get(name)
            if window is not None and is_active(window, at):
                return f"window {name}", (f"muted: the route is muted during {name}",)
        active = [self._windows[name] for name in own.active_during if name in self._windows]
        if active and not any(is_active(window, at) for window in active):
            told = " or ".join(window.name for window in active)
            return f"window {active[0].name}", (f"muted: the route is active only during {told}",)
        for window in self._windows.values():
            if silences(window, labels) and is_active(window, at):
                return f"window {window.name}", (f"muted: {window.name} silences it then",)
        return "", ()


def silences(window: MaintenanceWindow, labels: Mapping[str, str]) -> bool:
    """Whether the window, while it is active, silences alerts with these labels, on whatever route."""
    return any(group and all_match(group, labels) for group in window.matchers)


def inherited(own: Route, parent: Route) -> Route:
    """The node with what it has from its parent, whose own is complete already."""
    return replace(
        own,
        receivers=own.receivers or parent.receivers,
        escalation=own.escalation or parent.escalation,
        priority=own.priority or parent.priority,
        group_by=parent.group_by if own.group_by is None else own.group_by,
        group_wait=parent.group_wait if own.group_wait is None else own.group_wait,
        group_interval=parent.group_interval if own.group_interval is None else own.group_interval,
        repeat_interval=parent.repeat_interval if own.repeat_interval is None else own.repeat_interval,
        resolve_after=parent.resolve_after if own.resolve_after is None else own.resolve_after,
    )


@dataclass(frozen=True, slots=True)
class _Node:
    own: Route
    effective: Route
    children: "tuple[_Node, ...]"

    def all(self) -> "Iterator[_Node]":
        yield self
        for child in self.children:
            yield from child.all()


def _node(own: Route, parent: Route) -> _Node:
    effective = inherited(own, parent)
    return _Node(own, effective, tuple(_node(route, effective) for route in own.routes))


def _taken(node: _Node, labels: Mapping[str, str], passed: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """Nodes that keep the alert, which `node` matches; with the lines that say how it came there."""
    passed = (*passed, _why(node.own))
    went_on: tuple[str, ...] = ()
    took = False
    for child in node.children:
        if not all_match(child.own.matchers, labels):
            continue
        took = True
        yield from _taken(child, labels, (*passed, *went_on))
        if not child.own.goes_on:
            return
        went_on = (*went_on, f"{child.own.name} took it, and goes on")
    if not took:
        yield node, passed


def _why(route: Route) -> str:
    if not route.matchers:
        return f"{route.name} takes every alert"
    return f"{route.name} matches: {', '.join(map(as_text, route.matchers))}"


def passed_over(root: Route, labels: Mapping[str, str]) -> list[str]:
    """Why the routes directly below the root do not take the alert, up to the one that does: a line each."""
    found = []
    for route in root.routes:
        failing = next((each for each in route.matchers if not matches(each, labels)), None)
        if failing is not None:
            value = labels.get(failing.name)
            there = f"{failing.name} is {value!r}" if value is not None else f"it has no label {failing.name}"
            found.append(f"{route.name} does not match: {as_text(failing)}, but {there}")
        elif not route.goes_on:
            break
    return found


def told_when(routed: Routed) -> str:
    """When a route tells, in words: the first time, news of the same group, and the same again."""
    return (
        f"after {duration(routed.group_wait)}, news after {duration(routed.group_interval)}, "
        f"the same again after {duration(routed.repeat_interval)}"
    )


def _or(length: timedelta | None, otherwise: timedelta) -> timedelta:
    return otherwise if length is None else length
