"""Steps as tests write them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from alerts.anomaly.episodes.advancing import advance
from alerts.anomaly.episodes.model import Change, EpisodeKind, Rules, Step, What
from alerts.anomaly.episodes.state import State, blank
from alerts.anomaly.model import Maturity

NAN = float("nan")


def a_step(index: int, scores: Sequence[float], **changes: Any) -> Step:
    """Scores of `point`; nothing sustained. A series without a score has no sample, unless `values` says otherwise."""
    point = np.array(scores, dtype=np.float32)
    flat = np.full(len(point), 10, dtype=np.float32)
    given: dict[str, Any] = {
        "index": index,
        "values": np.where(np.isnan(point), np.nan, flat + point),
        "scores": point,
        "sustained_scores": np.where(np.isnan(point), np.nan, 0.0),
        "expected": flat,
        "lower": flat - 1,
        "upper": flat + 1,
        "maturity": np.full(len(point), Maturity.DAILY, dtype=np.uint8),
        "shifted": np.zeros(len(point), dtype=np.bool_),
    }
    return Step(**given | changes)


def run(scores: Iterable[float], rules: Rules, *, first: int = 100, state: State | None = None) -> list[Change]:
    """What happens to one series, a score a step."""
    return told(run_on(scores, rules, first=first, state=state)[1])


def run_on(
    scores: Iterable[float], rules: Rules, *, first: int = 100, state: State | None = None
) -> tuple[State, list[Change]]:
    """The same, and the state after it."""
    state, changes = state or blank(["a"]), []
    for index, score in enumerate(scores, first):
        state, changed = advance(state, a_step(index, [score]), rules)
        changes += changed
    return state, changes


def told(changes: Iterable[Change]) -> list[Change]:
    """Without gaps."""
    return [each for each in changes if each.kind is not EpisodeKind.GAP]


def short(changes: Iterable[Change]) -> list[tuple[What, int, int, int | None]]:
    """What, at which step, started, ended."""
    return [(each.what, each.at, each.started, each.ended) for each in changes]
