"""By which routes an alert is told: those that Alertmanager chose, else those that we choose by the same tree."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from alerts.incidents.grouping import Placed, incident_key
from alerts.model import AlertsDeclared
from alerts.routing.model import Route, Routed
from alerts.routing.router import RESOLVE_AFTER, Router
from controlplane.model.alert import Alert


class Choice:
    """Places alerts in the tree of routes; `root` is the one of `declared`."""

    def __init__(self, declared: AlertsDeclared, root: Route) -> None:
        self.declared = declared
        self._root = root
        self._router = Router(root, declared.windows)

    def knows(self, receiver: str) -> bool:
        """Whether a receiver of Alertmanager is one of our routes."""
        return self._router.named(receiver, {}) is not None

    def tells_nobody(self, receiver: str) -> bool:
        """Whether a receiver is a route of ours whose alerts are noted and no more, such as the Watchdog's."""
        named = self._router.named(receiver, {})
        return named is not None and named.tells_nobody

    def placed(self, alert: Alert, receiver: str, at: datetime) -> Placed | None:
        """Where it belongs; None while nobody is to be told of it: all of its routes are muted, or tell nobody.

        `receiver` is the one of Alertmanager's that it was delivered to. When that is a route of ours, the alert is
        told by it alone, for Alertmanager delivers to the others, too, and knows what is muted.
        """
        found = self._router.routes_of(alert.labels, at)
        named = self._router.named(receiver, alert.labels, at)
        told = _telling(found) if named is None else (named,)
        if not told or told[0].tells_nobody:
            return None
        first = found[0] if told[0].route in {each.route for each in found} else told[0]
        return Placed(alert, incident_key(first, alert.labels), told)

    def routed(self, labels: Mapping[str, str], at: datetime) -> tuple[Routed, ...]:
        """The routes that tell what has these labels, whoever delivers it: neither muted nor ones that tell nobody."""
        return _telling(self._router.routes_of(labels, at))

    def shortest_resolve_after(self) -> timedelta:
        """No incident ends by itself sooner, whatever its routes; also of one whose routes are gone."""
        found = (self._router.named(each.name, {}) for each in self._root.nodes())
        return min(RESOLVE_AFTER, *(each.resolve_after for each in found if each is not None))

    def resolve_after(self, routes: Sequence[str]) -> timedelta:
        """How long all alerts of an incident on these routes must have ended; the longest of theirs."""
        found = (self._router.named(name, {}) for name in routes)
        return max((each.resolve_after for each in found if each is not None), default=RESOLVE_AFTER)


def _telling(routed: Sequence[Routed]) -> tuple[Routed, ...]:
    return tuple(each for each in routed if not each.is_muted and not each.tells_nobody)


class Choices:
    """The choice by the last good files; made anew when they change."""

    def __init__(self, declared: Callable[[], AlertsDeclared]) -> None:
        self._declared = declared
        self._last: Choice | None = None

    def now(self) -> Choice | None:
        """None while no route is declared."""
        declared = self._declared()
        if declared.root is None:
            return None
        last = self._last
        if last is None or last.declared is not declared:
            last = self._last = Choice(declared, declared.root)
        return last
