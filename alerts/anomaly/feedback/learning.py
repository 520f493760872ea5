"""Which steps are learnt from, which open episodes end, which steps open none, as people have said.

Of two that speak of the same step the newest one counts, whatever else they say: whoever speaks of one series later
than somebody spoke of all corrects that, and the other way round.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Grid
from controlplane.model.anomaly import Episode, Feedback, Verdict

Booleans: TypeAlias = NDArray[np.bool_]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def in_order(feedback: Iterable[Feedback]) -> list[Feedback]:
    """The oldest first, so that what comes later overrides; of one moment by id."""
    return sorted(feedback, key=lambda each: (each.said_at, each.id))


def learnt(
    feedback: Iterable[Feedback], keys: Sequence[str], grid: Grid, base: Booleans | None = None
) -> Booleans | None:
    """(S, T), or (1, T) where nothing is said of single series: False where a step is not to be learnt from.

    `base`, of the same shapes, is what calendars say; people override it. A step counts as spoken of when any part of
    it is. None where everything is learnt from. Feedback must be that of one detector.
    """
    spoken = [(each, *_columns(each, grid)) for each in in_order(feedback)]
    known = set(keys)
    spoken = [(each, first, end) for each, first, end in spoken if first < end and each.series in known | {""}]
    if not spoken:
        return base
    rows = len(keys) if any(each.series for each, _, _ in spoken) else 1
    mask = np.ones((rows, grid.count), dtype=np.bool_) if base is None else _widened(base, rows, grid.count)
    places: dict[str, Any] = {key: row for row, key in enumerate(keys)}
    for each, first, end in spoken:
        row = places[each.series] if each.series else slice(None)
        mask[row, first:end] = each.is_learnt
    return None if mask.all() else mask


def extended(feedback: Iterable[Feedback], episodes: Iterable[Episode], now: datetime) -> list[Feedback]:
    """With words on an episode that was still open then reaching to its end, for `learnt`; of an open one to `now`.

    A word is on an episode if it begins with it and is of its series (see `saying.feedback_on`): whoever says of what
    goes on that something is wrong means the rest of it, too.
    """
    ends = {(each.detector, each.series, each.started_at): each.ended_at or now for each in episodes}
    found = []
    for each in feedback:
        end = ends.get((each.detector, each.series, each.start), each.end)
        found.append(replace(each, end=max(each.end, end)))
    return found


def _widened(base: Booleans, rows: int, steps: int) -> Booleans:
    return np.broadcast_to(base, (max(rows, len(base)), steps)).copy()


def _columns(feedback: Feedback, grid: Grid) -> tuple[int, int]:
    """Its steps in the grid, the last one not included."""
    first = (feedback.start - _EPOCH) // grid.step - grid.first
    end = -((_EPOCH - feedback.end) // grid.step) - grid.first
    return max(first, 0), min(end, grid.count)


def to_close(feedback: Iterable[Feedback], episodes: Iterable[Episode], now: datetime) -> list[Episode]:
    """Open episodes that end because they were expected: the newest word on any of their time up to now says so."""
    spoken = [each for each in in_order(feedback) if each.start < now]
    return [each for each in episodes if each.ended_at is None and _is_expected(each, spoken)]


def _is_expected(episode: Episode, spoken: Sequence[Feedback]) -> bool:
    of_it = [each for each in spoken if each.series in ("", episode.series) and each.detector == episode.detector]
    of_it = [each for each in of_it if each.end > episode.started_at]
    return bool(of_it) and of_it[-1].verdict is Verdict.EXPECTED


def announced(feedback: Iterable[Feedback], keys: Sequence[str], at: datetime) -> Booleans:
    """(S,): True where somebody said that what happens at this time is expected: it opens no episode.

    It is scored and shown all the same.
    """
    found, places = np.zeros(len(keys), dtype=np.bool_), {key: row for row, key in enumerate(keys)}
    for each in in_order(feedback):
        if not each.start <= at < each.end or (each.series and each.series not in places):
            continue
        row: Any = places[each.series] if each.series else slice(None)
        found[row] = each.verdict is Verdict.EXPECTED
    return found
