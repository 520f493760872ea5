"""What a model knows that the ring buffer cannot give again: carried from fit to fit, and kept in the store."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.choosing import Choosing
from alerts.anomaly.detector.learnt import Learnt
from alerts.anomaly.detector.model import NEVER, Booleans, Floats, Steps
from alerts.anomaly.detector.tails import Counts


@dataclass(slots=True)
class Carried:
    """Of S series, in the panel's order, before step `until`.

    `rearranged` gives it in the order of another panel.
    """

    until: int
    closed: int  # the last step before which errors were aged
    per_day: int
    slow_steps: int
    lowest: Floats  # (S,) all-time, of what was learnt; NaN: nothing
    highest: Floats
    began: Steps  # (S,) step of the first sample; `NEVER`: none
    counter: NDArray[np.float64]  # (S,) the last sample as it came, of counters; NaN: none
    counter_at: Steps  # (S,) its step
    pending: Booleans  # (S,) a shift that was found, and not told yet
    choosing: Choosing
    learnt: Learnt
    residuals: (
        Floats  # (slow steps, S) of the best baseline; row i is that of the last step that is i modulo their number
    )

    @classmethod
    def empty(cls, series: int, until: int, per_day: int, slow_steps: int) -> "Carried":
        """Of series of which nothing is known."""
        return cls(
            until=until,
            closed=until - 1,
            per_day=per_day,
            slow_steps=slow_steps,
            lowest=np.full(series, np.nan, dtype=np.float32),
            highest=np.full(series, np.nan, dtype=np.float32),
            began=np.full(series, NEVER, dtype=np.int64),
            counter=np.full(series, np.nan, dtype=np.float64),
            counter_at=np.full(series, NEVER, dtype=np.int64),
            pending=np.zeros(series, dtype=bool),
            choosing=Choosing.empty(series),
            learnt=Learnt.empty(series, per_day),
            residuals=np.full((slow_steps, series), np.nan, dtype=np.float32),
        )

    @property
    def series(self) -> int:
        """How many there are."""
        return int(self.lowest.shape[0])

    @property
    def anchor(self) -> Steps:
        """(S,) the step at which the last level shift was announced; `NEVER`: none was."""
        return self.choosing.anchor

    def rearranged(self, rows: Steps) -> "Carried":
        """For a panel whose series i was series rows[i] here; −1: it is new, and nothing is known of it."""
        blank = Carried.empty(1, self.until, self.per_day, self.slow_steps)
        return joined([self, blank], self.until).some(np.where(rows < 0, self.series, rows))

    def some(self, rows: Steps) -> "Carried":
        """Of those series only, in that order."""
        parts = {name: array[..., rows] if name == "residuals" else array[rows] for name, array in arrays(self).items()}
        return from_arrays(parts, self.until, self.closed, self.per_day, self.slow_steps)

    def put(self, rows: Steps, other: "Carried") -> None:
        """Let these rows be those of the other."""
        theirs = arrays(other)
        for name, array in arrays(self).items():
            if name == "residuals":
                array[:, rows] = theirs[name]
            else:
                array[rows] = theirs[name]


def _counts(learnt: Learnt) -> dict[str, Counts]:
    stages = {f"events_{stage}": counts for stage, counts in enumerate(learnt.events)}
    stages |= {f"steps_{stage}": counts for stage, counts in enumerate(learnt.steps)}
    return {**stages, "slow": learnt.slow}


def arrays(carried: Carried) -> dict[str, NDArray[np.generic]]:
    """All arrays by name; series are the first axis, of `residuals` the last."""
    found: dict[str, NDArray[np.generic]] = {
        name: getattr(carried, name)
        for name in ("lowest", "highest", "began", "counter", "counter_at", "pending", "residuals")
    }
    found |= {f"choosing_{field.name}": getattr(carried.choosing, field.name) for field in fields(Choosing)}
    for name, counts in _counts(carried.learnt).items():
        found |= {f"{name}_counts": counts.counts, f"{name}_top": counts.top}
    found |= {f"cluster_{name}": getattr(carried.learnt, name) for name in ("edge", "run", "quiet")}
    return found


def from_arrays(
    parts: dict[str, NDArray[np.generic]], until: int, closed: int, per_day: int, slow_steps: int
) -> Carried:
    """Of `arrays`. Raises `ValueError` where shapes or kinds are not those of a model."""
    empty = Carried.empty(int(np.shape(parts["lowest"])[0]), until, per_day, slow_steps)
    for name, array in arrays(empty).items():
        if parts[name].shape != array.shape or parts[name].dtype != array.dtype:
            raise ValueError(f"no packed model: {name} is {parts[name].dtype} {parts[name].shape}")
        array[...] = parts[name]
    empty.closed = closed
    return empty


def joined(carried: list[Carried], until: int) -> Carried:
    """Several, one after the other."""
    first = carried[0]
    every = [arrays(each) for each in carried]
    parts = {
        name: np.concatenate([each[name] for each in every], axis=-1 if name == "residuals" else 0) for name in every[0]
    }
    return from_arrays(parts, until, first.closed, first.per_day, first.slow_steps)
