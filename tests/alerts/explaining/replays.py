"""Configurations and alerts of tests."""

from datetime import UTC, datetime, time, timedelta

from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.explaining.fingerprints import fingerprint_of
from alerts.explaining.firings import Fired
from alerts.maintenance.model import MaintenanceWindow
from alerts.model import AlertsDeclared
from alerts.routing.matchers import parse
from alerts.routing.model import Channel, ChannelKind, Receiver, Route
from alerts.schedules.model import DayTimes, Every, Rotation, Schedule
from controlplane.model.incident import Priority

SINCE = datetime(2026, 11, 24, tzinfo=UTC)  # a Tuesday
UNTIL = SINCE + timedelta(days=7)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CRITICAL = frozenset({Priority.P0, Priority.P1})


def a_receiver(name: str, *, critical_only: bool = False) -> Receiver:
    channel = Channel(f"slack:#{name}", ChannelKind.SLACK)
    return Receiver(name, (Channel(channel.name, channel.kind, {}, CRITICAL) if critical_only else channel,))


def a_route(name: str, *matchers: str, to: str = "", routes: tuple[Route, ...] = (), **more: object) -> Route:
    return Route(name, tuple(map(parse, matchers)), (to,) if to else (), routes=routes, **more)  # type: ignore[arg-type]


def declared(*routes: Route, windows: tuple[MaintenanceWindow, ...] = (), **more: object) -> AlertsDeclared:
    root = Route(
        "default", (), ("chat",), group_by=("service",), group_wait=10 * SECOND, group_interval=MINUTE,
        resolve_after=2 * MINUTE, routes=routes, **more,
    )  # type: ignore[arg-type]  # fmt: skip
    policy = EscalationPolicy(
        "p0", (PolicyStep(timedelta(0), ("schedule:sre",)), PolicyStep(5 * MINUTE, ("receiver:lead",)),
               PolicyStep(10 * MINUTE, ("receiver:exec",)))
    )  # fmt: skip
    start = datetime(2026, 11, 23, 9)  # noqa: DTZ001 -- by the clock on the wall
    rota = Schedule("sre", "UTC", (Rotation("daily", ("ann", "ben"), start, Every.DAY, 1),))
    people = ("chat", "sre", "ann", "ben", "lead", "exec")
    return AlertsDeclared(root, tuple(map(a_receiver, people)), (policy,), (rota,), windows)


def night(name: str = "night") -> MaintenanceWindow:
    return MaintenanceWindow(name, "UTC", weekly=(DayTimes(frozenset(range(7)), time(22), time(6)),))


def fired(
    start: timedelta, length: timedelta | None = HOUR, *, acknowledged: timedelta | None = None, **labels: str
) -> Fired:
    """An alert that began so long after the beginning."""
    labels = {"alertname": "Down", "service": "gateway", **labels}
    at = SINCE + start
    return Fired(
        labels, at, at + length if length is not None else None, fingerprint_of(labels),
        acknowledged_at=SINCE + acknowledged if acknowledged is not None else None,
    )  # fmt: skip
