"""Tests that stand beside routes: an alert, a time, and who should be told."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from alerts.model import AlertsDeclared
from alerts.routing.deciding import Decision, decide
from alerts.routing.model import Route, RouteTest
from controlplane.problems import Problem

RULE: Final = "route-test"


def test_problems(declared: AlertsDeclared) -> list[Problem]:
    """What each test of each route expects and does not get: a problem for each thing, at the test's name."""
    if declared.root is None:
        return []
    root = declared.root
    return [problem for route in root.nodes() for test in route.tests for problem in _of_test(declared, root, test)]


def test_count(root: Route | None) -> int:
    """How many tests there are."""
    return sum(len(route.tests) for route in root.nodes()) if root is not None else 0


def _of_test(declared: AlertsDeclared, root: Route, test: RouteTest) -> Iterator[Problem]:
    decision = decide(declared, root, test.labels, test.at)
    for what, expected, found in _differences(test, decision):
        message = f"`{test.name}`: {what} {expected}, but {found}"
        yield Problem.at(test.source, "spec.tests", message, hint=f"why: {command(test)}", rule=RULE)


def command(test: RouteTest) -> str:
    """The command that explains the decision."""
    labels = " ".join(shlex.quote(f"{name}={value}") for name, value in test.labels.items())
    return f"flyball alerts route {labels}" + (f" --at {test.at:%Y-%m-%dT%H:%MZ}" if test.at is not None else "")


def _differences(test: RouteTest, decision: Decision) -> Iterator[tuple[str, str, str]]:
    routes = tuple(routed.route for routed in decision.routes)
    if test.routes is not None and test.routes != routes:
        yield "expects the routes", _listed(test.routes), f"it ends at {_listed(routes)}"
    receivers = decision.receivers
    if test.receivers is not None and frozenset(test.receivers) != frozenset(receivers):
        yield "expects to tell", _listed(test.receivers), f"it tells {_listed(receivers)}"
    if test.escalation is not None and test.escalation != decision.policy:
        yield "expects the escalation", test.escalation or "none", f"it is {decision.policy or 'none'}"
    if test.priority is not None and test.priority is not decision.priority:
        yield "expects the priority", test.priority.value, f"it is {decision.priority.value}"
    if test.is_muted is not None and test.is_muted != decision.is_muted:
        by = decision.routes[0].muted_by
        found = f"it is, by {by}" if decision.is_muted else "it is not"
        yield "expects it", "to be muted" if test.is_muted else "not to be muted", found
    on_call = decision.on_call
    if test.on_call is not None and frozenset(test.on_call) != frozenset(on_call):
        yield "expects on call", _listed(test.on_call), f"{_listed(on_call)} is"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"
