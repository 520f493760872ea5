"""The last runs of one check in one region, and the state that they come to. Pure.

Flapping is detected as Nagios Core does it (its manual, "Detection and Handling of State Flapping"): of the last 21
results each of 20 possible changes counts, the newest 1.2 and the oldest 0.8 times; flapping begins at a high share of
changes and ends below a low one. Besides, it ends when a few results in a row say the same: an outage must not hide
behind the flapping before it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.model.check import CheckResult, Outcome, RegionState

KEPT: Final = 21
ENTER: Final = 0.30  # three lone failures among the last 21
LEAVE: Final = 0.20
STEADY: Final = 6  # results in a row
_OLDEST, _NEWEST = 0.8, 1.2
_CHANGES: Final = KEPT - 1
SETTLED: Final = (RegionState.UP, RegionState.DOWN, RegionState.FLAPPING)


@dataclass(frozen=True, slots=True)
class Run:
    """What of a result counts for its state."""

    started_at: datetime
    outcome: Outcome
    detail: str = ""
    trace_id: str = ""


def run_of(result: CheckResult) -> Run:
    """The run of a result."""
    detail = ": ".join(part for part in (result.reason, result.detail) if part)
    return Run(result.started_at, result.outcome, detail, result.trace_id)


def settled(runs: Sequence[Run], before: RegionState | None, judged_until: datetime | None) -> RegionState:
    """The state after all runs, oldest first, when the state after those up to `judged_until` was `before`.

    A state that was reached from the runs themselves moves by newer ones only: those that come late are history. From
    any other state (`before` None, silent, …) all runs that are known decide. Faults say nothing.
    """
    if before in SETTLED and runs and judged_until is not None and runs[-1].started_at <= judged_until:
        return before  # nearly always
    telling = [run for run in runs if run.outcome is not Outcome.FAULT]
    state, first = RegionState.PENDING, 0
    if before in SETTLED and judged_until is not None:
        state, first = before, bisect_right(telling, judged_until, key=lambda run: run.started_at)
    for end in range(first, len(telling)):
        state = _step(state, telling[: end + 1])
    return state


def changes(runs: Sequence[Run]) -> float:
    """The weighted share of changes among the last 21 runs: 0 … 1."""
    last = runs[-KEPT:]
    found = 0.0
    for age, (later, earlier) in enumerate(zip(reversed(last), reversed(last[:-1]), strict=False)):
        if later.outcome is not earlier.outcome:
            found += _NEWEST - (_NEWEST - _OLDEST) * age / (_CHANGES - 1)
    return found / _CHANGES


def _step(state: RegionState, runs: Sequence[Run]) -> RegionState:
    is_ok = runs[-1].outcome is Outcome.OK
    has_changed = len(runs) > 1 and runs[-2].outcome is not runs[-1].outcome
    if state is RegionState.FLAPPING:
        is_over = _is_steady(runs) or changes(runs) < LEAVE
        return _plain(is_ok, has_changed, RegionState.UP) if is_over else state
    if has_changed and changes(runs) >= ENTER:
        return RegionState.FLAPPING
    return _plain(is_ok, has_changed or len(runs) == 1, state)


def _plain(is_ok: bool, is_first: bool, unconfirmed: RegionState) -> RegionState:
    """Up at once, down when it failed twice in a row; the first failure leaves it where it was."""
    if is_ok:
        return RegionState.UP
    return unconfirmed if is_first else RegionState.DOWN


def _is_steady(runs: Sequence[Run]) -> bool:
    last = runs[-STEADY:]
    return len(last) == STEADY and all(run.outcome is last[0].outcome for run in last)
