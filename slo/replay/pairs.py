"""The event history of an SLO: its rolling pair asked of a metrics backend, coarsely first, then where it matters."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from controlplane.burn_rate import Urgency
from slo.replay.budget import budget_course
from slo.replay.candidates import candidate_minutes
from slo.replay.counts import Counts
from slo.replay.definition import Definition
from slo.replay.fetching import Asked, Fetcher, Group
from slo.replay.history import TILE, EventHistory, Span
from slo.replay.sliding import Floats, runs

_MUTING_MINUTES: Final = 1440
FEW_EVENTS: Final = 20.0
_MANY_POINTS: Final = 500  # fewer are asked for at once
_NEAR_POINTS: Final = 100  # apart; each of these costs about a hundredth of a request
_Pair = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class History:
    """The events of one budget: of the SLO, or of one value of its groups (`group` holds labels and values)."""

    group: tuple[tuple[str, str], ...]
    events: EventHistory


@dataclass(frozen=True, slots=True)
class Question:
    """How to ask for the events of an SLO. `definitions` are those whose alerts are to be judged by them.

    `every_minute` asks for all minutes: five times as much, for bursts that are shorter than two scrapes.
    """

    definitions: tuple[Definition, ...]
    counts: Counts
    every_minute: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """The labels that tell its budgets apart."""
        return self.definitions[0].slo.groups


def histories(question: Question, span: Span, fetcher: Fetcher) -> list[History]:
    """What happened in `span`, one history for each group that had events, in the order of their values.

    Nothing known is one history without data for an SLO without groups, and none for one with groups.
    """
    events = _whole(question, span, fetcher, 1 if question.every_minute else TILE)
    if not question.every_minute and any(_few_decide(question, each) for each in events.values()):
        events = _whole(question, span, fetcher, 1)
    elif not question.every_minute:
        events = _refined(question, events, span, fetcher)
    return [History(tuple(zip(question.groups, name, strict=True)), events[name]) for name in events]


def _whole(question: Question, span: Span, fetcher: Fetcher, step: int) -> dict[Group, EventHistory]:
    found = _asked(question, span.first, span.end, step, fetcher)
    nothing = np.full(-(-span.minutes // step), np.nan)
    make = EventHistory.from_minutes if step == 1 else EventHistory.from_tiles
    names = sorted(found) or ([] if question.groups else [()])
    return {name: make(span, *found.get(name, (nothing, nothing))) for name in names}


def _few_decide(question: Question, events: EventHistory) -> bool:
    """Whether so few events make a page that those which fall between two five-minute steps could decide.

    With so little traffic a query reads few series, so asking for every minute costs little.
    """
    for definition in question.definitions:
        slo = definition.slo
        allowed = budget_course(slo, definition.seen(events), definition.periods).allowed
        typical = float(np.nanmedian(allowed)) if np.isfinite(allowed).any() else 0.0
        pages = [tier for tier in slo.alerting.tiers if tier.urgency is Urgency.PAGE]
        if typical and any(float(tier.budget_share) * typical < FEW_EVENTS for tier in pages):
            return True
    return False


def _refined(
    question: Question, events: dict[Group, EventHistory], span: Span, fetcher: Fetcher
) -> dict[Group, EventHistory]:
    """Every minute of the times in which any of the groups may have paged. A day before what is judged is enough:
    pages older than that mute nothing.
    """
    wanted = np.zeros(span.minutes, dtype=bool)
    for each in events.values():
        for definition in question.definitions:
            for first, end in candidate_minutes(definition, each):
                wanted[first:end] = True
    wanted[: max(0, span.since - span.first - _MUTING_MINUTES)] = False
    for first, end in runs(wanted, question.counts.joined_minutes):
        found = _asked(question, span.first + first, span.first + end, 1, fetcher)
        nothing = np.full(end - first, np.nan)
        events = {name: each.refined(first, *found.get(name, (nothing, nothing))) for name, each in events.items()}
    return events


def _asked(question: Question, first: int, end: int, step: int, fetcher: Fetcher) -> dict[Group, _Pair]:
    counts = question.counts
    every = fetcher.arrays(Asked(counts.every, first, end, step), question.groups)
    counted = _counted(question, Asked(counts.counted, first, end, step), fetcher)
    nothing = np.full(Asked(counts.every, first, end, step).points, np.nan)
    found = {}
    for name in every | counted:
        all_events = every.get(name, nothing)
        found[name] = all_events, counts.bad(all_events, counted.get(name, nothing))
    return found


def _counted(question: Question, asked: Asked, fetcher: Fetcher) -> dict[Group, Floats]:
    """What `asked` says, asked for only where error counters were born, if that pays: elsewhere they have grown."""
    births = question.counts.births
    if births is None or asked.points < _MANY_POINTS:
        return fetcher.arrays(asked, question.groups)
    appearing = fetcher.arrays(replace(asked, expr=births.appearing), ())
    grown = fetcher.arrays(replace(asked, expr=births.grown), question.groups)
    nothing = np.full(asked.points, np.nan)
    stretches = runs(~np.isnan(appearing.get((), nothing)), _NEAR_POINTS)
    for first, end in stretches:
        part = Asked(asked.expr, asked.first + first * asked.step, asked.first + end * asked.step, asked.step)
        whole = fetcher.arrays(part, question.groups)
        grown = {
            name: np.concatenate([before[:first], whole.get(name, nothing[first:end]), before[end:]])
            for name, before in ((each, grown.get(each, nothing)) for each in grown | whole)
        }
    return grown
