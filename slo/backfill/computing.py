"""What the rules of an SLO would have recorded where its survey found nothing, as series with the rules' own labels.

Events are asked of a metrics backend as the live rules ask for them, over the past; what policies and exclusions make
of them is computed here. Where nothing was measured there is nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from controlplane import conventions as names
from controlplane.calendar.periods import periods_between, unix
from controlplane.model.slo import SLO, CalendarWindow, NoTraffic
from slo.backfill.grid import Grid, Group, Pairs, PastSeries
from slo.backfill.survey import Place, Survey
from slo.indicators.indicator import part_series
from slo.passes.traffic import is_up
from slo.replay.counts import Counts, as_asked, counts_of
from slo.replay.fetching import Fetcher
from slo.replay.history import TILE, EventHistory, Span, moment_of
from slo.replay.policy import under_policy
from slo.replay.sliding import Flags, Floats

_DAY: Final = 24 * 60  # minutes
_MINUTES_OF_AN_ENTRY: Final = 5
_LEDGER: Final = Place(names.LEDGER_EVENTS)
_ROLLING: Final = Place(names.ROLLING_EVENTS)
_PERIOD: Final = Place(names.PERIOD_EVENTS)
_NO_LABELS: Final[Mapping[str, str]] = {}


def computed_series(survey: Survey, fetcher: Fetcher) -> list[PastSeries]:
    """Every series that fills what is missing. Errors of the backend pass through."""
    if survey.is_complete:
        return []
    ledger = _needed(survey)
    rolling = survey.rolling.part(survey.rolling.around(survey.missing[_ROLLING]))
    # What is usual for a composite's parts is the mean of the window that ends here.
    counts = counts_of(survey.slo, moment_of(survey.ledger.end - survey.ledger.step))
    events, minutes = (_asked(counts, survey.slo, grid, fetcher) if grid.points else {} for grid in (ledger, rolling))
    return [*_of_parts(survey, fetcher), *_of_pair(survey, (ledger, events), (rolling, minutes), fetcher)]


def _needed(survey: Survey) -> Grid:
    """The points of the ledger to ask for: around what is missing; all of them where one depends on others."""
    slo, grid = survey.slo, survey.ledger
    if slo.policy.up or slo.policy.no_traffic is not NoTraffic.EXCLUDED:
        return Grid(grid.first - _DAY, grid.end, grid.step)  # what is usual is the mean of a day
    missing = [survey.missing[place] for place in (_LEDGER, _PERIOD) if place in survey.missing]
    return grid.part(grid.around(np.logical_or.reduce(missing)))


def _asked(counts: Counts, slo: SLO, grid: Grid, fetcher: Fetcher) -> Pairs:
    """All and bad events of the 5 minutes before each point, as they were measured."""
    every, counted = (fetcher.arrays(grid.asked(expr), slo.groups) for expr in (counts.every, counts.counted))
    nothing = np.full(grid.points, np.nan)
    found = {}
    for group in every | counted:
        whole = every.get(group, nothing)
        found[group] = whole, counts.bad(whole, counted.get(group, nothing))
    return found


def _of_parts(survey: Survey, fetcher: Fetcher) -> Iterator[PastSeries]:
    """The ledgers of a composite's parts."""
    for own, pair in part_series(survey.slo):
        place = Place(names.PART_LEDGER, dict(own)[names.PART])
        grid = survey.ledger.part(survey.ledger.around(survey.missing[place]))
        if grid.points:
            events = _asked(Counts(pair.all, pair.bad, as_asked), survey.slo, grid, fetcher)
            missing = _on(grid, survey, place)
            for group, found in events.items():
                yield from _pair_series(survey.slo, place.record, group, grid, found, missing, dict(own))


def _of_pair(
    survey: Survey, ledger: tuple[Grid, Pairs], rolling: tuple[Grid, Pairs], fetcher: Fetcher
) -> Iterator[PastSeries]:
    """The ledger by its periods, what is excluded of it, and the rolling pair."""
    slo = survey.slo
    (grid, events), (minutes, latest) = ledger, rolling
    up = _up(slo, grid, minutes, fetcher)
    for group in sorted(events | latest) or [() for _ in range(up is not None and not slo.groups)]:
        pair = events.get(group, (np.full(grid.points, np.nan),) * 2)
        last = latest.get(group, (np.full(minutes.points, np.nan),) * 2)
        if up is None and slo.policy.no_traffic is NoTraffic.EXCLUDED:
            raw, raw_last = pair, last
        else:
            raw, raw_last = _under_policy(slo, (grid, pair), (minutes, last), up)
        out, out_last = _excluded(slo, grid), _excluded(slo, minutes)
        yield from _ledger_series(survey, group, grid, raw, out)
        missing = _on(minutes, survey, _ROLLING)
        yield from _pair_series(slo, names.ROLLING_EVENTS, group, minutes, _without(raw_last, out_last), missing)


