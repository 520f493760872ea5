"""A complete alertmanager.yml from the tree of routes; the same declarations give the same bytes.

Each route is a receiver of its own name, a webhook to us: so a delivery says which route Alertmanager chose. It groups,
mutes, inhibits and repeats; who is told, and how, is ours. Written for Alertmanager 0.24 and later.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final

from alerts.maintenance.model import MaintenanceWindow
from alerts.maintenance.time_intervals import time_intervals
from alerts.routing.inhibiting import inhibitions_of
from alerts.routing.matchers import as_text
from alerts.routing.model import Route
from alerts.routing.router import DEFAULT_GROUP_BY
from controlplane.burn_rate import duration
from controlplane.model.inhibition import Inhibition
from controlplane.rulefile import scalar

FILE: Final = "alertmanager/alertmanager.yml"
HOOK_PATH: Final = "/hooks/alertmanager"
MOST_ALERTS: Final = 250
"""In one delivery, which stays below the million bytes that the hook takes; Alertmanager says how many it left out."""
_HEAD: Final = """\
# Written by `flyball compile` from the Routes, MaintenanceWindows, SLOs, Budgets and Ladders of the workspace: change
# those, not this. Check it with: amtool check-config alertmanager.yml
"""


def alertmanager_yaml(
    root: Route,
    windows: Sequence[MaintenanceWindow],
    inhibitions: Sequence[Inhibition],
    *,
    external_url: str,
    credentials_file: str,
) -> str:
    """The text of the file.

    `inhibitions` are those of SLOs and money, to which ours are added. Alertmanager delivers to `external_url`, with
    the token in `credentials_file` (from the folder of alertmanager.yml on, if relative).
    """
    lines = [_HEAD.rstrip("\n"), "route:", *_indented(_route(root, is_root=True))]
    lines.append("receivers:")
    url = f"{external_url.rstrip('/')}{HOOK_PATH}"
    for node in root.nodes():
        lines += _receiver(node.name, url, credentials_file)
    rules = inhibitions_of(root, inhibitions)
    lines.append("inhibit_rules:")
    for rule in rules:
        lines += _inhibition(rule)
    used = {name for node in root.nodes() for name in (*node.muted_during, *node.active_during)}
    named = sorted((window for window in windows if window.name in used), key=lambda window: window.name)
    if named:
        lines.append("time_intervals:")
        for window in named:
            lines += [f"  - name: {scalar(window.name)}", "    time_intervals:"]
            lines += [f"      {line}" for line in time_intervals(window)]
    return "\n".join(lines) + "\n"


def _route(route: Route, *, is_root: bool = False) -> Iterator[str]:
    yield f"receiver: {scalar(route.name)}"
    if route.matchers:
        yield "matchers:"
        yield from (f"  - {scalar(as_text(matcher))}" for matcher in route.matchers)
    group_by = DEFAULT_GROUP_BY if is_root and route.group_by is None else route.group_by
    if group_by is not None:
        yield f"group_by: {_listed(group_by)}"
    yield from _length("group_wait", route.group_wait)
    yield from _length("group_interval", route.group_interval)
    yield from _length("repeat_interval", route.repeat_interval)
    if route.goes_on:
        yield "continue: true"
    if route.muted_during:
        yield f"mute_time_intervals: {_listed(route.muted_during)}"
    if route.active_during:
        yield f"active_time_intervals: {_listed(route.active_during)}"
    if route.routes:
        yield "routes:"
        for child in route.routes:
            yield from _item(_route(child))


def _receiver(name: str, url: str, credentials_file: str) -> Iterator[str]:
    yield f"  - name: {scalar(name)}"
    yield "    webhook_configs:"
    yield f"      - url: {scalar(url)}"
    yield "        send_resolved: true"
    yield f"        max_alerts: {MOST_ALERTS}"
    yield "        http_config:"
    yield "          authorization:"
    yield "            type: Bearer"
    yield f"            credentials_file: {scalar(credentials_file)}"


def _inhibition(rule: Inhibition) -> Iterator[str]:
    yield "  - source_matchers:"
    yield from (f"      - {scalar(matcher)}" for matcher in rule.source)
    yield "    target_matchers:"
    yield from (f"      - {scalar(matcher)}" for matcher in rule.target)
    yield f"    equal: {_listed(rule.equal)}"


def _length(key: str, length: timedelta | None) -> Iterator[str]:
    if length is not None:
        yield f"{key}: {duration(length)}"


def _listed(values: Iterable[str]) -> str:
    return f"[{', '.join(map(scalar, values))}]"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _item(lines: Iterable[str]) -> Iterator[str]:
    """An item of a list: the first line with a dash."""
    for number, line in enumerate(lines):
        yield f"{'  - ' if number == 0 else '    '}{line}"
