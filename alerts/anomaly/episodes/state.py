"""What is remembered of every series between two steps. Frozen: a step that could not be stored can be repeated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.episodes.model import OUTPUTS, Booleans, Change, EpisodeKind, Reason, What
from controlplane.model.anomaly import Episode

NEVER: Final = -(2**62)  # a step before all others
FIGURES: Final = ("value", "expected", "lower", "upper")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Words = NDArray[np.uint64]
Steps = NDArray[np.int64]
Counts = NDArray[np.int32]
Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Watch:
    """Of each output and series, (2·S,): all series' `point`, then all series' `sustained`.

    `hits`: one bit for each of the last scored steps, the newest lowest, set where it was anomalous. `scored`: one bit
    for each of the last 64 steps, set where it was scored. `is_hushed`: said to be expected; it opens nothing before
    it was quiet. `worst…`: of the steps that count towards the episode, open or to come; `told`: the score when it was
    last reported.
    """

    hits: Words
    scored: Words
    last: Steps  # the last scored step
    is_open: Booleans
    is_hushed: Booleans
    started: Steps
    quiet: Counts  # scored steps in a row below 0.6
    quiet_since: Steps
    worst: Reals
    worst_at: Steps
    told: Reals
    value: Reals
    expected: Reals
    lower: Reals
    upper: Reals


@dataclass(frozen=True, slots=True)
class Presence:
    """Of each series, (S,): whether its samples come. `usual`: the share of steps that had one, over about a day."""

    usual: Reals
    missing: Counts  # steps in a row without a sample
    present: Counts  # and with one
    seen: Steps  # the last step with one
    is_open: Booleans
    started: Steps


@dataclass(frozen=True, slots=True)
class State:
    """All of it, after step `index`; series stand in the order of `keys`, the series as text."""

    keys: tuple[str, ...]
    index: int
    watch: Watch
    presence: Presence

    def open_of(self, kind: EpisodeKind) -> Booleans:
        """Which series have an open episode of that kind, (S,); of level shifts none ever has."""
        if kind is EpisodeKind.GAP:
            return self.presence.is_open
        if kind is EpisodeKind.LEVEL_SHIFT:
            return np.zeros(len(self.keys), dtype=np.bool_)
        place = [output.value for output in OUTPUTS].index(kind.value)
        series = len(self.keys)
        return self.watch.is_open[place * series : (place + 1) * series]


_BLANK: Final[dict[str, tuple[type[Any], Any]]] = {
    "hits": (np.uint64, 0),
    "scored": (np.uint64, 0),
    "last": (np.int64, NEVER),
    "is_open": (np.bool_, False),
    "is_hushed": (np.bool_, False),
    "started": (np.int64, NEVER),
    "quiet": (np.int32, 0),
    "quiet_since": (np.int64, NEVER),
    "worst": (np.float64, np.nan),
    "worst_at": (np.int64, NEVER),
    "told": (np.float64, np.nan),
    **dict.fromkeys(FIGURES, (np.float64, np.nan)),
    "usual": (np.float64, 0.0),
    "missing": (np.int32, 0),
    "present": (np.int32, 0),
    "seen": (np.int64, NEVER),
}


def column(name: str, count: int) -> NDArray[Any]:
    """One array of a state of which nothing is known."""
    kind, value = _BLANK[name]
    return np.full(count, value, dtype=kind)


def blank(keys: Sequence[str]) -> State:
    """Nothing is known of these series. Raises `ValueError` when one is named twice."""
    if len(set(keys)) != len(keys):
        raise ValueError("a series is named twice")
    watch = Watch(**{each.name: column(each.name, len(OUTPUTS) * len(keys)) for each in fields(Watch)})
    presence = Presence(**{each.name: column(each.name, len(keys)) for each in fields(Presence)})
    return State(tuple(keys), NEVER, watch, presence)


def aligned(state: State, keys: Sequence[str]) -> tuple[State, list[Change]]:
    """For other series, or another order: what is known of a series goes with it.

    Open episodes of series that are not there any more end (`Reason.GONE`); their changes count rows of the old
    `state`.
    """
    if tuple(keys) == state.keys:
        return state, []
    new, before = blank(keys), {key: row for row, key in enumerate(state.keys)}
    source = np.array([before.get(key, -1) for key in keys], dtype=np.int64)
    into = np.flatnonzero(source >= 0)
    taken = source[into]
    watch_into = np.concatenate([into + place * len(keys) for place in range(len(OUTPUTS))])
    watch_taken = np.concatenate([taken + place * len(state.keys) for place in range(len(OUTPUTS))])
    for old, fresh, places, rows in (
        (state.watch, new.watch, watch_into, watch_taken),
        (state.presence, new.presence, into, taken),
    ):
        for each in fields(old):  # `blank` has just made the arrays of `new`: nobody else has them
            getattr(fresh, each.name)[places] = getattr(old, each.name)[rows]
    gone = np.ones(len(state.keys), dtype=np.bool_)
    gone[taken] = False
    return replace(new, index=state.index), _endings(state, gone)


def _endings(state: State, gone: Booleans) -> list[Change]:
    watch, tiled = state.watch, np.tile(gone, len(OUTPUTS))
    ended = [
        closing(watch, int(at), len(state.keys), state.index, ended=int(watch.last[at]) + 1, reason=Reason.GONE)
        for at in np.flatnonzero(watch.is_open & tiled)
    ]
    gaps = np.flatnonzero(state.presence.is_open & gone)
    return ended + [gap_change(state.presence, int(row), state.index, state.index + 1, Reason.GONE) for row in gaps]


def closing(watch: Watch, place: int, series: int, at: int, *, ended: int, reason: Reason) -> Change:
    """The end of the episode at that place of `watch`."""
    return change(watch, place, series, What.CLOSED, at, ended=max(ended, int(watch.started[place]) + 1), reason=reason)


def change(
    watch: Watch,
    place: int,
    series: int,
    what: What,
    at: int,
    *,
    ended: int | None = None,
    reason: Reason | None = None,
) -> Change:
    """What became of the episode at that place of `watch`, which holds `series` series."""
    return Change(
        what=what,
        kind=EpisodeKind(OUTPUTS[place // series].value),
        row=place % series,
        at=at,
        started=int(watch.started[place]),
        ended=ended,
        worst_at=int(watch.worst_at[place]),
        **{name: known(getattr(watch, name)[place]) for name in FIGURES},
        score=known(watch.worst[place]),
        reason=reason,
    )


def gap_change(presence: Presence, row: int, at: int, ended: int | None = None, reason: Reason | None = None) -> Change:
    """A gap that opened or, with `ended`, closed."""
    what, started = What.OPENED if ended is None else What.CLOSED, int(presence.started[row])
    return Change(what, EpisodeKind.GAP, row, at, started, ended, started, None, None, None, None, None, reason)


def known(value: float | np.floating[Any]) -> float | None:
    """None for NaN."""
    return None if np.isnan(value) else float(value)


def restored(
    keys: Sequence[str], episodes: Iterable[Episode], step: timedelta, *, index: int
) -> tuple[State, list[Episode]]:
    """A state after step `index` in which these open episodes of the store are open; and those of other series.

    For when no packed state fits: counters begin anew, so that opening and closing may come some steps later.
    """
    state, rows, left = blank(keys), {key: row for row, key in enumerate(keys)}, []
    for episode in episodes:
        row, kind = rows.get(episode.series), EpisodeKind(episode.kind)
        if episode.ended_at is not None or kind is EpisodeKind.LEVEL_SHIFT:
            continue
        if row is None:
            left.append(episode)
        elif kind is EpisodeKind.GAP:
            _take_gap(state.presence, row, _index(episode.started_at, step))
        else:
            place = [output.value for output in OUTPUTS].index(kind.value) * len(keys) + row
            _take_episode(state.watch, place, episode, step, index)
    return replace(state, index=index), left


def _take_gap(presence: Presence, row: int, started: int) -> None:
    presence.is_open[row], presence.started[row], presence.seen[row] = True, started, started - 1
    presence.missing[row] = 1


def _take_episode(watch: Watch, place: int, episode: Episode, step: timedelta, index: int) -> None:
    watch.is_open[place] = True
    watch.started[place] = _index(episode.started_at, step)
    watch.last[place], watch.worst_at[place] = index, _index(episode.worst_at, step)
    watch.worst[place] = watch.told[place] = np.nan if episode.score is None else float(episode.score)
    for name in FIGURES:
        figure = getattr(episode, name)
        getattr(watch, name)[place] = np.nan if figure is None else float(figure)


def _index(at: datetime, step: timedelta) -> int:
    return (at - EPOCH) // step
