"""Which silences Alertmanager should have because of maintenance windows, and what to change so that it has them. Pure.

A silence is ours by the marker at the end of its comment; those of people are never touched.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.maintenance.active import active_spans
from alerts.maintenance.model import MaintenanceWindow
from alerts.ports import Silence
from alerts.routing.matchers import as_text

AHEAD: Final = timedelta(hours=1)  # so early a silence is there, should we be away when its time comes
LONGEST: Final = timedelta(days=2)  # and so long it holds at most: it is prolonged while its window goes on
CREATED_BY: Final = "flyball"
MOST: Final = 1000
_MARKER: Final = re.compile(r"\[flyball ([a-z0-9-]{1,63}) ([0-9a-f]{16})\]$")
_LONGEST_COMMENT: Final = 1000


@dataclass(frozen=True, slots=True)
class Changes:
    """What to do: silences to put (with the id of the one that each replaces), and ids of those to end."""

    put: tuple[Silence, ...] = ()
    expire: tuple[str, ...] = ()


def wanted(windows: Sequence[MaintenanceWindow], now: datetime) -> tuple[Silence, ...]:
    """The silences of all windows with matchers that are active now or will be within `AHEAD`; `MOST` at most."""
    return tuple(_wanted(windows, now))[:MOST]


def changes(windows: Sequence[MaintenanceWindow], there: Sequence[Silence], now: datetime) -> Changes:
    """From the silences that are there (active and pending ones, anybody's) to those that are wanted.

    Of ours, the first one that overlaps with what is wanted of the same window and matchers becomes it.
    """
    left: dict[str, list[Silence]] = {}
    for silence in sorted(there, key=lambda each: (each.starts_at, each.id)):
        marker = marker_of(silence)
        if marker is not None:
            left.setdefault(marker, []).append(silence)
    put = []
    for silence in wanted(windows, now):
        ours = left.get(marker_of(silence) or "", [])
        found = next((each for each in ours if _overlap(each, silence)), None)
        if found is None:
            put.append(silence)
            continue
        ours.remove(found)
        begun = found.starts_at <= now
        if found.ends_at != silence.ends_at or not (begun or found.starts_at == silence.starts_at):
            start = found.starts_at if begun else silence.starts_at
            put.append(replace(silence, id=found.id, starts_at=start))
    return Changes(tuple(put), tuple(silence.id for silences in left.values() for silence in silences))


def _overlap(one: Silence, other: Silence) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def marker_of(silence: Silence) -> str | None:
    """What tells a silence of ours from others of ours; None for one that somebody else made."""
    match = _MARKER.search(silence.comment)
    return match[0] if match is not None and silence.created_by == CREATED_BY else None


def window_of(silence: Silence) -> str | None:
    """The name of the window that a silence is from; None for one that somebody else made."""
    match = _MARKER.search(silence.comment)
    return match[1] if match is not None and silence.created_by == CREATED_BY else None


def _wanted(windows: Sequence[MaintenanceWindow], now: datetime) -> Iterator[Silence]:
    for window in windows:
        if not window.matchers:
            continue
        for start, end in active_spans(window, now, _horizon(now)):
            if start >= now + AHEAD:
                break
            for matchers in window.matchers:
                texts = sorted(map(as_text, matchers))
                yield Silence(
                    id="",
                    matchers=matchers,
                    starts_at=max(start, now),
                    ends_at=min(end, _horizon(now)),
                    created_by=CREATED_BY,
                    comment=_comment(window, texts),
                )


def _horizon(now: datetime) -> datetime:
    """How far a silence reaches at most: moved once a day, so that it is not moved at each look."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + LONGEST


def _comment(window: MaintenanceWindow, matchers: list[str]) -> str:
    digest = hashlib.sha256(json.dumps([window.name, matchers]).encode()).hexdigest()[:16]
    why = f"Maintenance {window.name}" + (f": {window.why}" if window.why else "")
    return f"{why[:_LONGEST_COMMENT]} [flyball {window.name} {digest}]"
