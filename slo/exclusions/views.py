"""Exclusions as their readers meet them: who, why, what of, when it was, is and will be, until when. Pure data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from controlplane import wording
from controlplane.model.event import JSON
from controlplane.model.exclusion import Exclusion, Interval

_SHOWN: Final = 3  # of what comes next
_NAMED: Final = 5  # SLOs


class Stage(Enum):
    """Where an exclusion stands, most urgent first."""

    NOW = "now"
    AHEAD = "ahead"
    OVER = "over"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class ExclusionRow:
    """One exclusion at one moment. `current` is the interval that it is in, `last` the latest that is over."""

    exclusion: Exclusion
    slos: tuple[str, ...]
    stage: Stage
    current: Interval | None
    last: Interval | None
    next: tuple[Interval, ...]
    past: int

    @property
    def total(self) -> timedelta:
        """How long it takes time out, all intervals together."""
        return sum((end - start for start, end in self.exclusion.intervals), timedelta())


def exclusion_rows(found: Sequence[tuple[Exclusion, tuple[str, ...]]], now: datetime) -> list[ExclusionRow]:
    """Every exclusion with the SLOs it is taken from: what is on first, then what comes next, then what is over."""
    rows = [_row(exclusion, slos, now) for exclusion, slos in found]
    return sorted(rows, key=lambda row: (list(Stage).index(row.stage), _first(row), row.exclusion.name))


def active(exclusions: Sequence[Exclusion], now: datetime) -> tuple[tuple[Exclusion, Interval], ...]:
    """Those of an SLO that last now, with the interval."""
    rows = [_row(exclusion, (), now) for exclusion in exclusions]
    return tuple((row.exclusion, row.current) for row in rows if row.current is not None)


def _row(exclusion: Exclusion, slos: tuple[str, ...], now: datetime) -> ExclusionRow:
    over = [interval for interval in exclusion.intervals if interval[1] <= now]
    current = next(((start, end) for start, end in exclusion.intervals if start <= now < end), None)
    ahead = tuple(interval for interval in exclusion.intervals if interval[0] > now)
    stage = Stage.NOW if current else Stage.AHEAD if ahead else Stage.OVER
    if exclusion.expires <= now:
        stage = Stage.EXPIRED
    return ExclusionRow(exclusion, slos, stage, current, over[-1] if over else None, ahead[:_SHOWN], len(over))


def _first(row: ExclusionRow) -> datetime:
    return row.current[1] if row.current else row.next[0][0] if row.next else row.exclusion.intervals[0][0]


def as_data(rows: Sequence[ExclusionRow]) -> list[JSON]:
    """For `--json`: times in UTC, ISO 8601."""
    return [_as_data(row) for row in rows]


def _as_data(row: ExclusionRow) -> dict[str, JSON]:
    it = row.exclusion
    return {
        "name": it.name,
        "stage": row.stage.value,
        "owner": it.owner,
        "reason": it.reason,
        "expires": it.expires.isoformat(),
        "recurrence": it.recurrence,
        "slos": list(row.slos),
        "current": _interval(row.current),
        "last": _interval(row.last),
        "next": [_interval(each) for each in row.next],
        "past": row.past,
        "intervals": len(it.intervals),
    }


def _interval(interval: Interval | None) -> JSON:
    return None if interval is None else {"start": interval[0].isoformat(), "end": interval[1].isoformat()}


def as_text(rows: Sequence[ExclusionRow]) -> str:
    """A paragraph for each; ends with a newline."""
    if not rows:
        return "No exclusions: all events count.\n"
    return "\n".join(_paragraph(row) for row in rows)


def _paragraph(row: ExclusionRow) -> str:
    it = row.exclusion
    of = ", ".join(row.slos[:_NAMED]) + (f" and {len(row.slos) - _NAMED:,} more" if len(row.slos) > _NAMED else "")
    lines = [
        f"{it.name}  [{row.stage.value}]",
        f"  {it.reason}",
        f"  owner    {it.owner}",
        f"  SLOs     {of or 'none: it selects nothing'}",
    ]
    if it.recurrence:
        done = f"{row.past:,} of {len(it.intervals):,} are over"
        lines.append(f"  repeats  {it.recurrence} ({done})")
    if row.current:
        lines.append(f"  now      {_spoken(row.current)}")
    elif row.last:
        lines.append(f"  last     {_spoken(row.last)}")
    lines += [f"  next     {_spoken(each)}" for each in row.next]
    ended = "expired " if row.stage is Stage.EXPIRED else "until   "
    lines.append(f"  {ended} {wording.utc(it.expires)}")
    return "\n".join(lines) + "\n"


def _spoken(interval: Interval) -> str:
    start, end = interval
    return f"{wording.utc(start)}, for {wording.duration(end - start)}"
