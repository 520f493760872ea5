"""What is missing of an SLO's past: the moments at which nothing is recorded of it, under any of its names."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from controlplane import conventions as names
from controlplane.calendar.periods import period_at
from controlplane.model.slo import SLO, CalendarWindow, CompositeIndicator
from controlplane.ports import MetricsBackend
from slo.backfill.grid import Grid
from slo.replay.fetching import Fetcher
from slo.replay.history import TILE, minute_of, moment_of
from slo.replay.sliding import Flags

_DAY: Final = timedelta(days=1)
ROLLING_MINUTES: Final = 6 * 60 + 10  # the longest burn rate that reads the rolling pair, and a little


@dataclass(frozen=True, slots=True)
class Place:
    """Where entries are recorded: a record, of one part of a composite where `part` is set."""

    record: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What an SLO lacks. `ledger` and `rolling` are the points that should be recorded.

    `missing` tells by place at which points of its grid there is nothing: of the rolling pair on `rolling`, of all
    others on `ledger`.
    """

    slo: SLO
    ledger: Grid
    rolling: Grid
    missing: dict[Place, Flags]

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing to compute."""
        return not any(flags.any() for flags in self.missing.values())

    @property
    def lacks_in_ledger(self) -> int:
        """How many entries of the ledger are missing."""
        return int(self.missing[Place(names.LEDGER_EVENTS)].sum())

    def grid(self, place: Place) -> Grid:
        """The points of a place."""
        return self.rolling if place.record == names.ROLLING_EVENTS else self.ledger


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for. `since` None: as far back as the SLO's window reaches. Nothing is written from `before` on.

    All aware. `now` tells which rolling values anything still looks at.
    """

    since: datetime | None
    until: datetime
    now: datetime
    before: datetime | None = None


def surveyed(slo: SLO, stretch: Stretch, recorded_in: MetricsBackend) -> Survey:
    """Ask what is recorded. Errors as in `MetricsBackend`."""
    ledger = _ledger_grid(slo, stretch)
    oldest = max(ledger.first, minute_of(stretch.now) - ROLLING_MINUTES)
    rolling = Grid(oldest, _end(stretch, 1), 1)
    survey = Survey(slo, ledger, rolling, {})
    for place in _places(slo):
        survey.missing[place] = _missing(slo, place, survey.grid(place), recorded_in)
    return survey


def _places(slo: SLO) -> Iterator[Place]:
    yield Place(names.LEDGER_EVENTS)
    yield Place(names.ROLLING_EVENTS)
    if isinstance(slo.window, CalendarWindow):
        yield Place(names.PERIOD_EVENTS)
    if isinstance(slo.indicator, CompositeIndicator):
        yield from (Place(names.PART_LEDGER, part.name) for part in slo.indicator.parts)


def _ledger_grid(slo: SLO, stretch: Stretch) -> Grid:
    since = stretch.since
    if since is None:
        since = stretch.until - slo.window.length
        if isinstance(slo.window, CalendarWindow):
            since = min(since, period_at(slo.window, stretch.until)[0] - timedelta(minutes=TILE))
    first = minute_of(since) // TILE * TILE + TILE  # an entry counts the five minutes before it
    return Grid(first, max(first, _end(stretch, TILE)), TILE)


def _end(stretch: Stretch, step: int) -> int:
    end = minute_of(stretch.until) // TILE * TILE + step
    return end if stretch.before is None else min(end, minute_of(stretch.before) // TILE * TILE)


def _missing(slo: SLO, place: Place, grid: Grid, backend: MetricsBackend) -> Flags:
    """The points near which there is no entry: one that is closer than a step would count the same events."""
    nothing = np.ones(grid.points, dtype=bool)
    if not grid.points:
        return nothing
    selector = _selector(slo, place)
    # Day by day, so that no more samples are loaded at a time than a server allows.
    first, last = moment_of(grid.first), moment_of(grid.end) + _DAY
    found = backend.query_range(f"last_over_time({selector}[1d])", first, last, _DAY)
    others = _of_another_grouping(slo, [set(series.labels) for series in found])
    if others is None:
        return nothing
    selector = f"{selector[:-1]}{''.join(f',{matcher}' for matcher in others)}}}"
    within, ahead = 2 * grid.step * 60 - 2, grid.step * 60 - 1
    expr = f"max(count_over_time({selector}[{within}s] offset -{ahead}s))"
    seen = Fetcher(backend).arrays(grid.asked(expr), ())
    return np.isnan(seen.get((), np.full(grid.points, np.nan)))


def _selector(slo: SLO, place: Place) -> str:
    """All events of the SLO, of what is bridged under its earlier names, too (`slo.bridging`)."""
    earlier = () if place.record == names.PERIOD_EVENTS else slo.renamed_from
    matchers = [f'{names.SLO}=~"{"|".join((slo.name, *earlier))}"', f'{names.EVENT}="{names.EVENT_ALL}"']
    if place.part:
        matchers.append(f'{names.PART}="{place.part}"')
    return f"{place.record}{{{','.join(matchers)}}}"


def _of_another_grouping(slo: SLO, found: Iterable[set[str]]) -> list[str] | None:
    """Matchers that leave out what was recorded when the SLO was grouped otherwise; None when nothing else is there."""
    ours = {"__name__", names.SLO, names.EVENT, names.PART, names.PERIOD, *slo.groups}
    labelled = list(found)
    foreign = sorted({label for labels in labelled for label in labels - ours})
    own = [labels for labels in labelled if labels <= ours]
    grouped = [labels for labels in own if labels & set(slo.groups)]
    if not own or (slo.groups and not grouped):
        return None
    matchers = [f'{label}=""' for label in foreign]
    if slo.groups and len(grouped) < len(own):
        matchers += [f'{label}!=""' for label in slo.groups[:1]]
    return matchers
