"""The event history of an SLO: its rolling pair asked of a metrics backend, coarsely first, then where it matters."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from controlplane.model.slo import SLO
from slo.indicator import EventPair
from slo.replay.candidates import candidate_minutes
from slo.replay.fetching import Asked, Fetcher, Group, same_group
from slo.replay.history import TILE, EventHistory, Span
from slo.replay.sliding import Floats, Whole, runs

_MUTING_MINUTES: Final = 1440
_Pair = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True)
class History:
    """The events of one budget: of the SLO, or of one value of its groups (`group` holds labels and values)."""

    group: tuple[tuple[str, str], ...]
    events: EventHistory


@dataclass(frozen=True, slots=True)
class Question:
    """How to ask for the events of an SLO. `definitions` are those of its alerts that are to be judged on them.

    `starts` as in `budget_course`, one for each definition. `every_minute` asks for all minutes, which costs five times
    as much and adds nothing but bursts that are shorter than two scrapes.
    """

    definitions: tuple[SLO, ...]
    pair: EventPair
    starts: tuple[Whole | None, ...]
    every_minute: bool = False

    @property
    def groups(self) -> tuple[str, ...]:
        """The labels that tell its budgets apart."""
        return self.definitions[0].groups


def histories(question: Question, span: Span, fetcher: Fetcher) -> list[History]:
    """What happened in `span`, one history for each group that had events, in the order of their values.

    Nothing known is one history without data for an SLO without groups, and none for one with groups.
    """
    step = 1 if question.every_minute else TILE
    coarse = _asked(question, span.first, span.end, step, fetcher)
    names = sorted(coarse) or ([] if question.groups else [()])
    nothing = np.full(-(-span.minutes // step), np.nan)
    events = {}
    for name in names:
        every, bad = coarse.get(name, (nothing, nothing))
        make = EventHistory.from_minutes if question.every_minute else EventHistory.from_tiles
        events[name] = make(span, every, bad)
    if not question.every_minute:
        events = _refined(question, events, span, fetcher)
    return [History(tuple(zip(question.groups, name, strict=True)), events[name]) for name in names]


def _refined(
    question: Question, events: dict[Group, EventHistory], span: Span, fetcher: Fetcher
) -> dict[Group, EventHistory]:
    """Every minute of the times in which any of the groups may have paged. A day before what is judged is enough:
    pages older than that mute nothing.
    """
    wanted = np.zeros(span.minutes, dtype=bool)
    for each in events.values():
        for slo, starts in zip(question.definitions, question.starts, strict=True):
            for first, end in candidate_minutes(slo, each, starts):
                wanted[first:end] = True
    wanted[: max(0, span.since - span.first - _MUTING_MINUTES)] = False
    for first, end in runs(wanted):
        found = _asked(question, span.first + first, span.first + end, 1, fetcher)
        nothing = np.full(end - first, np.nan)
        events = {name: each.refined(first, *found.get(name, (nothing, nothing))) for name, each in events.items()}
    return events


def _asked(question: Question, first: int, end: int, step: int, fetcher: Fetcher) -> dict[Group, _Pair]:
    every, bad = (
        fetcher.arrays(Asked(expr, first, end, step), question.groups)
        for expr in (question.pair.all, question.pair.bad)
    )
    points = Asked(question.pair.all, first, end, step).points
    return {name: (same_group(every, name, points), same_group(bad, name, points)) for name in every | bad}
