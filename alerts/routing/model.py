"""Receivers and routes, as declared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from controlplane.model.incident import Priority
from controlplane.model.inhibition import Inhibition
from controlplane.model.matcher import Matcher as Matcher
from controlplane.model.matcher import MatchOperator as MatchOperator
from controlplane.model.source import SourcePosition

EVERY_PRIORITY: Final = frozenset(Priority)
WATCHDOG_ROUTE: Final = "watchdog"  # first in the tree; it tells nobody and opens no incident: that it arrives is noted
RECORD_ROUTE: Final = "record"  # last in the tree: alerts of severity info tell nobody and open no incident, either
CONSOLE_LANE: Final = "console:log"  # of every receiver that names the console
NO_ESCALATION: Final = "none"  # as a route's escalation: none, whatever its parents say
EVERY_LABEL: Final = "..."  # in groupBy, as Alertmanager has it


class ChannelKind(Enum):
    """By what way somebody is told."""

    PAGERDUTY = "pagerduty"
    SLACK = "slack"
    EMAIL = "email"
    WEBHOOK = "webhook"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to somebody. `name` is its lane in the outbox: the kind, `:` and what tells it from others.

    `settings` by kind, secrets only by the names of their variables: pagerduty `routingKeyFrom`, `url`; slack
    `channel`, `tokenFrom`, `url`; email `to` (comma-separated), `from`; webhook `url`, `secretFrom`; console none.
    `priorities`: of which incidents it is told.
    """

    name: str
    kind: ChannelKind
    settings: Mapping[str, str] = field(default_factory=dict)
    priorities: frozenset[Priority] = EVERY_PRIORITY


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is told: by all of `channels`; of critical incidents by the `fallback`s in turn when one fails."""

    name: str
    channels: tuple[Channel, ...]
    fallback: tuple[Channel, ...] = ()
    display_name: str = ""
    source: SourcePosition | None = None


@dataclass(frozen=True, slots=True)
class RouteTest:
    """What must come of an alert with these labels at that time. None: not asked."""

    name: str
    labels: Mapping[str, str]
    source: SourcePosition
    at: datetime | None = None
    routes: tuple[str, ...] | None = None
    receivers: tuple[str, ...] | None = None
    escalation: str | None = None
    priority: Priority | None = None
    is_muted: bool | None = None
    on_call: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the tree: alerts that all of `matchers` match go to the first of `routes` that takes them, or stay.

    `name` is its path (`default`, `pages`, `pages/database`), and the receiver's name in alertmanager.yml. What is
    None or empty is inherited, except `routes`, `goes_on`, `muted_during`, `active_during`. `goes_on` is Alertmanager's
    `continue`. `muted_during` and `active_during` are names of MaintenanceWindows.
    """

    name: str
    matchers: tuple[Matcher, ...] = ()
    receivers: tuple[str, ...] = ()
    escalation: str = ""
    priority: Priority | None = None
    group_by: tuple[str, ...] | None = None
    group_wait: timedelta | None = None
    group_interval: timedelta | None = None
    repeat_interval: timedelta | None = None
    resolve_after: timedelta | None = None
    goes_on: bool = False
    muted_during: tuple[str, ...] = ()
    active_during: tuple[str, ...] = ()
    routes: "tuple[Route, ...]" = ()
    tests: tuple[RouteTest, ...] = ()
    source: SourcePosition | None = None
    inhibitions: tuple[Inhibition, ...] = ()  # of the root: what the workspace says besides what we know

    def nodes(self) -> "Iterator[Route]":
        """It and all below it, in the order in which Alertmanager looks at them."""
        yield self
        for route in self.routes:
            yield from route.nodes()


@dataclass(frozen=True, slots=True)
class Routed:
    """One route that an alert ends at, with what it inherits, and why it ended there: a line a step."""

    route: str
    receivers: tuple[str, ...]
    escalation: str
    priority: Priority
    group_by: tuple[str, ...]
    resolve_after: timedelta
    is_muted: bool
    muted_by: str = ""
    reasons: tuple[str, ...] = ()
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)

    @property
    def tells_nobody(self) -> bool:
        """Whether it is one of our own, which open no incident."""
        return self.route in (WATCHDOG_ROUTE, RECORD_ROUTE)
