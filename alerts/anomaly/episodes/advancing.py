"""One step further: which episodes open, get worse, close. Pure; well below a millisecond for 10,000 series."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.episodes.gaps import hushed_gaps, presence_after
from alerts.anomaly.episodes.model import (
    CLOSE_BELOW,
    HUSH_UNTIL,
    LONGEST_WINDOW,
    MOST_SCORE,
    OUTPUTS,
    WORSE,
    Booleans,
    Change,
    EpisodeKind,
    Reason,
    Rules,
    Step,
    What,
)
from alerts.anomaly.episodes.state import FIGURES, Reals, State, Steps, Watch, Words, change, closing, known
from alerts.anomaly.model import Direction, Maturity

_CHANGED_RARELY: Final = tuple(each.name for each in fields(Watch) if each.name not in ("scored", "last"))


@dataclass(frozen=True, slots=True)
class _Now:
    """A step, for each output and series: `scores` and `stale` are (2·S,). Stale: unknown for too long before it."""

    step: Step
    rules: Rules
    scores: Reals
    stale: Booleans

    @property
    def index(self) -> int:
        return self.step.index

    @property
    def series(self) -> int:
        return len(self.step.values)


def advance(state: State, step: Step, rules: Rules) -> tuple[State, list[Change]]:
    """The state after a step, and what changed by it, by kind and then in the order of the series.

    A step that is not after `state.index` changes nothing: it was judged. Steps that are left out count as not read:
    they move neither what is open nor gaps. A series without a score moves nothing either, but for the end of what
    has been unknown for `rules.long_gap`. Raises `ValueError` for arrays of another number of series.
    """
    if step.index <= state.index:
        return state, []
    series = len(state.keys)
    if any(len(each) != series for each in (step.values, step.scores, step.sustained_scores, step.maturity)):
        raise ValueError(f"the state is one of {series} series, the step is not")
    scores = np.minimum(np.concatenate([step.scores, step.sustained_scores]).astype(np.float64), MOST_SCORE)
    now = _Now(step, rules, scores, step.index - state.watch.last > rules.long_gap)
    watch, changes = _judged(state.watch, _counted(state, now), now)
    presence, gaps = presence_after(state.presence, step, rules)
    return State(state.keys, step.index, watch, presence), [*changes, *_shifts(step, rules), *gaps]


def _counted(state: State, now: _Now) -> Watch:
    """With this step among the last ones; hits from before a long gap are forgotten."""
    watch, step, scored = state.watch, now.step, ~np.isnan(now.scores)
    anomalous = now.scores > 1
    may = step.maturity >= Maturity.DAILY
    may = may if step.admitted is None else may & step.admitted
    for place, output in enumerate(OUTPUTS):
        part = slice(place * now.series, (place + 1) * now.series)
        anomalous[part] &= may if output in now.rules.outputs else False
    by = min(now.index - state.index, LONGEST_WINDOW)
    moved = np.zeros_like(watch.scored) if by == LONGEST_WINDOW else watch.scored << np.uint64(by)
    hits = np.where(now.stale, np.uint64(0), watch.hits)
    return replace(
        watch,
        hits=np.where(scored, (hits << np.uint64(1)) | anomalous, hits),
        scored=moved | scored,
        last=np.where(scored, now.index, watch.last),
    )


def _judged(before: Watch, watch: Watch, now: _Now) -> tuple[Watch, list[Change]]:
    """Only places with a hit, or with something open, are looked at."""
    scored = watch.last == now.index
    lost = np.flatnonzero(watch.is_open & now.stale)
    going = np.flatnonzero((watch.is_open | watch.is_hushed) & scored & ~now.stale)
    rising = np.flatnonzero(scored & ((watch.hits & np.uint64(1)) > 0) & (~watch.is_open | now.stale))
    if not (lost.size or going.size or rising.size):
        return watch, []
    hits = watch.hits
    watch = replace(watch, **{name: getattr(watch, name).copy() for name in _CHANGED_RARELY})
    changes = [_closed(watch, at, now, int(before.last[at]) + 1, Reason.UNKNOWN) for at in lost]
    _end(watch, lost)
    watch.hits[lost] = hits[lost]  # of this step, if any
    watch.is_hushed[now.stale & watch.is_hushed] = False
    changes += _go_on(watch, going, now)
    changes += _rise(watch, rising, now)
    return watch, sorted(changes, key=lambda each: (each.kind.value, each.row))


def _go_on(watch: Watch, going: Steps, now: _Now) -> list[Change]:
    """Those that are open, or hushed, and scored now."""
    is_open, scores = watch.is_open[going], now.scores[going]
    _worsen(watch, going[is_open & ~(scores <= watch.worst[going])], now)
    low = scores < CLOSE_BELOW
    watch.quiet_since[going[low & (watch.quiet[going] == 0)]] = now.index
    watch.quiet[going] = np.where(low, watch.quiet[going] + 1, 0)
    over = watch.quiet[going] >= now.rules.close_after
    watch.is_hushed[going[over]] = False
    closed = going[over & is_open]
    changes = [_closed(watch, at, now, int(watch.quiet_since[at]), Reason.RECOVERED) for at in closed]
    _end(watch, closed)
    worse = going[is_open & ~over & ~(watch.worst[going] < WORSE * watch.told[going])]
    watch.told[worse] = watch.worst[worse]
    return changes + [change(watch, int(at), now.series, What.WORSENED, now.index) for at in worse]


def _rise(watch: Watch, rising: Steps, now: _Now) -> list[Change]:
    """Those with a hit now that are not open."""
    hushed = watch.is_hushed[rising]
    loud = hushed & (now.scores[rising] > HUSH_UNTIL * watch.told[rising])
    watch.is_hushed[rising[loud]] = False
    watch.hits[rising[hushed]] &= np.where(loud[hushed], np.uint64(1), np.uint64(0))
    rising = rising[~hushed | loud]
    windows = watch.hits[rising] & np.uint64((1 << now.rules.of) - 1)
    counted = np.bitwise_count(windows)
    _worsen(watch, rising[(counted == 1) | ~(now.scores[rising] <= watch.worst[rising])], now)
    is_enough = counted >= now.rules.steps
    opened = rising[is_enough]
    watch.started[opened] = _first_hits(windows[is_enough], watch.scored[opened], now.index)
    _worsen(watch, opened[watch.worst_at[opened] < watch.started[opened]], now)  # that one has left the window
    watch.is_open[opened], watch.quiet[opened], watch.told[opened] = True, 0, watch.worst[opened]
    return [change(watch, int(at), now.series, What.OPENED, now.index) for at in opened]


def _worsen(watch: Watch, places: Steps, now: _Now) -> None:
    """This step is the worst so far of these."""
    if not places.size:
        return
    step, rows = now.step, places % now.series
    watch.worst[places], watch.worst_at[places] = now.scores[places], now.index
    for name, given in zip(FIGURES, (step.values, step.expected, step.lower, step.upper), strict=True):
        getattr(watch, name)[places] = given[rows]


def _closed(watch: Watch, place: np.int64, now: _Now, ended: int, reason: Reason) -> Change:
    return closing(watch, int(place), now.series, now.index, ended=ended, reason=reason)


def _end(watch: Watch, places: Steps) -> None:
    watch.is_open[places], watch.hits[places], watch.quiet[places] = False, 0, 0
    watch.worst[places] = np.nan


def _first_hits(windows: Words, scored: Words, index: int) -> NDArray[np.int64]:
    """Steps of the oldest hits: as many scored steps ago as the highest bit says; of 64 steps at most."""
    ago = (_steps_ago(int(hits), int(seen)) for hits, seen in zip(windows, scored, strict=True))
    return index - np.fromiter(ago, dtype=np.int64, count=len(windows))


def _steps_ago(hits: int, scored: int) -> int:
    left, ago = hits.bit_length(), 0
    for place in range(LONGEST_WINDOW):
        if scored >> place & 1:
            left, ago = left - 1, place
            if left == 0:
                break
    return ago


def _shifts(step: Step, rules: Rules) -> Iterable[Change]:
    shifted = step.shifted & (step.maturity >= Maturity.DAILY) & ~np.isnan(step.values)
    return [_shift(step, row) for row in map(int, np.flatnonzero(shifted)) if _is_watched(step, row, rules.direction)]


def _is_watched(step: Step, row: int, direction: Direction) -> bool:
    """Where nothing was expected nobody knows the direction: it is told."""
    rise = float(step.values[row]) - float(step.expected[row])
    return direction is Direction.BOTH or bool(np.isnan(rise)) or (rise >= 0) == (direction is Direction.ABOVE)


def _shift(step: Step, row: int) -> Change:
    at, kind, band = step.index, EpisodeKind.LEVEL_SHIFT, (step.expected, step.lower, step.upper)
    value, score, expected, lower, upper = (known(each[row]) for each in (step.values, step.scores, *band))
    return Change(What.OPENED, kind, row, at, at, at + 1, at, value, expected, lower, upper, score)


def hushed(state: State, rows: Booleans, kind: EpisodeKind) -> tuple[State, list[Change]]:
    """End open episodes of a kind and of these series, (S,) True, which somebody says are expected.

    They open anew only after the score was below 0.6 for `close_after` steps, or when it gets twice as bad. A gap
    opens anew only after samples have come for most of a day.
    """
    if kind is EpisodeKind.GAP:
        return hushed_gaps(state, rows)
    places = np.flatnonzero(state.open_of(kind) & rows)
    if not places.size:
        return state, []
    series = len(state.keys)
    places = places + [output.value for output in OUTPUTS].index(kind.value) * series
    watch = replace(state.watch, **{name: getattr(state.watch, name).copy() for name in _CHANGED_RARELY})
    at, ended = state.index, state.index + 1
    changes = [closing(watch, int(each), series, at, ended=ended, reason=Reason.EXPECTED) for each in places]
    watch.told[places] = watch.worst[places]
    _end(watch, places)
    watch.is_hushed[places] = True
    return replace(state, watch=watch), changes
