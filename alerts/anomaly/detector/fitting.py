"""Models are fitted: from the whole of a panel, or from what was carried and what came since."""

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.carried import Carried
from alerts.anomaly.detector.carried import joined as joined_carried
from alerts.anomaly.detector.fitted import FittedModel
from alerts.anomaly.detector.learnt import Learnt, begins_day
from alerts.anomaly.detector.model import NEVER, Grid, Panel, Terms
from alerts.anomaly.detector.outlook import Outlook, outlook, recent_range, steps_ahead
from alerts.anomaly.detector.outlook import joined as joined_outlook
from alerts.anomaly.detector.parts import Parts, close
from alerts.anomaly.detector.prepared import Basis, Prepared, Timing, first_samples, prepare
from alerts.anomaly.model import Values

SERIES_AT_ONCE = 100


def fit(panel: Panel, terms: Terms, carried: Carried | None = None) -> FittedModel:
    """Fit on a panel's past; `panel.phases` reaches further than its values by the steps that are to be scored.

    With what an earlier model `carried`, in the panel's order (`Carried.rearranged`), only what came since is learnt;
    without, or where a series is new to it, all of the panel. A past that was corrected, or is now marked as not to be
    learnt from, is learnt anew by a fit without. Raises `ValueError` where `carried` has another number of series.
    """
    timing = Timing.of(panel)
    series = panel.values.shape[0]
    if carried is not None and carried.series != series:
        raise ValueError(f"what was carried is of {carried.series} series, the panel has {series}")
    ahead = steps_ahead(panel)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        parts = []
        for start in range(0, max(series, 1), SERIES_AT_ONCE):
            rows = slice(start, start + SERIES_AT_ONCE)
            old = carried.some(np.arange(series)[rows]) if carried is not None else None
            parts.append(_fit_rows(_rows_of(panel, rows), terms, old, ahead))
        carried = joined_carried([part[0] for part in parts], timing.first + timing.count)
        tails = carried.learnt.fitted()
        best, seasonal = carried.choosing.chosen(timing.per_day)
        end = timing.first + timing.count
        return FittedModel(
            Parts(
                carried,
                joined_outlook([part[1] for part in parts]),
                tails,
                best,
                seasonal,
                end,
                ahead,
                timing.block,
                timing.refit,
                panel.grid.step.total_seconds(),
                end // timing.block,
            ),
            terms,
        )


def _rows_of(panel: Panel, rows: slice) -> Panel:
    fitted = panel.fitted if panel.fitted is None or panel.fitted.shape[0] == 1 else panel.fitted[rows]
    return Panel(panel.values[rows], panel.grid, panel.phases, fitted)


def _fit_rows(panel: Panel, terms: Terms, carried: Carried | None, ahead: int) -> tuple[Carried, Outlook]:
    timing = Timing.of(panel)
    basis = Basis.of(panel, terms)
    samples = basis.samples
    end = timing.first + timing.count
    if carried is None or not end - timing.per_day <= carried.until <= end:
        carried = _rebuilt(panel, terms, carried, basis)
    else:
        began = first_samples(samples.values, timing.first)
        new = np.flatnonzero((carried.began == NEVER) & (began != NEVER) & (began < carried.until))
        if carried.until < end:
            carried = _caught_up(panel, terms, carried)
        if new.size:
            chosen = Panel(
                panel.values[new],
                panel.grid,
                panel.phases,
                panel.fitted if panel.fitted is None or panel.fitted.shape[0] == 1 else panel.fitted[new],
            )
            carried.put(new, _rebuilt(chosen, terms, None))
    found = outlook(panel, terms, basis, carried, ahead)
    close(carried, end, timing.refit, found.level)
    found.recent_lowest, found.recent_highest = recent_range(basis, timing, carried)
    return carried, found


def _caught_up(panel: Panel, terms: Terms, carried: Carried) -> Carried:
    """Learn the panel's last steps, which were not scored."""
    missing = panel.grid.first + panel.values.shape[1] - carried.until
    early = panel.values.shape[1] - missing
    grid = Grid(panel.grid.first, panel.grid.step, early)
    fitted = panel.fitted if panel.fitted is None else panel.fitted[:, :early]
    model = fit(Panel(panel.values[:, :early], grid, panel.phases, fitted), terms, carried)
    for column in range(early, panel.values.shape[1]):
        mask = None if panel.fitted is None else np.broadcast_to(panel.fitted, panel.values.shape)[:, column]
        if model.next_index >= model.good_until:
            return _rebuilt(panel, terms, carried)
        model.score(panel.values[:, column], panel.grid.first + column, mask)
    return model.carried()


def _rebuilt(panel: Panel, terms: Terms, carried: Carried | None, basis: Basis | None = None) -> Carried:
    """All of the panel learnt anew; of what was carried, only the all-time range and the beginning are kept."""
    timing = Timing.of(panel)
    basis = basis or Basis.of(panel, terms)
    past = prepare(panel, terms, basis)
    end = timing.first + timing.count
    new = Carried.empty(past.level.shape[0], end, timing.per_day, timing.slow)
    new.closed = end - 1 if end % timing.refit == 0 else end
    new.choosing = past.choosing
    new.began = past.began
    new.learnt = _learnt(past, timing)
    whole = basis.extremes
    new.lowest = np.fmin.reduce(whole.lowest, axis=1, initial=np.nan).astype(np.float32)
    new.highest = np.fmax.reduce(whole.highest, axis=1, initial=np.nan).astype(np.float32)
    _recent_residuals(new, past, timing)
    if terms.values is Values.COUNTER:
        _last_samples(new, panel, timing)
    if carried is not None:
        new.lowest = np.fmin(new.lowest, carried.lowest)
        new.highest = np.fmax(new.highest, carried.highest)
        earlier = (carried.began != NEVER) & ((carried.began < new.began) | (new.began == NEVER))
        new.began = np.where(earlier, carried.began, new.began)
        new.choosing.anchor = np.maximum(new.choosing.anchor, carried.anchor)
    return new


def _learnt(past: Prepared, timing: Timing) -> Learnt:
    state = Learnt.empty(past.level.shape[0], timing.per_day)
    counted = np.isfinite(past.samples.learnt)
    slow = np.abs(past.mean)
    steps = [timing.segment(number).start for number in range(timing.segments)]
    days = [step for step in steps[1:] if begins_day(timing.first + step, timing.refit, timing.per_day)]
    state.add_days(past.residual, slow, past.stage, counted, [0, *days, timing.count])
    return state


def _recent_residuals(new: Carried, past: Prepared, timing: Timing) -> None:
    reach = min(timing.slow, timing.count)
    at = (timing.first + np.arange(timing.count - reach, timing.count)) % timing.slow
    new.residuals[at] = past.best_residual[:, timing.count - reach :].T


def _last_samples(new: Carried, panel: Panel, timing: Timing) -> None:
    there = np.isfinite(panel.values)
    last = timing.count - 1 - np.argmax(there[:, ::-1], axis=1)
    some = there.any(axis=1)
    rows: NDArray[np.int64] = np.arange(panel.values.shape[0])
    new.counter = np.where(some, panel.values[rows, last].astype(np.float64), np.nan)
    new.counter_at = np.where(some, timing.first + last, NEVER).astype(np.int64)