def _ledger_series(
    survey: Survey, group: Group, grid: Grid, raw: tuple[Floats, Floats], out: Flags
) -> Iterator[PastSeries]:
    slo = survey.slo
    records = [(names.LEDGER_EVENTS, _without(raw, out), ~np.zeros_like(out)), (names.EXCLUDED_LEDGER, raw, out)]
    for record, pair, where in records:
        yield from _pair_series(slo, record, group, grid, pair, _on(grid, survey, _LEDGER) & where)
    if not isinstance(slo.window, CalendarWindow) or not grid.points:
        return
    at = grid.minutes * 60
    missing = _on(grid, survey, _PERIOD)
    for begin, end in periods_between(slo.window, moment_of(grid.first), moment_of(grid.end)):
        inside = missing & (at >= unix(begin)) & (at < unix(end))
        label = {names.PERIOD: str(unix(begin))}
        yield from _pair_series(slo, names.PERIOD_EVENTS, group, grid, _without(raw, out), inside, label)
        yield from _pair_series(slo, names.EXCLUDED_PERIOD, group, grid, raw, inside & out, label)


def _pair_series(
    slo: SLO,
    record: str,
    group: Group,
    grid: Grid,
    pair: tuple[Floats, Floats],
    missing: Flags,
    more: Mapping[str, str] = _NO_LABELS,
) -> Iterator[PastSeries]:
    for event, values in zip((names.EVENT_ALL, names.EVENT_BAD), pair, strict=True):
        kept = missing & ~np.isnan(values)
        if kept.any():
            told = {label: value for label, value in zip(slo.groups, group, strict=True) if value}
            labels = {"__name__": record, names.SLO: slo.name, names.EVENT: event, **more, **told}
            yield PastSeries(labels, grid.minutes[kept] * 60, values[kept])


def _on(grid: Grid, survey: Survey, place: Place) -> Flags:
    """What is missing of a place, on another grid of the same step; nothing outside of what was surveyed."""
    theirs = survey.grid(place)
    found = np.zeros(grid.points, dtype=bool)
    offset = (theirs.first - grid.first) // grid.step
    first, last = max(0, offset), min(grid.points, offset + theirs.points)
    found[first:last] = survey.missing[place][first - offset : last - offset]
    return found


def _under_policy(
    slo: SLO, ledger: tuple[Grid, tuple[Floats, Floats]], rolling: tuple[Grid, tuple[Floats, Floats]], up: Flags | None
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """What the policy makes of both; of the rolling pair only where it stands in the ledger's time."""
    (grid, pair), (minutes, last) = ledger, rolling
    span = _span(grid, minutes)
    history = EventHistory.from_tiles(span, *(_filled_up(values, span) for values in pair))
    if minutes.points:
        history = history.refined(minutes.first - span.first, *last)
    seen = under_policy(replace(slo, exclusions=()), history, up)
    places = slice(minutes.first - span.first, minutes.first - span.first + minutes.points)
    every, bad = (values[::TILE][: grid.points] for values in (seen.every, seen.bad))
    return (every, bad), (seen.every[places], seen.bad[places])


def _span(grid: Grid, minutes: Grid) -> Span:
    """From the first of all points to the last."""
    return Span(grid.first, grid.first, max(grid.end, minutes.end))


def _filled_up(values: Floats, span: Span) -> Floats:
    points = -(-span.minutes // TILE)
    return np.concatenate([values, np.full(max(0, points - len(values)), np.nan)])[:points]


def _up(slo: SLO, grid: Grid, minutes: Grid, fetcher: Fetcher) -> Flags | None:
    """Whether the service was up, by minute, from every fifth; None where nobody asks."""
    if not slo.policy.up:
        return None
    span = _span(grid, minutes)
    asked = Grid(span.first, span.end, TILE)
    found = fetcher.arrays(asked.asked(is_up(slo.policy)), ())
    known = found.get((), np.full(asked.points, np.nan))
    return np.repeat(~np.isnan(known), TILE)[: span.minutes]


def _excluded(slo: SLO, grid: Grid) -> Flags:
    """The points whose five minutes reach into an excluded interval (`slo.passes.exclusions`)."""
    at = grid.minutes * 60
    found = np.zeros(grid.points, dtype=bool)
    for exclusion in slo.exclusions:
        for start, end in exclusion.intervals:
            found |= (at > start.timestamp()) & (at < end.timestamp() + 60 * _MINUTES_OF_AN_ENTRY)
    return found


def _without(pair: tuple[Floats, Floats], out: Flags) -> tuple[Floats, Floats]:
    every, bad = (np.where(out & ~np.isnan(values), 0.0, values) for values in pair)
    return every, bad
