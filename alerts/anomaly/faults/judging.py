"""How well alarms fit faults.

**Events.** A fault is one event: steps labelled one after another. It is found if there is an alarm from its first step
until its last, or up to `grace` steps later. Alarmed steps outside of that are false, also what an alarm lasts beyond
its fault; with at most `merge` steps between them they are one false alarm: nobody is woken twice by the same thing.
Precision is found faults ÷ (found faults + false alarms), recall found ÷ all, event-F1 their harmonic mean. This is how
Hundman et al. count sequences (*Detecting Spacecraft Anomalies Using LSTMs and Nonparametric Dynamic Thresholding*, KDD
2018, § 4.2), but that they forgive what an alarm lasts beyond; with the tolerance in time of Scharwächter and Müller
(*Statistical Evaluation of Anomaly Detectors for Sequences*, 2020), on one side only: an alarm before the fault foresaw
nothing. There is no point adjustment: a fault counts once, however long.

**Delay** is from a fault's first step to the first alarm in it; none where it was missed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.model import Booleans, Floats

MONTH: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one or many series: faults found and missed, false alarms, and the delay in steps of each that was found."""

    found: int
    missed: int
    false: int
    delays: tuple[int, ...] = ()

    @property
    def recall(self) -> float:
        """Found faults ÷ all; NaN without any."""
        return _ratio(self.found, self.found + self.missed)

    @property
    def precision(self) -> float:
        """Found faults ÷ (found faults + false alarms); NaN without any alarm."""
        return _ratio(self.found, self.found + self.false)

    @property
    def f1(self) -> float:
        """Twice the found ÷ (twice the found + missed + false); NaN of nothing."""
        return _ratio(2 * self.found, 2 * self.found + self.missed + self.false)


def added(verdicts: Iterable[Verdict]) -> Verdict:
    """All of them as one: each fault counts the same, whatever its series."""
    found = missed = false = 0
    delays: list[int] = []
    for each in verdicts:
        found, missed, false = found + each.found, missed + each.missed, false + each.false
        delays += each.delays
    return Verdict(found, missed, false, tuple(delays))


def runs(flags: Booleans, merge: int = 0) -> list[tuple[int, int]]:
    """Where (T,) flags are set: (first, after the last) of each run; runs `merge` or fewer steps apart are one."""
    at = np.flatnonzero(flags)
    if not len(at):
        return []
    cuts = np.flatnonzero(np.diff(at) > merge + 1)
    firsts, lasts = at[np.concatenate([[0], cuts + 1])], at[np.concatenate([cuts, [len(at) - 1]])]
    return [(int(first), int(last) + 1) for first, last in zip(firsts, lasts, strict=True)]


def judged(alarms: Booleans, faulty: Booleans, *, grace: int, merge: int) -> Verdict:
    """One series, both (T,)."""
    delays: list[int] = []
    free = alarms.copy()
    faults = runs(faulty)
    for start, stop in faults:
        hits = np.flatnonzero(alarms[start : stop + grace])
        if len(hits):
            delays.append(int(hits[0]))
        free[start : stop + grace] = False
    return Verdict(len(delays), len(faults) - len(delays), len(runs(free, merge)), tuple(delays))


def best_threshold(
    scores: list[Floats], faulty: list[Booleans], *, grace: int, merge: int, thresholds: Iterable[float]
) -> tuple[float, Verdict]:
    """The threshold, one for all series (T,) of any length, above which event-F1 is best; chosen on the same data."""
    found = [
        (each, added(judged(score > each, fault, grace=grace, merge=merge)
                     for score, fault in zip(scores, faulty, strict=True)))
        for each in thresholds
    ]  # fmt: skip
    return max(found, key=lambda pair: pair[1].f1 if np.isfinite(pair[1].f1) else -1.0)


def candidates(scores: Iterable[Floats], number: int = 60) -> NDArray[np.float64]:
    """Thresholds worth trying: quantiles of all scores, closer together the higher they are."""
    known = np.concatenate([each[np.isfinite(each)] for each in scores])
    tails = np.logspace(-1, np.log10(max(1 / max(len(known), 1), 1e-6)), number)
    return np.unique(np.quantile(known, 1 - tails)) if len(known) else np.zeros(1)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
