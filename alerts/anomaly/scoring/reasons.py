"""Why an episode opened or got worse, in a sentence that goes with it wherever it is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.detector.live import StepScores
from alerts.anomaly.detector.model import Floats
from alerts.anomaly.episodes.model import Change, EpisodeKind
from alerts.anomaly.explaining.sentences import episode_sentence
from alerts.anomaly.groups.contributions import leading, shares
from alerts.anomaly.model import BASELINES
from alerts.anomaly.reading.history import History
from alerts.anomaly.scoring.bank import Rows
from alerts.anomaly.scoring.lineup import Lineup
from alerts.anomaly.scoring.phase_table import PhaseTable
from controlplane import wording

_MOST_MEMBERS: Final = 3
_LONGEST_NAME: Final = 60
_LEAST_SHARE: Final = 0.05
_WEEKLY: Final = 3  # code of the baseline


@dataclass(frozen=True, slots=True)
class Told:
    """A change, whose it is, and how it is explained. `history` is the past that it rests on."""

    change: Change
    series: str
    labels: Mapping[str, str]
    explanation: str = ""
    baseline: str = ""
    history: timedelta | None = None


class Reasons:
    """Of one cycle: looks up what was at the same phase of earlier days, and who has to do with a group's being off."""

    def __init__(self, history: History, lineup: Lineup, table: PhaseTable) -> None:
        self._history = history
        self._lineup = lineup
        self._table = table

    def plain(self, change: Change) -> Told:
        """Of a change that nobody has scores of: a gap, or an end."""
        explanation = self._sentence(change) if change.kind is EpisodeKind.GAP else ""
        return Told(change, self._lineup.keys[change.row], self._lineup.labels[change.row], explanation)

    def of(self, change: Change, scores: StepScores, values: Floats, since: Rows) -> Told:
        """Of a change at the step that these scores and values are of."""
        row, step = change.row, self._table.grid.step
        code = int(scores.baseline[row])
        earlier = self._earlier(row, change.worst_at, is_weekly=code == _WEEKLY)
        explanation = self._sentence(change, BASELINES[code], earlier)
        if row >= self._lineup.own and change.kind is not EpisodeKind.GAP:
            explanation = " ".join(filter(None, (explanation, self._members(row, scores, values))))
        return Told(
            change=change,
            series=self._lineup.keys[row],
            labels=self._lineup.labels[row],
            explanation=explanation,
            baseline=BASELINES[code],
            history=(change.at - int(since[row]) + 1) * step if since[row] >= 0 else None,
        )

    def _sentence(self, change: Change, baseline: str = "", earlier: tuple[float, ...] = ()) -> str:
        return episode_sentence(
            change.kind.value,
            value=change.value,
            expected=change.expected,
            lower=change.lower,
            upper=change.upper,
            score=change.score,
            baseline=baseline,
            earlier=earlier,
        )

    def _earlier(self, row: int, index: int, *, is_weekly: bool) -> tuple[float, ...]:
        """Values at the same phase of earlier days, or weeks, the nearest first; of groups they are not kept."""
        place = index - self._table.grid.first
        whole = self._table.whole
        if row >= self._lineup.own or not 0 <= place < len(whole.daily):
            return ()
        first, values = self._history.first, self._history.values[self._lineup.occupied[row]]
        lags = (whole.weekly if is_weekly else whole.daily)[place]
        found = [values[index - lag - first] for lag in lags.tolist() if lag > 0 and index - lag >= first]
        return tuple(float(value) for value in found if np.isfinite(value))

    def _members(self, row: int, scores: StepScores, values: Floats) -> str:
        """`Most of it: {service="checkout"} 62 %.`"""
        own, groups = self._lineup.own, self._lineup.groups
        if groups is None:
            return ""
        parts = shares(values[:own], scores.expected[:own], groups)
        leaders = [each for each in leading(parts, groups, row - own, _MOST_MEMBERS) if each[1] >= _LEAST_SHARE]
        said = ", ".join(f"{_short(self._lineup.keys[at])} {wording.percent(share)}" for at, share in leaders)
        return f"Most of it: {said}." if said else ""


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
