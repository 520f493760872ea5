"""Sheets joined to long columns, sorted so that every service, team and environment is one slice of each."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from controlplane.model.delivery import Sheet, SheetKey
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.sheets.columns import CHANGE, DEPLOYMENT, INCIDENT, STAGES, Rows
from exporters.dora.sheets.packing import UnreadableSheet, parts

_DTYPES: Final = (DEPLOYMENT, CHANGE, INCIDENT)
_DAY: Final = 86400
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Place:
    """One service in one environment, and where its rows are."""

    environment: str
    team: str
    service: str
    deployments: slice
    changes: slice
    incidents: slice


@dataclass(frozen=True, eq=False)
class Columns:
    """Everything of [start, end). Times are seconds since `origin`, a midnight (UTC); durations as in a sheet.

    `unreadable` are days whose sheets are of another version or corrupted: they are left out, to be measured anew.
    """

    origin: datetime
    start: datetime
    end: datetime
    places: tuple[Place, ...]  # sorted by environment, team, service
    deployed: Numbers  # when; within a place in order
    failure: npt.NDArray[np.uint8]
    rework: npt.NDArray[np.uint8]
    unexplained: npt.NDArray[np.uint8]
    recovery: Numbers
    run: npt.NDArray[np.uint64]
    delivered: Numbers  # when each change was
    lead: Numbers
    stages: tuple[Numbers, ...]
    restore: Numbers
    unreadable: tuple[SheetKey, ...] = field(default=())


def load(sheets: Iterable[Sheet], start: datetime, end: datetime, policy: DeliveryPolicy) -> Columns:
    """The rows of [start, end), to the second, of sheets of any days in any order."""
    first = start.astimezone(UTC).date()
    window = _Window(datetime.combine(first, time.min, UTC), start, end)
    unreadable: list[SheetKey] = []
    found: list[tuple[tuple[str, str, str, date], tuple[memoryview, ...]]] = []
    for sheet in sheets:
        key = sheet.key
        if window.has(key.day):
            try:
                cut = window.cut(key.day, parts(sheet.body)[:3])
            except UnreadableSheet:
                unreadable.append(key)
                continue
            if any(cut):
                found.append(((key.environment, policy.team(key.service), key.service, key.day), cut))
    found.sort(key=lambda one: one[0])
    return _columns(window, found, tuple(sorted(unreadable)))


@dataclass(frozen=True, slots=True)
class _Window:
    origin: datetime
    start: datetime
    end: datetime

    def has(self, day: date) -> bool:
        midnight = datetime.combine(day, time.min, UTC)
        return midnight < self.end and self.start < midnight + timedelta(days=1)

    def offset(self, day: date) -> int:
        """Seconds from the origin to that day's midnight."""
        return (day - self.origin.date()).days * _DAY

    def cut(self, day: date, whole: Sequence[memoryview]) -> tuple[memoryview, ...]:
        """Without the rows before the start and from the end on."""
        offset = self.offset(day)
        first = max(_seconds(self.start, self.origin) - offset, 0)
        last = min(_seconds(self.end, self.origin) - offset, _DAY)
        if first == 0 and last == _DAY:
            return tuple(whole)
        return tuple(_between(part, dtype, first, last) for part, dtype in zip(whole, _DTYPES, strict=True))


def _between(part: memoryview, dtype: np.dtype[np.void], first: int, last: int) -> memoryview:
    rows: Rows = np.frombuffer(part, dtype)
    low, high = np.searchsorted(rows["second"], (first, last))  # rows are in the order of time
    return part[int(low) * dtype.itemsize : int(high) * dtype.itemsize]


def _seconds(at: datetime, origin: datetime) -> int:
    """Rounded up, as a row's own second is rounded down."""
    return -((origin - at) // timedelta(seconds=1))


def _columns(
    window: _Window,
    found: Sequence[tuple[tuple[str, str, str, date], tuple[memoryview, ...]]],
    unreadable: tuple[SheetKey, ...],
) -> Columns:
    offsets = np.array([window.offset(key[3]) for key, _ in found], np.int32)
    rows, times, counts = [], [], []
    for which, dtype in enumerate(_DTYPES):
        joined: Rows = np.frombuffer(b"".join([cut[which] for _, cut in found]), dtype)
        count = np.array([len(cut[which]) // dtype.itemsize for _, cut in found], np.int64)
        rows.append(joined)
        counts.append(count)
        times.append(np.repeat(offsets, count) + joined["second"].astype(np.int32))
    deployments, changes, incidents = rows
    return Columns(
        origin=window.origin,
        start=window.start,
        end=window.end,
        places=tuple(_places([key[:3] for key, _ in found], counts)),
        deployed=times[0],
        failure=np.ascontiguousarray(deployments["failure"]),
        rework=np.ascontiguousarray(deployments["rework"]),
        unexplained=np.ascontiguousarray(deployments["unexplained"]),
        recovery=np.ascontiguousarray(deployments["recovery"]),
        run=np.ascontiguousarray(deployments["run"]),
        delivered=times[1],
        lead=np.ascontiguousarray(changes["lead"]),
        stages=tuple(np.ascontiguousarray(changes[stage.value]) for stage in STAGES),
        restore=np.ascontiguousarray(incidents["restore"]),
        unreadable=unreadable,
    )


def _places(keys: Sequence[tuple[str, str, str]], counts: Sequence[npt.NDArray[np.int64]]) -> Iterator[Place]:
    ends = [np.concatenate(([0], np.cumsum(count))) for count in counts]
    position = 0
    for key, group in groupby(keys):
        last = position + sum(1 for _ in group)
        slices = [slice(int(end[position]), int(end[last])) for end in ends]
        yield Place(*key, *slices)
        position = last


def together(places: Sequence[Place]) -> Place:
    """Neighbours as one; where they differ, it has no name."""
    first, last = places[0], places[-1]
    return Place(
        first.environment,
        first.team if first.team == last.team else "",
        first.service if first.service == last.service else "",
        slice(first.deployments.start, last.deployments.stop),
        slice(first.changes.start, last.changes.stop),
        slice(first.incidents.start, last.incidents.stop),
    )
