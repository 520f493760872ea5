"""Uptime that anybody can recompute: whole seconds, exact fractions, rounded down. Pure.

For each component and day, in the page's time zone:

    uptime = 1 − Σ (weight of a status × seconds in it) ÷ seconds that were measured and are not excluded

- A second is measured when it lies between two observations that are at most `LONGEST_GAP` apart, and the status was
  known. All other time, from before the first observation on, counts on neither side.
- A second is excluded when the component was under maintenance, as a maintenance said that was on the page before it
  began. It counts on neither side. Maintenance that was told too late excludes nothing.
- A correction replaces what was measured, and what was excluded. Of two about the same second the later one counts.
- Nothing measured: no percentage. The ratio is rounded down to eight places, so that it is 1 only without any downtime.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from controlplane.calendar.intervals import Span, merged
from controlplane.calendar.periods import unix
from controlplane.calendar.zones import instant
from controlplane.model.public_status import ComponentStatus, Correction, StatusSpan, Uptime, UptimeDay
from controlplane.model.status_record import ComponentSpan
from synthetics.status_page.components import ORDER

DAYS: Final = 90
LONGEST_GAP: Final = timedelta(minutes=3)
PLACES: Final = 8
_DAY: Final = timedelta(days=1)
_WORDS: Final = {
    ComponentStatus.DEGRADED: "degraded performance",
    ComponentStatus.PARTIAL: "partial outage",
    ComponentStatus.MAJOR: "major outage",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """[start, end) in Unix seconds in which everything was the same."""

    start: int
    end: int
    status: ComponentStatus
    is_excluded: bool = False
    is_corrected: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of one component: spans, when announced maintenance covers it, corrections in their order."""

    spans: Sequence[ComponentSpan]
    excluded: Sequence[Span] = ()
    corrections: Sequence[Correction] = ()


def uptime_of(
    observed: Observed,
    weights: Mapping[ComponentStatus, Decimal],
    zone: ZoneInfo,
    now: datetime,
    days: int = DAYS,
) -> Uptime:
    """The last days, the last of them up to `now`, and everything that they were made from."""
    calendar = _days(zone, now, days)
    first, last = calendar[0][1], unix(now)
    pieces = timeline(observed, first, last)
    found = [_day(day, start, end, _cut(pieces, start, end), weights) for day, start, end in calendar]
    return Uptime(
        days=tuple(found),
        ratio=_ratio([day.seconds for day in found], weights),
        weights=weights,
        formula=formula(weights),
        spans=tuple(
            _public(piece) for piece in pieces if piece.status is not ComponentStatus.OPERATIONAL or _odd(piece)
        ),
        corrections=tuple(each for each in observed.corrections if unix(each.start) < last and unix(each.end) > first),
    )


def formula(weights: Mapping[ComponentStatus, Decimal]) -> str:
    """How the percentage is made, in one line."""
    terms = " + ".join(f"{weights[status].normalize():f} × {words}" for status, words in _WORDS.items())
    return f"uptime = 1 − ({terms}) ÷ (measured time without announced maintenance), in seconds, rounded down"


def timeline(observed: Observed, start: int, end: int) -> list[Piece]:
    """[start, end) without holes, in order: what counts as what."""
    pieces = _measured(observed.spans, start, end)
    for first, last in merged(observed.excluded):
        pieces = _painted(pieces, first, last, _excluded)
    for correction in observed.corrections:
        status = correction.status

        def corrected(piece: Piece, status: ComponentStatus = status) -> Piece:
            return replace(piece, status=status, is_excluded=False, is_corrected=True)

        pieces = _painted(pieces, unix(correction.start), unix(correction.end), corrected)
    return _joined(pieces)


def _measured(spans: Iterable[ComponentSpan], start: int, end: int) -> list[Piece]:
    """What was observed, and unknown time between. An observation that is not too old stands until now."""
    ordered = sorted(spans, key=lambda span: (span.start, span.end))
    found: list[Piece] = []
    at = start
    for number, span in enumerate(ordered):
        first, last = unix(span.start), unix(span.end)
        if number == len(ordered) - 1 and 0 < end - last <= LONGEST_GAP // timedelta(seconds=1):
            last = end
        first, last = max(first, at), min(last, end)
        if first >= last:
            continue
        if first > at:
            found.append(Piece(at, first, ComponentStatus.UNKNOWN))
        found.append(Piece(first, last, span.status))
        at = last
    if at < end:
        found.append(Piece(at, end, ComponentStatus.UNKNOWN))
    return found


