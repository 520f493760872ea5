"""Anomalies of a scored file: when they began and ended, the worst step of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from alerts.anomaly.csv_series.model import Numbers
from alerts.anomaly.csv_series.scoring import Scored
from alerts.anomaly.explaining.facts import step_facts
from alerts.anomaly.explaining.model import StepFacts
from alerts.anomaly.model import Opening

STANDARD: Final = Opening()
CLOSE_BELOW: Final = 0.6  # ANOMALY.md: open at T, close at 0.6 T for n steps


@dataclass(frozen=True, slots=True)
class Span:
    """Steps first … last (included) of one anomaly, and the one with the largest excess."""

    first: int
    last: int
    worst: int


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One anomaly of one series; `end` is that of its last step."""

    series: str
    start: datetime
    end: datetime
    steps: int
    facts: StepFacts
    excess: float


def spans(excess: Numbers, opening: Opening = STANDARD) -> list[Span]:
    """Open when `steps` of the last `of` scored steps are above 1, closed after `close_after` below 0.6.

    An anomaly begins with the first step of those that opened it, and ends with the last one above 1. `excess` (T,),
    NaN where a step was not scored: such a step neither opens nor closes.
    """
    scored = np.flatnonzero(np.isfinite(excess))
    values = excess[scored]
    found: list[Span] = []
    recent: list[int] = []  # places among the scored ones that are above 1
    opened: Span | None = None
    last_loud = -1  # not below 0.6
    for place in np.flatnonzero(values >= CLOSE_BELOW).tolist():
        if opened and place - last_loud > opening.close_after:
            found.append(opened)
            opened, recent = None, []
        last_loud = place
        if values[place] <= 1:
            continue
        if opened:
            worst = place if values[place] > values[opened.worst] else opened.worst
            opened = Span(opened.first, place, worst)
            continue
        recent = [each for each in recent if place - each < opening.of] + [place]
        if len(recent) >= opening.steps:
            opened = Span(recent[0], place, max(recent, key=lambda each: float(values[each])))
    if opened:
        found.append(opened)
    return [Span(int(scored[it.first]), int(scored[it.last]), int(scored[it.worst])) for it in found]


def anomalies(series: Sequence[Scored], opening: Opening = STANDARD) -> list[Anomaly]:
    """Those of all series, in the order of their starts."""
    return sorted((each for one in series for each in anomalies_of(one, opening)), key=lambda it: (it.start, it.series))


def anomalies_of(scored: Scored, opening: Opening = STANDARD) -> Iterator[Anomaly]:
    """Those of one series."""
    excess = scored.excess()
    for span in spans(excess, opening):
        yield Anomaly(
            series=scored.name,
            start=scored.time(span.first),
            end=scored.time(span.last + 1),
            steps=span.last - span.first + 1,
            facts=step_facts(scored.panel, scored.scores, scored.row, span.worst),
            excess=float(excess[span.worst]),
        )
