"""The bar of days: what is drawn and what is said of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from controlplane.model.public_status import ComponentStatus, Uptime, UptimeDay

STEP: Final = 4  # units of the drawing that a day takes: three of bar, one of gap (the style sheet's dashes)
HEIGHT: Final = 28
NOT_MEASURED: Final = "unmeasured"
_HEIGHTS: Final = {  # the worse the day, the higher its bar: readable without any colour
    ComponentStatus.OPERATIONAL.value: 6,
    ComponentStatus.UNDER_MAINTENANCE.value: 11,
    ComponentStatus.DEGRADED.value: 16,
    ComponentStatus.PARTIAL.value: 22,
    ComponentStatus.MAJOR.value: HEIGHT,
    NOT_MEASURED: 6,
}
_CALM: Final = (ComponentStatus.OPERATIONAL.value, ComponentStatus.UNDER_MAINTENANCE.value, NOT_MEASURED)


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring days of one kind, as one dashed line; `day` is set where it is a single day that was no calm one."""

    kind: str
    path: str
    day: UptimeDay | None


@dataclass(frozen=True, slots=True)
class Bar:
    """All days, oldest first. `troubled` are those that something was wrong in, newest first."""

    width: int
    runs: tuple[Run, ...]
    troubled: tuple[UptimeDay, ...]
    unmeasured: int


def kind_of(day: UptimeDay) -> str:
    """The worst status of the day. One that worked, but was not measured for most of it, counts as not measured."""
    worst = day.worst
    if worst is None or worst is ComponentStatus.UNKNOWN:
        return NOT_MEASURED
    is_mostly_unknown = 2 * day.unmeasured_seconds > day.length_seconds
    return NOT_MEASURED if is_mostly_unknown and worst is ComponentStatus.OPERATIONAL else worst.value


def is_troubled(day: UptimeDay) -> bool:
    """Something was wrong."""
    return kind_of(day) not in _CALM


def bar(uptime: Uptime) -> Bar:
    """Its drawing."""
    days = uptime.days
    troubled = tuple(day for day in reversed(days) if is_troubled(day))
    unmeasured = sum(kind_of(day) == NOT_MEASURED for day in days)
    return Bar(max(len(days) * STEP - 1, 1), tuple(_runs(days)), troubled, unmeasured)


def _runs(days: tuple[UptimeDay, ...]) -> Iterator[Run]:
    at = 0
    for kind, held in groupby(days, key=kind_of):
        neighbours = list(held)
        pieces = [[each] for each in neighbours] if kind not in _CALM else [neighbours]
        for piece in pieces:
            middle = HEIGHT - _HEIGHTS[kind] / 2
            path = f"M{at * STEP} {middle:g}h{len(piece) * STEP - 1}"
            yield Run(kind, path, piece[0] if kind not in _CALM else None)
            at += len(piece)
