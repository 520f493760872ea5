"""The course of an error budget, every five minutes, as our rules compute it from the ledger."""

from dataclasses import dataclass

import numpy as np

from controlplane.burn_rate import ledger_entries
from controlplane.model.slo import SLO
from slo.replay.history import TILE, EventHistory
from slo.replay.periods import Periods
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


def budget_course(slo: SLO, history: EventHistory, periods: Periods | None = None) -> BudgetCourse:
    """The budget of `slo` over `history`; `periods` are those of a calendar window, None for a rolling one.

    Mirrors `slo.passes.events`, `.budget` and `.calendar`: sums of the ledger, coverage by counting its entries.
    """
    every, bad = history.ledger
    ratio = float(slo.budget_ratio)
    if periods is None:
        entries = ledger_entries(slo.window.length)
        totals, spent = last(every, entries), last(bad, entries)
        counts = present(every, entries)
        coverage = np.where(counts > 0, counts / entries, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            allowed = ratio * totals / coverage
    else:
        totals, spent = _since(every, periods.first), _since(bad, periods.first)
        counts = np.rint(_since(np.where(np.isnan(every), np.nan, 1.0), periods.first)).astype(np.int64)
        coverage = np.where(counts > 0, np.minimum(counts / periods.elapsed, 1), np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            usual = last(every, periods.trailing) / present(every, periods.trailing)
            rest = np.maximum(periods.whole - coverage * periods.elapsed, 0)
            allowed = ratio * (totals + usual * rest)
    with np.errstate(invalid="ignore", divide="ignore"):
        remaining = np.where(allowed > 0, 1 - spent / allowed, np.nan)
    return BudgetCourse(totals, spent, np.asarray(coverage), np.asarray(allowed), np.asarray(remaining))


def each_minute(entries: Floats, minutes: int) -> Floats:
    """What rules that run every minute see of a series written every five: its latest value."""
    return np.repeat(entries, TILE)[:minutes]


def _since(values: Floats, starts: Whole) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(np.nan_to_num(values))])
    return np.asarray(sums[1:] - sums[starts])
