"""Step after step: models are fitted when due, all series and groups scored, and judged."""

from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from alerts.anomaly.detector.live import StepScores
from alerts.anomaly.detector.model import Booleans, Floats, Grid
from alerts.anomaly.episodes.model import Reason, What
from alerts.anomaly.episodes.state import State
from alerts.anomaly.feedback.learning import announced
from alerts.anomaly.groups.aggregating import Members, aggregate, nobody, patience_of, step_aggregate
from alerts.anomaly.groups.model import Groups, Reals
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.reading.history import History
from alerts.anomaly.scoring.bank import Given, Rows
from alerts.anomaly.scoring.chunk import Chunk
from alerts.anomaly.scoring.incomplete import complete, longest_range
from alerts.anomaly.scoring.judging import Judge, judge_of
from alerts.anomaly.scoring.latest import Latest
from alerts.anomaly.scoring.lineup import Lineup
from alerts.anomaly.scoring.memory import Memory
from alerts.anomaly.scoring.past import Past, Rulings, past_of
from alerts.anomaly.scoring.phase_table import PhaseTable
from alerts.anomaly.scoring.reasons import Reasons, Told
from alerts.anomaly.scoring.result import Phase, Stopwatch
from alerts.anomaly.scoring.standing import Standing, begun, ended_as_expected, latest_of, standing_of
from alerts.anomaly.scoring.step_arrays import joined, taken
from alerts.anomaly.scoring.steps import time_of
from controlplane.model.anomaly import Episode

Corrected = frozenset[int] | None
"""Rows into whose past samples came; None: nobody knows which."""


@dataclass(slots=True)
class Stepped:
    """What came of it: what is to be stored, and what is shown. `steps` were judged that had not been before."""

    state: State
    latest: Latest
    steps: int
    chunks: list[Chunk] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    ended: list[tuple[Episode, Reason]] = field(default_factory=list)  # of series that are not there any more
    fitted: int = 0

    @property
    def opened(self) -> int:
        """Episodes that began."""
        return sum(each.change.what is What.OPENED for each in self.told)

    @property
    def closed(self) -> int:
        """Episodes that ended."""
        return sum(each.change.ended is not None for each in self.told) + len(self.ended)


