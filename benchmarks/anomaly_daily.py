"""Daily costs: faults found, false alarms, and what others find on the same bills; what scoring them costs."""

import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import numpy as np

from alerts.anomaly.daily.scoring import newest, score_days
from alerts.anomaly.daily.shape import rows_of
from alerts.anomaly.faults.daily_costs import COST_FAMILIES, CostFault, Costs, draw_costs, knows
from alerts.anomaly.faults.daily_measuring import BEGIN, MERGE, CostMeasured, measure_daily, ours
from alerts.anomaly.faults.daily_views import costs_text
from alerts.anomaly.faults.judging import Verdict, added, judged, runs
from alerts.anomaly.faults.shapes import Series
from benchmarks.report import Figure, progress, show

SERIES: Final = 40  # of each fault; as `flyball anomaly faults` does by itself
SEED: Final = 1
_PEER_DAYS: Final = 120
_PEER_SERIES: Final = 2  # of each kind of bill and fault: the peer is slow
_REFIT: Final = 14  # days between fits of the peer
_LEAST: Final = 28  # days that it is fitted on
_WIDTH: Final = 4.5  # of its standard errors


def run() -> None:
    """Measure, print, keep; the tables stand in docs/reference/anomaly-faults.md."""
    progress(f"{SERIES} bills of each fault")
    measured = measure_daily(SERIES, SEED)
    print(f"\n{costs_text(measured)}")
    progress("statsmodels' UnobservedComponents on some of them")
    show("anomaly daily: costs", [*_figures(measured), *_peer(), *_cost()])


def _figures(measured: CostMeasured) -> Iterator[Figure]:
    for fault, found in measured.faults.items():
        detail = f"median {found.median:.0f} d, z-score of weekdays {found.peer:.2f}"
        yield Figure(f"{fault.value}: found", found.share, "share", detail=detail)
    detail = f"z-score of weekdays {measured.all.peer:.2f}"
    yield Figure("false alarms a series and month", measured.all.ours, "", 0.2, detail=detail)


def _peer() -> Iterator[Figure]:
    """A local level with weekdays and month edges as regressors in log space, its prediction interval as the band."""
    random = np.random.default_rng(SEED)
    found: dict[str, list[Verdict]] = {"ours": [], "UnobservedComponents": []}
    false = dict.fromkeys(found, 0)
    for family in COST_FAMILIES:
        for fault in (None, *CostFault):
            if fault is not None and not knows(family, fault):
                continue
            costs = draw_costs(random, family, fault, _PEER_SERIES, _PEER_DAYS)
            for name, scores in (("ours", ours(costs)), ("UnobservedComponents", _unobserved(costs))):
                if fault is None:
                    false[name] += sum(len(runs(row[_LEAST:] > 1, MERGE)) for row in scores)
                    continue
                pairs = zip(scores, costs.faulty, strict=True)
                found[name] += [judged(row[BEGIN:] > 1, faulty[BEGIN:], grace=0, merge=MERGE) for row, faulty in pairs]
    months = len(COST_FAMILIES) * _PEER_SERIES * (_PEER_DAYS - _LEAST) / 30
    for name, verdicts in found.items():
        detail = f"{false[name] / months:.2f} false alarms a month, over {len(verdicts)} bills of {_PEER_DAYS} days"
        yield Figure(f"{name}: faults found", added(verdicts).recall, "share", detail=detail)


def _unobserved(costs: Costs) -> Series:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    rows = np.delete(rows_of(costs.first_day, _PEER_DAYS), [0, 7], axis=1)  # one weekday and the weekend are the rest
    scores = np.full(costs.values.shape, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row, amounts in enumerate(costs.values):
            usual = np.nanmedian(np.abs(amounts[amounts != 0])) if (amounts > 0).any() else 1.0
            seen = np.arcsinh(amounts / (0.1 * usual))
            for start in range(_LEAST, _PEER_DAYS, _REFIT):
                fitted = UnobservedComponents(seen[:start], "llevel", exog=rows[:start]).fit(disp=False, maxiter=50)
                stop = min(start + _REFIT, _PEER_DAYS)
                later = fitted.append(seen[start:stop], exog=rows[start:stop]).get_prediction(start, stop - 1)
                error = np.abs(seen[start:stop] - later.predicted_mean)
                scores[row, start:stop] = error / np.maximum(_WIDTH * later.se_mean, 0.02)
    return scores


def _cost() -> Iterator[Figure]:
    costs = draw_costs(np.random.default_rng(SEED), COST_FAMILIES[0], None, 50)
    newest(costs.values[:1], costs.first_day)  # loads statsmodels
    for name, call in (
        ("newest day of 50 bills of 400 days, each", lambda: newest(costs.values, costs.first_day)),
        ("the whole past of 50 bills of 400 days, each", lambda: score_days(costs.values, costs.first_day)),
    ):
        begin = time.process_time()
        call()
        spent = timedelta(seconds=time.process_time() - begin)
        yield Figure(name, spent / timedelta(milliseconds=1) / len(costs.values), "ms CPU")
