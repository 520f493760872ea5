"""What a scored step means: which members of groups count, what opens, gets worse, ends. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from alerts.anomaly.detector.live import StepScores
from alerts.anomaly.detector.model import Booleans, Floats, Scores
from alerts.anomaly.episodes.advancing import advance
from alerts.anomaly.episodes.model import Change, Rules, Step, rules_of
from alerts.anomaly.episodes.state import State, blank
from alerts.anomaly.groups.discoveries import admitted, rarest
from alerts.anomaly.groups.model import Groups
from alerts.anomaly.model import AnomalyDetector, Output
from alerts.anomaly.scoring.step_arrays import column_of, no_scores

_SEVERAL: Final = 3


@dataclass(frozen=True, slots=True)
class Judge:
    """Hysteresis and false-discovery control of a detector. Arrays are over members first and then groups."""

    rules: Rules
    outputs: tuple[Output, ...]
    rate: float | None  # of false discoveries among the members of a group; None: each member for itself

    def step(
        self,
        state: State,
        index: int,
        values: Floats,
        scores: StepScores,
        groups: Groups | None = None,
        announced: Booleans | None = None,
    ) -> tuple[State, list[Change]]:
        """The state after a step. `announced`: such series open nothing.

        A step of which none of several series has a sample was not read: somebody else is to blame.
        """
        step = Step(
            index=index,
            values=values,
            scores=scores.score,
            sustained_scores=scores.sustained_score,
            expected=scores.expected,
            lower=scores.lower,
            upper=scores.upper,
            maturity=scores.maturity,
            shifted=scores.shifted,
            admitted=self._admitted(scores, groups, announced),
            is_read=len(values) < _SEVERAL or bool(np.isfinite(values).any()),
        )
        return advance(state, step, self.rules)

    def _admitted(self, scores: StepScores, groups: Groups | None, announced: Booleans | None) -> Booleans | None:
        found = None if announced is None or not announced.any() else ~announced
        if groups is None or self.rate is None or not groups.count:
            return found
        own = len(groups.of)
        slow = scores.slow[:own] if Output.SUSTAINED in self.outputs else None
        rarity = rarest(scores.seasonal[:own], scores.range_all[:own], scores.range_recent[:own], slow)
        passes = np.ones(len(scores.point), dtype=bool)
        passes[:own] = admitted(rarity, groups, self.rate)
        return passes if found is None else passes & found


def judge_of(detector: AnomalyDetector) -> Judge:
    """As it is declared."""
    rate = detector.grouping.false_discovery_rate if detector.grouping else None
    return Judge(rules_of(detector), detector.outputs, None if rate is None else float(rate))


def replayed(
    detector: AnomalyDetector,
    keys: Sequence[str],
    values: Floats,
    scores: Scores,
    first: int,
    groups: Groups | None = None,
) -> Iterator[tuple[int, State, list[Change]]]:
    """(step, state, changes) of a scored past, as the daemon would have had them: for backtests.

    `values` (N, T) and `scores` are those of members and then of groups, from step `first` on.
    """
    judge, state = judge_of(detector), blank(tuple(keys))
    for place in range(values.shape[1]):
        state, changes = judge.step(state, first + place, values[:, place], column_of(scores, place), groups)
        yield first + place, state, changes


def warmed(state: State, judge: Judge, values: Floats, first: int) -> tuple[State, list[Change]]:
    """With what is known of the presence of series from a past that nobody scores; gaps that are still open."""
    changes: list[Change] = []
    nothing = no_scores(len(state.keys))
    for place in range(values.shape[1]):
        state, found = judge.step(state, first + place, values[:, place], nothing)
        changes += found
    return state, [each for each in changes if each.ended is None and state.presence.is_open[each.row]]