class Stepping:
    """One cycle's way through new steps. Changes the models of the memory that it is given."""

    def __init__(
        self,
        detector: AnomalyDetector,
        history: History,
        lineup: Lineup,
        rulings: Rulings,
        *,
        table: PhaseTable | None,
        refit_after: int,
        ahead: int,
        watch: Stopwatch,
    ) -> None:
        self._detector = detector
        self._history = history
        self._rulings = rulings
        self._every = refit_after
        self._watch = watch
        self._judge: Judge = judge_of(detector)
        self._filling = longest_range(detector.query) // detector.step
        self.lineup = lineup
        grid = Grid(history.first, detector.step, history.end - history.first)
        keys, labels = lineup.members.keys, lineup.member_labels
        self._past: Past = past_of(grid, keys, labels, rulings, ahead, table)
        self.table: PhaseTable = self._past.table
        self._group_past = past_of(grid, lineup.group_table.keys, lineup.group_labels, rulings, ahead, self.table)
        self._reasons = Reasons(history, lineup, self.table)
        self._fitted: dict[int, Chunk] = {}

    def through(self, memory: Memory, start: int, newest: int, corrected: Corrected) -> Stepped:
        """Score `start` … `newest`; those that were judged before move models on, and nothing else."""
        memory.series.seat(self.lineup.members)
        memory.groups.seat(self.lineup.group_table)
        if corrected is None or corrected:
            memory.series.correct(corrected)
            memory.groups.correct()
        standing = self._standing(memory, start)
        state, told = standing.state, [self._reasons.plain(each) for each in standing.changes]
        judged = state.index
        members = self._members(start)
        scores, values = None, np.zeros(0, dtype=np.float32)
        for index in range(start, newest + 1):
            with self._watch(Phase.FIT):
                self._fit(memory, index)
            with self._watch(Phase.SCORE):
                values, scores, members = self._scored(memory, index, members)
                quiet = self._announced(index)
                state, changes = self._judge.step(state, index, values, scores, self.lineup.groups, quiet)
            since = self._since(memory)
            told += [self._reasons.of(each, scores, values, since) for each in changes]
        assert scores is not None  # there is a step at least
        state, changes = ended_as_expected(state, self._rulings.feedback, memory.open, time_of(newest + 1, self._step))
        told += [self._reasons.plain(each) for each in changes]
        return Stepped(
            state=state,
            latest=self._latest(memory, state, newest, values, scores),
            steps=max(newest - max(judged, start - 1), 0),
            chunks=list(self._fitted.values()),
            told=told,
            ended=standing.ended,
            fitted=sum(len(chunk.keys) for chunk in self._fitted.values()),
        )

    @property
    def _step(self) -> timedelta:
        return self._detector.step

    def _standing(self, memory: Memory, start: int) -> Standing:
        """Where all series stand before the first step, with the past day as their presence where nothing is known."""
        keys = self.lineup.keys
        if memory.state is not None:
            return standing_of(memory.state, keys, memory.open)
        first = max(start - self._judge.rules.per_day, self._history.first)
        columns = slice(first - self._history.first, start - self._history.first)
        values = self._history.values[self.lineup.occupied, columns]
        if self.lineup.groups is not None:
            _, totals = self._aggregate(values)
            values = np.concatenate([values, totals.astype(np.float32)])
        return begun(keys, memory.open, self._judge, values, first, self._step)

    def _fit(self, memory: Memory, index: int) -> None:
        """What is due, if the past was read; of several steps in a cycle each model once, if that will do."""
        is_read = self._history.remaining == 0
        for bank, panel_of in ((memory.series, self._panel), (memory.groups, self._group_panel)):
            numbers = bank.due(index, self._every, but=self._fitted.keys())
            if (numbers and (is_read or bank.must_fit(index))) or (bank.unfitted and is_read):
                self._fitted |= {chunk.number: chunk for chunk in bank.fit(numbers, index, panel_of)}

    def _panel(self, rows: Rows, index: int) -> Given:
        return self._past.given(complete(self._history.values[rows], self._filling), rows, index)

    def _group_panel(self, rows: Rows, index: int) -> Given:
        groups = self.lineup.groups
        assert groups is not None  # nobody else has groups to fit
        members = np.flatnonzero(np.isin(groups.of, rows))
        numbers = np.full(groups.count, -1, dtype=np.int64)
        numbers[rows] = np.arange(len(rows))
        part = Groups(numbers[groups.of[members]], tuple(groups.labels[row] for row in rows))
        values = self._history.values[self.lineup.occupied[members], : index - self._history.first]
        values = complete(values, self._filling)
        _, totals = aggregate(values, part, how=self._how, patience=patience_of(self._step))
        return self._group_past.given(totals.astype(np.float32), rows, index)

    def _scored(self, memory: Memory, index: int, members: Members) -> tuple[Floats, StepScores, Members]:
        """Values and scores of all, members first."""
        column = self._column(index)
        found = memory.series.score(column, index, self._past.learnt_at(index))
        occupied = self.lineup.occupied
        values, scores = self._history.column(index)[occupied], taken(found, occupied)
        groups = self.lineup.groups
        if groups is None:
            return values, scores, members
        patience = patience_of(self._step)
        members, totals = step_aggregate(members, column[occupied], groups, how=self._how, patience=patience)
        sums = totals.astype(np.float32)
        of_groups = memory.groups.score(sums, index, self._group_past.learnt_at(index))
        return np.concatenate([values, _present(sums, values, groups)]), joined([scores, of_groups]), members

    def _column(self, index: int) -> Floats:
        """What may be scored of a step."""
        place = index - self._history.first
        part = self._history.values[:, max(place - self._filling, 0) : place + 1]
        return complete(part, self._filling)[:, -1]

    def _members(self, start: int) -> Members:
        """What members of groups last had before a step: as far back as any is awaited."""
        if self.lineup.groups is None:
            return nobody(0)
        first = max(start - patience_of(self._step) - self._filling - 1, self._history.first)
        columns = slice(first - self._history.first, start - self._history.first)
        members, _ = self._aggregate(self._history.values[self.lineup.occupied, columns])
        return members

    def _aggregate(self, values: Floats) -> tuple[Members, Reals]:
        groups = self.lineup.groups
        assert groups is not None
        return aggregate(
            complete(values, self._filling), groups, how=self._how, patience=patience_of(self._step)
        )  # fmt: skip

    @property
    def _how(self) -> str:
        return self._detector.grouping.aggregate if self._detector.grouping else "sum"

    def _announced(self, index: int) -> Booleans | None:
        if not self._rulings.feedback:
            return None
        return announced(self._rulings.feedback, self.lineup.keys, time_of(index, self._step))

    def _since(self, memory: Memory) -> Rows:
        return np.concatenate([memory.series.since()[self.lineup.occupied], memory.groups.since()])

    def _latest(self, memory: Memory, state: State, index: int, values: Floats, scores: StepScores) -> Latest:
        fitted = [each for bank in memory.banks if (each := bank.fitted) is not None]
        return latest_of(
            self._detector,
            index,
            min(fitted, default=None),
            self.lineup,
            (values, scores, state, self._since(memory)),
        )


def _present(sums: Floats, values: Floats, groups: Groups) -> Floats:
    """What groups are; of those that may not be scored what is there of them, which is no gap."""
    there = np.isfinite(values)
    rest = groups.sums(np.where(there, values, 0).astype(np.float64))
    rest = np.where(groups.sums(there.astype(np.float64)) > 0, rest, np.nan)
    return np.where(np.isnan(sums), rest, sums).astype(np.float32)
