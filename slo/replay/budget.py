"""The course of an error budget, every five minutes, as our rules compute it from the ledger."""

from dataclasses import dataclass

import numpy as np

from controlplane.burn_rate import ledger_entries
from controlplane.model.slo import SLO, RollingWindow
from slo.replay.history import TILE, EventHistory
from slo.replay.sliding import Floats, Whole, last, present


@dataclass(frozen=True, slots=True)
class BudgetCourse:
    """At every fifth minute: events of the window until then, the share of it that was measured, and its budget.

    `allowed` is the budget in events, scaled to the whole window where only a part was measured; `remaining` is 1
    untouched, 0 spent, negative overspent. NaN where nothing was measured yet.
    """

    every: Floats
    bad: Floats
    coverage: Floats
    allowed: Floats
    remaining: Floats


def budget_course(slo: SLO, history: EventHistory, starts: Whole | None = None) -> BudgetCourse:
    """The budget of `slo` over `history`. `starts`: of a calendar window, where each entry's period begins.

    Mirrors `slo.passes.events` and `slo.passes.budget`: sums of the ledger, coverage by counting its entries.
    """
    every, bad = history.ledger()
    entries = ledger_entries(slo.window.length)
    if isinstance(slo.window, RollingWindow) or starts is None:
        totals = last(every, entries), last(bad, entries)
        counts, due = present(every, entries), np.full(len(every), entries)
    else:
        totals = _since(np.nan_to_num(every), starts), _since(np.nan_to_num(bad), starts)
        counts = np.asarray(np.rint(_since((~np.isnan(every)).astype(np.float64), starts)), dtype=np.int64)
        due = np.arange(len(every)) - starts + 1
    coverage = np.where(counts > 0, counts / due, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        allowed = float(slo.budget_ratio) * totals[0] / coverage
        remaining = np.where(allowed > 0, 1 - totals[1] / allowed, np.nan)
    return BudgetCourse(totals[0], totals[1], np.asarray(coverage), np.asarray(allowed), np.asarray(remaining))


def each_minute(entries: Floats, minutes: int) -> Floats:
    """What rules that run every minute see of a series written every five: its latest value."""
    return np.repeat(entries, TILE)[:minutes]


def _since(values: Floats, starts: Whole) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(sums[1:] - sums[starts])
