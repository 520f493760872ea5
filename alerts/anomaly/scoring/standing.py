"""Where all series of a detector stand between steps: what is open, taken up, ended because somebody said so, shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from alerts.anomaly.detector.live import StepScores
from alerts.anomaly.detector.model import Floats
from alerts.anomaly.episodes.advancing import hushed
from alerts.anomaly.episodes.model import Change, EpisodeKind, Reason
from alerts.anomaly.episodes.state import State, aligned, blank, restored
from alerts.anomaly.feedback.learning import to_close
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.scoring.bank import Rows
from alerts.anomaly.scoring.judging import Judge, warmed
from alerts.anomaly.scoring.latest import Latest
from alerts.anomaly.scoring.lineup import Lineup
from alerts.anomaly.scoring.steps import time_of
from controlplane.model.anomaly import Episode, Feedback

_HUSHABLE = (EpisodeKind.POINT, EpisodeKind.SUSTAINED, EpisodeKind.GAP)


@dataclass(frozen=True, slots=True)
class Standing:
    """A state before the first step of a cycle, what changed by that, and episodes that nobody has any more."""

    state: State
    changes: list[Change] = field(default_factory=list)
    ended: list[tuple[Episode, Reason]] = field(default_factory=list)


def standing_of(state: State, keys: Sequence[str], open_: Iterable[Episode]) -> Standing:
    """The state for these series, `open_` being what is open in the store: what others have ends."""
    present = set(keys)
    gone = [(episode, Reason.GONE) for episode in open_ if episode.series not in present]
    return Standing(aligned(state, keys)[0], [], gone)


def begun(
    keys: Sequence[str], open_: Iterable[Episode], judge: Judge, values: Floats, first: int, step: timedelta
) -> Standing:
    """A state where none is kept: what the store has open goes on, and the past day (N, T) tells whose samples come."""
    end = first + values.shape[1]
    state, left = restored(keys, open_, step, index=end - 1)
    seen, gaps = warmed(blank(keys), judge, values, first)
    was_open = state.presence.is_open
    presence = replace(
        seen.presence,
        is_open=seen.presence.is_open | was_open,
        started=np.where(was_open, state.presence.started, seen.presence.started),
    )
    new = [each for each in gaps if not was_open[each.row]]
    return Standing(replace(state, presence=presence), new, [(episode, Reason.GONE) for episode in left])


def ended_as_expected(
    state: State, feedback: Iterable[Feedback], open_: Iterable[Episode], now: datetime
) -> tuple[State, list[Change]]:
    """End what somebody has said to be expected."""
    changes: list[Change] = []
    episodes = to_close(feedback, open_, now)
    for kind in _HUSHABLE:
        series = {episode.series for episode in episodes if episode.kind == kind.value}
        if series:
            state, found = hushed(state, np.array([key in series for key in state.keys], dtype=bool), kind)
            changes += found
    return state, changes


def latest_of(
    detector: AnomalyDetector,
    index: int,
    fitted: int | None,
    lineup: Lineup,
    found: tuple[Floats, StepScores, State, Rows],
) -> Latest:
    """What is shown of a step: values, scores, the state after it, and since when each series has been known."""
    values, scores, state, since = found
    size, seconds = len(lineup.keys), detector.step.total_seconds()
    kinds = {output: EpisodeKind(output.value) for output in detector.outputs}
    return Latest(
        detector=detector.name,
        at=time_of(index, detector.step),
        step=detector.step,
        fitted_at=None if fitted is None else time_of(fitted - 1, detector.step),
        labels=lineup.labels,
        is_group=np.arange(size) >= lineup.own,
        value=values,
        expected=scores.expected,
        lower=scores.lower,
        upper=scores.upper,
        score=scores.score,
        sustained_score=scores.sustained_score,
        baseline=scores.baseline,
        maturity=scores.maturity,
        history_seconds=np.where(since >= 0, (index - since + 1) * seconds, np.nan).astype(np.float32),
        coverage=scores.coverage,
        gap=state.open_of(EpisodeKind.GAP),
        open={output: state.open_of(kind) for output, kind in kinds.items()},
    )
