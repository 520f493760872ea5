"""A model of many series that scores one step after another, and can be kept and taken up again."""

import io
from dataclasses import dataclass, field

import numpy as np

from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Booleans, Codes, Floats, Grid, Panel, Phases, Scores, Steps, Terms
from alerts.anomaly.detector.settings import MODEL_VERSION as MODEL_VERSION


@dataclass(frozen=True, slots=True)
class Carried:
    """What a ring buffer cannot give again, of S series in the panel's order; NaN where nothing is known of a series.

    `rearranged` gives it in the order of another panel.
    """

    lowest: Floats  # (S,) all-time, of what was learnt
    highest: Floats
    anchor: Steps  # (S,) the step of the last level shift; −1: never

    def rearranged(self, rows: Steps) -> "Carried":
        """For a panel whose series i was series rows[i] here; −1: it is new."""
        new = rows < 0
        return Carried(
            np.where(new, np.nan, self.lowest[rows]).astype(np.float32),
            np.where(new, np.nan, self.highest[rows]).astype(np.float32),
            np.where(new, -1, self.anchor[rows]),
        )


@dataclass(frozen=True, slots=True)
class StepScores:
    """One step of `alerts.anomaly.detector.model.Scores`: all of shape (S,)."""

    value: Floats
    point: Floats
    sustained: Floats
    score: Floats
    sustained_score: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    seasonal: Floats
    slow: Floats
    range_all: Floats
    range_recent: Floats
    baseline: Codes
    maturity: Codes
    shifted: Booleans
    coverage: Floats


@dataclass(slots=True)
class FittedModel:
    """S series, fitted up to a step. `score` steps forward; not for two threads at once."""

    series: int
    next_index: int  # the step that comes next, counted like `Grid.first`
    good_until: int  # the first step that cannot be scored without a new fit
    _panel: Panel = field(repr=False)
    _terms: Terms = field(repr=False)

    def score(self, values: Floats, index: int, fitted: Booleans | None = None) -> StepScores:
        """Score step `index` of all series; NaN: no sample. Steps that are left out count as missing.

        `fitted` (S,): False where the step is not to be learnt from. Raises `ValueError` for a step before
        `next_index`, or not before `good_until`.
        """
        if not self.next_index <= index < self.good_until:
            raise ValueError(f"step {index} is not in {self.next_index} … {self.good_until - 1}")
        gap = index - self.next_index
        grid = self._panel.grid
        old = self._panel.values
        added = np.full((self.series, gap + 1), np.nan, dtype=np.float32)
        added[:, -1] = values
        self._panel = Panel(
            np.concatenate([old, added], axis=1),
            Grid(grid.first, grid.step, grid.count + gap + 1),
            self._panel.phases,
        )
        self.next_index = index + 1
        scores = score_history(self._panel, self._terms)
        return StepScores(*(getattr(scores, name)[:, -1] for name in Scores.__slots__))

    def carried(self) -> Carried:
        """To be given to the next fit."""
        low = np.nanmin(np.where(np.isfinite(self._panel.values), self._panel.values, np.inf), axis=1)
        high = np.nanmax(np.where(np.isfinite(self._panel.values), self._panel.values, -np.inf), axis=1)
        return Carried(low.astype(np.float32), high.astype(np.float32), np.full(self.series, -1, dtype=np.int64))

    def pack(self) -> bytes:
        """Bytes for the store; `unpack` gives the same model, to the bit."""
        stream = io.BytesIO()
        grid = self._panel.grid
        np.savez_compressed(
            stream,
            values=self._panel.values,
            daily=self._panel.phases.daily,
            weekly=self._panel.phases.weekly,
            grid=np.array([grid.first, grid.step.total_seconds(), grid.count, self.next_index, self.good_until]),
        )
        return stream.getvalue()


def fit(panel: Panel, terms: Terms, carried: Carried | None = None) -> FittedModel:
    """Fit on the panel's past; `panel.phases` reaches further than its values by the steps that are to be scored."""
    end = panel.grid.first + panel.grid.count
    return FittedModel(
        panel.values.shape[0], end, panel.grid.first + panel.phases.daily.shape[0], _panel=panel, _terms=terms
    )


def unpack(packed: bytes) -> FittedModel:
    """Of `pack`. Raises `ValueError` for bytes of another version, or that are no model."""
    from datetime import timedelta

    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as parts:
            first, step, count, following, until = (float(part) for part in parts["grid"])
            panel = Panel(
                parts["values"],
                Grid(int(first), timedelta(seconds=step), int(count)),
                Phases(parts["daily"], parts["weekly"]),
            )
    except (OSError, KeyError) as error:
        raise ValueError(f"no packed model: {error}") from error
    return FittedModel(panel.values.shape[0], int(following), int(until), _panel=panel, _terms=Terms())
