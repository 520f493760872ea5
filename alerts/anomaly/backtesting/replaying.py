"""Score a past as the daemon would have, step by step, and what it would have told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.backtesting.costs import cost_scores
from alerts.anomaly.backtesting.model import ALARMS, Backtest, Curve, Past
from alerts.anomaly.backtesting.past import Progress
from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Floats, Grid, Panel, Scores
from alerts.anomaly.detector.settings import steps_a_day
from alerts.anomaly.episodes.model import Change
from alerts.anomaly.episodes.state import blank
from alerts.anomaly.episodes.telling import about_of, episode_of
from alerts.anomaly.explaining.sentences import episode_sentence
from alerts.anomaly.feedback.learning import announced
from alerts.anomaly.groups.aggregating import aggregate, patience_of
from alerts.anomaly.model import BASELINES, AnomalyDetector
from alerts.anomaly.scoring.incomplete import complete, longest_range
from alerts.anomaly.scoring.judging import judge_of, warmed
from alerts.anomaly.scoring.lineup import Lineup, lineup_of
from alerts.anomaly.scoring.past import Rulings
from alerts.anomaly.scoring.phase_table import PhaseTable, phase_table
from alerts.anomaly.scoring.step_arrays import column_of
from alerts.anomaly.scoring.terms import terms_of
from controlplane.model.anomaly import Episode

_TOGETHER: Final = 50  # series that are scored at once
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PRESENCE_DAYS: Final = 1  # before the time that is judged, of which samples came and which did not
MOST_CURVES: Final = 12
_KEPT: Final = (
    "point", "sustained", "score", "sustained_score", "expected", "lower", "upper", "baseline", "maturity", "shifted",
)  # fmt: skip
_CHANNELS: Final = ("seasonal", "slow", "range_all", "range_recent", "coverage")  # of groups and explanations


@dataclass(frozen=True, slots=True)
class Judged:
    """All series and then their groups: values and scores of the time that is judged (N, T), and what was told.

    `all_values` (N, …) have what lies before it, too.
    """

    lineup: Lineup
    start: int
    all_values: Floats
    values: Floats
    scores: Scores
    episodes: tuple[Episode, ...]


def backtest(
    detector: AnomalyDetector,
    past: Past,
    since: datetime,
    rulings: Rulings,
    *,
    label: str = "",
    progress: Progress = lambda share: None,
) -> Backtest:
    """What would have been told from `since` on, by a detector that has seen what lies before it in `past`.

    Scores are causal: each step is judged by what came before it, with the same lags, masks, groups, false-discovery
    control and hysteresis as in the daemon. One thing differs: the all-time range begins with `past`.
    """
    found = judged(detector, past, since, rulings, progress=progress)
    until = _EPOCH + (past.first + past.values.shape[1]) * past.step
    return Backtest(
        label=label or detector.name,
        detector=detector,
        since=_EPOCH + found.start * past.step,
        until=until,
        series=found.lineup.own,
        groups=len(found.lineup.keys) - found.lineup.own,
        scored=int(np.isfinite(found.scores.score).sum()) * past.step,
        episodes=found.episodes,
        curves=_curves(found, past),
        warnings=past.warnings,
    )


def judged(
    detector: AnomalyDetector,
    past: Past,
    since: datetime,
    rulings: Rulings,
    *,
    progress: Progress = lambda share: None,
    with_channels: bool = False,
) -> Judged:
    """The same with all of its arrays; `with_channels`: of `scores` all, else what episodes need, NaN elsewhere."""
    start = min(max(-((_EPOCH - since) // past.step), past.first), past.first + past.values.shape[1])
    lineup = lineup_of(past.labels, detector.grouping)
    wanted = _KEPT if lineup.groups is None and not with_channels else (*_KEPT, *_CHANNELS)
    values, scores = _scored(detector, lineup, past, start, rulings, wanted, progress)
    found = Judged(lineup, start, values, values[:, start - past.first :], scores, ())
    return _told(detector, found, rulings) if lineup.keys else found


# --- scores ----------------------------------------------------------------------------------------------------------


def _scored(
    detector: AnomalyDetector,
    lineup: Lineup,
    past: Past,
    start: int,
    rulings: Rulings,
    wanted: Sequence[str],
    progress: Progress,
) -> tuple[Floats, Scores]:
    filling = longest_range(detector.query) // past.step
    values = _with_groups(past.values, detector, lineup)
    scored = _with_groups(complete(past.values, filling), detector, lineup) if filling else values
    grid = Grid(past.first, past.step, values.shape[1])
    kept = start - past.first
    if detector.cost is not None:
        learnt = rulings.learnt(grid, lineup.keys, lineup.labels)
        return values, cost_scores(detector, values, past.first, grid.count - kept, learnt)
    table = phase_table(grid, rulings.zone, rulings.calendars.special)
    parts = []
    for at in range(0, len(values), _TOGETHER):
        part = slice(at, at + _TOGETHER)
        panel = panel_of(grid, scored[part], lineup.keys[part], lineup.labels[part], rulings, table)
        parts.append(_cut(score_history(panel, terms_of(detector)), wanted, kept))
        progress(min((at + _TOGETHER) / len(values), 1.0))
    return values, _joined(parts, wanted, grid.count - kept)


def _with_groups(values: Floats, detector: AnomalyDetector, lineup: Lineup) -> Floats:
    """(N, T) series, and then the sums of their groups."""
    if lineup.groups is None or detector.grouping is None:
        return values
    patience = patience_of(detector.step)
    _, sums = aggregate(values, lineup.groups, how=detector.grouping.aggregate, patience=patience)
    return np.concatenate([values, sums.astype(np.float32)])


def panel_of(
    grid: Grid,
    values: Floats,
    keys: Sequence[str],
    labels: Sequence[Mapping[str, str]],
    rulings: Rulings,
    table: PhaseTable,
) -> Panel:
    """With lags by local time and what calendars and people keep from being learnt."""
    return Panel(np.ascontiguousarray(values), grid, table.part(grid), rulings.learnt(grid, keys, labels))


def _cut(scores: Scores, wanted: Sequence[str], kept: int) -> dict[str, NDArray[Any]]:
    """From the time that is judged on, as copies: the whole is much larger."""
    return {name: getattr(scores, name)[:, kept:].copy() for name in wanted}


def _joined(parts: Sequence[dict[str, NDArray[Any]]], wanted: Sequence[str], count: int) -> Scores:
    """One after the other; what is not wanted is NaN."""
    found: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.empty((0, count)) for name in wanted
    }
    nothing = np.broadcast_to(np.float32(np.nan), found["score"].shape)
    return Scores(**{each.name: found.get(each.name, nothing) for each in fields(Scores)})


# --- episodes --------------------------------------------------------------------------------------------------------


def _told(detector: AnomalyDetector, judged: Judged, rulings: Rulings) -> Judged:
    judge, lineup, step, start = judge_of(detector), judged.lineup, detector.step, judged.start
    before = judged.all_values.shape[1] - judged.values.shape[1]
    presence = min(before, _PRESENCE_DAYS * steps_a_day(step))
    state, _ = warmed(blank(lineup.keys), judge, judged.all_values[:, before - presence : before], start - presence)
    found: dict[str, Episode] = {}
    about = about_of(detector)
    for place in range(judged.values.shape[1]):
        now = _EPOCH + (start + place) * step
        hushed = announced(rulings.feedback, lineup.keys, now) if rulings.feedback else None
        scores, values = column_of(judged.scores, place), judged.values[:, place]
        state, changes = judge.step(state, start + place, values, scores, lineup.groups, hushed)
        for change in changes:
            why = _why(change, judged)
            episode = episode_of(
                change, about, series=lineup.keys[change.row], labels=lineup.labels[change.row], explanation=why
            )
            found[episode.id] = episode
    ordered = sorted(found.values(), key=lambda each: (each.started_at, each.series, each.kind))
    return replace(judged, episodes=tuple(ordered))


def _why(change: Change, judged: Judged) -> str:
    place = change.worst_at - judged.start
    inside = 0 <= place < judged.values.shape[1]
    code = int(judged.scores.baseline[change.row, place]) if inside else 0
    return episode_sentence(
        change.kind.value,
        value=change.value,
        expected=change.expected,
        lower=change.lower,
        upper=change.upper,
        score=change.score,
        baseline=BASELINES[code] if code < len(BASELINES) else "",
    )


def _curves(judged: Judged, past: Past) -> tuple[Curve, ...]:
    """Series with the most alarms, then the highest scores."""
    counts: dict[str, float] = {}
    for each in judged.episodes:
        worth = 1.0 + float(each.score or 0) / 1e6 if each.kind in ALARMS else 0.01
        counts[each.series] = counts.get(each.series, 0.0) + worth
    keys, scores = judged.lineup.keys, judged.scores
    order = sorted(range(len(keys)), key=lambda row: (-counts.get(keys[row], 0.0), row))[:MOST_CURVES]
    return tuple(
        Curve(
            series=keys[row],
            start=_EPOCH + judged.start * past.step,
            step=past.step,
            values=judged.values[row],
            expected=scores.expected[row],
            lower=scores.lower[row],
            upper=scores.upper[row],
            score=scores.score[row],
        )
        for row in order
    )
