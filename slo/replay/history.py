"""What was measured, minute by minute: the rolling pair and the ledger that our rules would have recorded."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Final

import numpy as np

from slo.replay.sliding import ROLLING_MINUTES, Flags, Floats, last

MINUTE: Final = timedelta(minutes=1)
TILE: Final = 5  # minutes of one ledger entry


def minute_of(moment: datetime) -> int:
    """Whole minutes since 1970."""
    return int(moment.timestamp() // 60)


def moment_of(minute: int) -> datetime:
    """The beginning of that minute, UTC."""
    return datetime.fromtimestamp(minute * 60, UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes `first` … `end` − 1 since 1970, `first` a multiple of five. What is judged begins at `since`.

    What lies before `since` is only looked back at: windows and budgets need it.
    """

    first: int
    since: int
    end: int

    @property
    def minutes(self) -> int:
        """How many there are, the past before `since` included."""
        return self.end - self.first

    @property
    def judged(self) -> slice:
        """The place of what is judged."""
        return slice(self.since - self.first, self.minutes)

    @property
    def length(self) -> timedelta:
        """The length of what is judged."""
        return (self.end - self.since) * MINUTE

    def at(self, index: int) -> datetime:
        """The moment of an index."""
        return moment_of(self.first + index)


@dataclass(frozen=True)
class EventHistory:
    """The rolling pair of one budget: events of the 5 minutes before each minute of `span`, NaN where missing.

    `exact` tells which minutes were asked for; the others are spread evenly over the 5-minute steps that were.
    """

    span: Span
    every: Floats
    bad: Floats
    exact: Flags
    _sums: dict[tuple[bool, int], Floats] = field(default_factory=dict, repr=False, compare=False)

    @staticmethod
    def from_tiles(span: Span, every: Floats, bad: Floats) -> "EventHistory":
        """From events of 5 minutes each, at minutes `first`, `first` + 5, …: inside of them they come evenly."""
        exact = np.zeros(span.minutes, dtype=bool)
        exact[::TILE] = True
        return EventHistory(span, _spread(every, span.minutes), _spread(bad, span.minutes), exact)

    @staticmethod
    def from_minutes(span: Span, every: Floats, bad: Floats) -> "EventHistory":
        """From the rolling pair at every minute."""
        return EventHistory(span, every, bad, np.ones(span.minutes, dtype=bool))

    def refined(self, begin: int, every: Floats, bad: Floats) -> "EventHistory":
        """The same with every minute from index `begin` on known, as far as the arrays reach."""
        new_every, new_bad, exact = self.every.copy(), self.bad.copy(), self.exact.copy()
        place = slice(begin, begin + len(every))
        new_every[place], new_bad[place], exact[place] = every, bad, True
        return EventHistory(self.span, new_every, new_bad, exact)

    def events_of(self, minutes: int, *, bad: bool) -> Floats:
        """Events of the last `minutes` as rules sum them: the latest rolling value, or the mean of overlapping ones."""
        rolling = self.bad if bad else self.every
        if minutes <= ROLLING_MINUTES:
            return rolling
        if (bad, minutes) not in self._sums:
            self._sums[bad, minutes] = last(rolling, minutes) / ROLLING_MINUTES
        return self._sums[bad, minutes]

    @cached_property
    def ledger(self) -> tuple[Floats, Floats]:
        """The ledger pair: at every fifth minute the mean of five rolling values, NaN where there was none."""
        return _means(self.every), _means(self.bad)

    @property
    def coverage(self) -> float:
        """The share of what is judged for which both are known."""
        known = ~(np.isnan(self.every) | np.isnan(self.bad))
        judged = known[self.span.judged]
        return float(judged.mean()) if len(judged) else 0.0


def _spread(tiles: Floats, minutes: int) -> Floats:
    """Rolling values from tiles; the value at a tile's own minute is the tile's."""
    # The tile at minute m counts (m − 5, m]: its events lie in the minutes m − 4 … m.
    each = np.repeat(tiles / TILE, TILE)[TILE - 1 :][:minutes]
    each = np.concatenate([each, np.full(minutes - len(each), np.nan)])
    rolled = last(each, ROLLING_MINUTES)
    rolled[: TILE - 1] *= TILE / np.arange(1, TILE)[: len(rolled[: TILE - 1])]  # nothing is known before the first
    exact = tiles[: len(rolled[::TILE])]
    rolled[::TILE][: len(exact)] = np.nan_to_num(exact)
    rolled[np.isnan(each)] = np.nan
    return np.asarray(rolled)


def _means(rolling: Floats) -> Floats:
    known = ~np.isnan(rolling)
    count = last(known.astype(np.float64), TILE)[::TILE]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(count > 0, last(rolling, TILE)[::TILE] / count, np.nan))