def _excluded(piece: Piece) -> Piece:
    return replace(piece, is_excluded=piece.status is ComponentStatus.UNDER_MAINTENANCE)


def _painted(pieces: Iterable[Piece], start: int, end: int, change: Callable[[Piece], Piece]) -> list[Piece]:
    """The pieces with what lies in [start, end) changed."""
    found: list[Piece] = []
    for piece in pieces:
        first, last = max(piece.start, start), min(piece.end, end)
        if first >= last:
            found.append(piece)
            continue
        if piece.start < first:
            found.append(replace(piece, end=first))
        found.append(change(replace(piece, start=first, end=last)))
        if last < piece.end:
            found.append(replace(piece, start=last))
    return found


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    found: list[Piece] = []
    for piece in pieces:
        if found and replace(found[-1], end=piece.end) == replace(piece, start=found[-1].start):
            found[-1] = replace(found[-1], end=piece.end)
        else:
            found.append(piece)
    return found


def _cut(pieces: Sequence[Piece], start: int, end: int) -> list[Piece]:
    """What lies in [start, end) of pieces in order."""
    first = bisect_right(pieces, start, key=lambda piece: piece.end)
    last = bisect_left(pieces, end, key=lambda piece: piece.start)
    return [replace(piece, start=max(piece.start, start), end=min(piece.end, end)) for piece in pieces[first:last]]


def _days(zone: ZoneInfo, now: datetime, count: int) -> list[tuple[date, int, int]]:
    """Days with their first second and the one after their last; today ends now."""
    today = now.astimezone(zone).date()
    days = [today - _DAY * back for back in range(count - 1, -1, -1)]
    starts = [unix(instant(datetime.combine(day, time()), zone)) for day in [*days, today + _DAY]]
    ends = [*starts[1:-1], unix(now)]
    return list(zip(days, starts[:-1], ends, strict=True))


def _day(
    day: date, start: int, end: int, pieces: Sequence[Piece], weights: Mapping[ComponentStatus, Decimal]
) -> UptimeDay:
    seconds: dict[ComponentStatus, int] = {}
    excluded = unmeasured = corrected = 0
    for piece in pieces:
        length = piece.end - piece.start
        corrected += length if piece.is_corrected else 0
        if piece.is_excluded:
            excluded += length
        elif piece.status is ComponentStatus.UNKNOWN:
            unmeasured += length
        else:
            seconds[piece.status] = seconds.get(piece.status, 0) + length
    seen = [*seconds, *([ComponentStatus.UNDER_MAINTENANCE] if excluded else [])]
    return UptimeDay(
        day=day,
        length_seconds=end - start,
        seconds=seconds,
        excluded_seconds=excluded,
        unmeasured_seconds=unmeasured,
        corrected_seconds=corrected,
        ratio=_ratio([seconds], weights),
        worst=max(seen, key=ORDER.index, default=None),
    )


def _ratio(
    counted: Iterable[Mapping[ComponentStatus, int]], weights: Mapping[ComponentStatus, Decimal]
) -> Decimal | None:
    """Rounded down; None when nothing counts."""
    total, down = 0, Fraction(0)
    for seconds in counted:
        for status, length in seconds.items():
            total += length
            down += Fraction(weights[status]) * length
    if total == 0:
        return None
    scaled = (1 - down / total) * 10**PLACES
    return Decimal(scaled.numerator // scaled.denominator).scaleb(-PLACES)


def _odd(piece: Piece) -> bool:
    return piece.is_excluded or piece.is_corrected


def _public(piece: Piece) -> StatusSpan:
    start, end = (datetime.fromtimestamp(at, UTC) for at in (piece.start, piece.end))
    return StatusSpan(start, end, piece.status, piece.is_excluded, piece.is_corrected)
