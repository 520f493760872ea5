"""All that a fitted model is, so that it can be packed."""

from dataclasses import dataclass

from alerts.anomaly.detector.carried import Carried
from alerts.anomaly.detector.learnt import Tails, begins_day
from alerts.anomaly.detector.model import Codes, Floats
from alerts.anomaly.detector.outlook import Outlook
from alerts.anomaly.detector.prepared import is_mature


@dataclass(slots=True)
class Parts:
    """All that a fitted model is."""

    carried: Carried
    outlook: Outlook
    tails: Tails
    best: Codes  # (S,) the baseline with the least error
    seasonal: Codes  # (S,) of the daily and the weekly one
    start: int  # the step after the fit
    ahead: int  # how many steps from there on can be scored
    block: int
    refit: int
    step_seconds: float
    hour: int  # the block that is going on
    blocks: int = 0  # that have ended since the fit


def close(carried: Carried, index: int, refit: int, level: Floats) -> None:
    """Once for each step at which a fit is due."""
    if index % refit or carried.closed >= index:
        return
    mature = is_mature(carried.began, index, carried.per_day)
    carried.pending = carried.pending | carried.choosing.close(index, carried.per_day, refit, level, mature)
    if begins_day(index, refit, carried.per_day):
        carried.learnt.new_day()
    carried.closed = index
