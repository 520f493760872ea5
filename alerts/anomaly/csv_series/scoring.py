"""Score the series of a file: panels to the detector, scores back to rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import numpy as np

from alerts.anomaly.csv_series.daily_steps import is_daily, score_daily
from alerts.anomaly.csv_series.model import CsvFile, Flags, Numbers
from alerts.anomaly.csv_series.panels import OffGrid, Placed, placed, together
from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Codes, Grid, Panel, Phases, Scores, Terms
from alerts.anomaly.explaining.facts import time_of
from alerts.anomaly.model import Maturity, Output, Values
from controlplane.problems import Problem

Calendar: TypeAlias = Callable[[Grid], tuple[Phases, Flags | None]]  # phases, and what is learnt from (1, T)


@dataclass(frozen=True, slots=True)
class Question:
    """How a file is judged. `early`: anomalies of the first day count, when there is only a level to compare with."""

    terms: Terms
    outputs: tuple[Output, ...] = (Output.POINT,)
    early: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    """A series with what the detector says; `scores` is that of its panel, `row` its place there."""

    placed: Placed
    panel: Panel
    scores: Scores
    row: int
    question: Question

    @property
    def name(self) -> str:
        """As the file has it; empty where it is the only one."""
        return self.placed.cells.name

    def of_steps(self, name: str) -> Numbers:
        """An output of the detector (T,)."""
        found: Numbers = getattr(self.scores, name)[self.row]
        return found

    @property
    def maturity(self) -> Codes:
        """Of each step (T,)."""
        found: Codes = self.scores.maturity[self.row]
        return found

    def excess(self) -> Numbers:
        """How far off each step is ÷ how far is anomalous (T,), of the outputs that count; NaN where it is not told."""
        wanted = [_SCORES[each] for each in self.question.outputs]
        with np.errstate(invalid="ignore"):
            worst: Numbers = np.fmax.reduce([self.of_steps(name) for name in wanted])
        return worst if self.question.early else np.where(self.maturity >= Maturity.DAILY, worst, np.nan)

    def anomalous(self) -> Flags:
        """Which steps are anomalous (T,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.excess() > 1)

    def time(self, step: int) -> datetime:
        """When it begins, by the clock of the rows."""
        return time_of(self.panel.grid, step)


_SCORES: Final = {Output.POINT: "score", Output.SUSTAINED: "sustained_score"}


def score_file(
    file: CsvFile, question: Question, step: timedelta | None, calendar: Calendar
) -> "Iterator[Scored | Problem]":
    """Each series in turn, grids with many series at once; what fits no grid is a problem."""
    fitting: list[Placed] = []
    is_counter = question.terms.values is Values.COUNTER
    for cells in file.series:
        found = placed(cells, step, is_counter=is_counter)
        if isinstance(found, OffGrid):
            yield Problem(file.path, file.lines[found.row], 1, "", found.message, hint=found.hint)
        else:
            fitting.append(found)
    for group in together(fitting):
        yield from _scored(group, question, calendar)


def _scored(group: Sequence[Placed], question: Question, calendar: Calendar) -> Iterator[Scored]:
    grid = group[0].grid
    phases, fitted = calendar(grid)
    panel = Panel(np.stack([each.values for each in group]), grid, phases, fitted)
    terms = question.terms
    if terms.values is Values.COUNTER:  # they are rates already
        terms = replace(terms, values=Values.GAUGE)
    scores = score_daily(panel, terms) if is_daily(panel) else score_history(panel, terms)
    for row, each in enumerate(group):
        yield Scored(each, panel, scores, row, question)
