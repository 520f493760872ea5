"""What is probably not meant: routes that are never reached, pages that reach nobody, what nothing refers to."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from alerts.model import AlertsDeclared
from alerts.routing.model import Channel, ChannelKind, Receiver, Route
from alerts.routing.router import GROUP_INTERVAL, REPEAT_INTERVAL, inherited
from controlplane.burn_rate import duration
from controlplane.model.incident import Priority
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity

UNUSED_RECEIVER: Final = "unused-receiver"
UNUSED_POLICY: Final = "unused-policy"
UNUSED_WINDOW: Final = "unused-window"
WINDOW_OVER: Final = "window-over"
UNREACHABLE: Final = "unreachable-route"
REPEATS_TOO_OFTEN: Final = "repeat-interval"
REACHES_NOBODY: Final = "reaches-nobody"
NO_FALLBACK: Final = "no-fallback"
_WAKING: Final = (ChannelKind.PAGERDUTY, ChannelKind.WEBHOOK)


def lint_problems(declared: AlertsDeclared, now: datetime) -> list[Problem]:
    """Warnings, in no special order; nothing where no route is declared. `now` says what is over."""
    if declared.root is None:
        return []
    return [
        *_unused_receivers(declared, declared.root),
        *_unused_policies(declared, declared.root),
        *_windows(declared, declared.root, now),
        *_routes(declared, declared.root, Route("")),
        *_fallbacks(declared),
    ]


def _unused_receivers(declared: AlertsDeclared, root: Route) -> Iterator[Problem]:
    used = {name for node in root.nodes() for name in node.receivers}
    used |= {
        target.partition(":")[2] for policy in declared.policies for step in policy.steps for target in step.targets
    }
    for schedule in declared.schedules:
        used |= {name for rotation in schedule.rotations for name in rotation.participants}
        used |= {override.participant for override in schedule.overrides}
    for receiver in declared.receivers:
        if receiver.name not in used and receiver.source is not None:
            message = f"nobody tells the receiver {receiver.name}"
            hint = "name it in a Route, an EscalationPolicy or a Schedule"
            yield _warning(receiver.source, "metadata.name", message, hint, UNUSED_RECEIVER)


def _unused_policies(declared: AlertsDeclared, root: Route) -> Iterator[Problem]:
    used = {node.escalation for node in root.nodes()}
    for policy in declared.policies:
        if policy.name not in used and policy.source is not None:
            message = f"no route escalates by the policy {policy.name}"
            hint = f"name it in a Route: `escalation: {policy.name}`"
            yield _warning(policy.source, "metadata.name", message, hint, UNUSED_POLICY)


def _windows(declared: AlertsDeclared, root: Route, now: datetime) -> Iterator[Problem]:
    used = {name for node in root.nodes() for name in (*node.muted_during, *node.active_during)}
    for window in declared.windows:
        if window.source is None:
            continue
        if not window.matchers and window.name not in used:
            message = f"the window {window.name} keeps nothing quiet"
            hint = "give it a `match`, or name it in a route's `muteDuring` or `activeDuring`"
            yield _warning(window.source, "metadata.name", message, hint, UNUSED_WINDOW)
        ends = [end for _, end in window.spans]
        if ends and not window.weekly and not window.rules and max(ends) <= now:
            message = f"the window {window.name} is over since {max(ends):%Y-%m-%d %H:%M} UTC"
            yield _warning(window.source, "spec.spans", message, "take it out", WINDOW_OVER)


def _routes(declared: AlertsDeclared, own: Route, parent: Route) -> Iterator[Problem]:
    route = inherited(own, parent)
    if own.source is not None:
        yield from _intervals(own, route, own.source)
        yield from _nobody(declared, own, route, own.source)
    for number, child in enumerate(own.routes):
        before = next((each for each in own.routes[:number] if _takes_all_of(each, child)), None)
        if before is not None and child.source is not None:
            message = f"the route {child.name} is never reached: {before.name} takes every alert that it would take"
            hint = "put it before that one (`order`), or let that one `continue`"
            yield _warning(child.source, "spec.match", message, hint, UNREACHABLE)
        yield from _routes(declared, child, route)


def _takes_all_of(before: Route, route: Route) -> bool:
    return not before.goes_on and bool(before.matchers) and set(before.matchers) <= set(route.matchers)


def _intervals(own: Route, route: Route, source: SourcePosition) -> Iterator[Problem]:
    interval = route.group_interval or GROUP_INTERVAL
    repeat = route.repeat_interval or REPEAT_INTERVAL
    if repeat < interval and (own.repeat_interval is not None or own.group_interval is not None):
        often = f"but looks at a group every {duration(interval)} only"
        message = f"the route {own.name} repeats after {duration(repeat)}, {often}"
        hint = "make `repeatInterval` longer than `groupInterval`"
        yield _warning(source, "spec.repeatInterval", message, hint, REPEATS_TOO_OFTEN)


def _nobody(declared: AlertsDeclared, own: Route, route: Route, source: SourcePosition) -> Iterator[Problem]:
    """A route that says how bad its alerts are, and tells nobody who hears of such."""
    if route.priority is None or (own.priority is None and not own.receivers):
        return
    told = [each for each in declared.receivers if each.name in route.receivers]
    if told and not any(_hears(channel, route.priority) for each in told for channel in each.channels):
        names = ", ".join(each.name for each in told)
        message = f"the route {own.name} reaches nobody: no channel of {names} takes {route.priority.value}"
        yield _warning(source, "spec.receivers", message, "see `priorities` of their channels", REACHES_NOBODY)


def _hears(channel: Channel, priority: Priority) -> bool:
    return priority in channel.priorities


def _fallbacks(declared: AlertsDeclared) -> Iterator[Problem]:
    for receiver in declared.receivers:
        if receiver.source is not None and _has_one_way(receiver):
            message = f"critical pages to {receiver.name} have no other way while that channel fails"
            hint = "add a `fallback`, such as an email"
            yield _warning(receiver.source, "spec.fallback", message, hint, NO_FALLBACK)


def _has_one_way(receiver: Receiver) -> bool:
    critical = [each for each in receiver.channels if any(priority.is_critical for priority in each.priorities)]
    return not receiver.fallback and len(critical) == 1 and critical[0].kind in _WAKING


def _warning(source: SourcePosition, field: str, message: str, hint: str, rule: str) -> Problem:
    return Problem.at(source, field, message, severity=Severity.WARNING, hint=hint, rule=rule)
