"""Where single minutes matter: the only times that are asked for minute by minute.

Events of five minutes cannot hide a page: whatever a window of minutes counts lies in the five-minute steps that
cover it. Where even those, with a wide margin, stay under a page's limits, no minute of them can page. Tickets are
judged every five minutes over hours, to which single minutes add nothing.
"""

from datetime import timedelta
from typing import Final

import numpy as np

from controlplane.burn_rate import Tier, Urgency, threshold, tiers_within
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from slo.replay.budget import BudgetCourse, budget_course
from slo.replay.conditions import MARGIN_EVENTS
from slo.replay.definition import Definition
from slo.replay.history import MINUTE, TILE, EventHistory
from slo.replay.sliding import Flags, Floats, last, runs

# Rates lose what falls between two steps: half of a burst at the worst, when it is as short as a scrape is apart.
_MARGIN: Final = 0.5
_BEFORE: Final = 10  # minutes asked for before a candidate: what its first rolling values look back at
_JOINED: Final = 60  # minutes between two candidates that are cheaper to ask for than to leave out


def candidate_minutes(definition: Definition, measured: EventHistory) -> list[tuple[int, int]]:
    """Half-open ranges of indices in which a page may have fired, from five-minute steps alone; in order, apart."""
    slo, history = definition.slo, definition.seen(measured)
    course = budget_course(slo, history, definition.periods)
    every, bad = history.every[::TILE], history.bad[::TILE]
    found = np.zeros(len(every), dtype=bool)
    for tier in tiers_within(slo.window.length, slo.alerting.tiers):
        if tier.urgency is Urgency.PAGE:
            found |= _may_fire(slo, tier, course, every, bad)
    minutes = history.span.minutes
    ranges = [
        (max(0, (first - 1) * TILE + 1 - _BEFORE), min(minutes, (end - 1) * TILE + 1))
        for first, end in runs(found, _JOINED // TILE)
    ]
    return [(first, end) for first, end in ranges if end > first]


def _may_fire(slo: SLO, tier: Tier, course: BudgetCourse, every: Floats, bad: Floats) -> Flags:
    limit = float(threshold(tier, slo.window.length) * slo.budget_ratio) * _MARGIN
    may = _at_most(bad, every, tier.short) > limit
    if slo.alerting.method is AlertMethod.BURN_RATE:
        return np.asarray(may & (_at_most(bad, every, tier.long) > limit))
    enough = np.zeros(len(bad), dtype=bool)
    fewest = max(float(slo.alerting.fewest_bad_events) - MARGIN_EVENTS, 0)
    with np.errstate(invalid="ignore"):
        allowed = np.fmin(course.allowed, np.concatenate([[np.nan], course.allowed[:-1]]))  # the minute's or the last
        for window in tier.spent_within:
            bound = _MARGIN * np.maximum(float(tier.budget_share) * allowed, fewest)
            enough |= last(bad, _covering(window)) > bound
    return np.asarray(may & enough)


def _at_most(bad: Floats, every: Floats, window: timedelta) -> Floats:
    """The highest error ratio that the window may have at a minute of each step."""
    inner = max(0, window // (TILE * MINUTE) - 1)
    if inner:
        least = np.concatenate([[0.0], last(every, inner)[:-1]])
    else:  # a single step: about the emptier of the two that cover it
        least = np.nan_to_num(np.fmin(every, np.concatenate([[np.inf], every[:-1]])))
    most = last(bad, _covering(window))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(most > 0, most / least, 0.0))


def _covering(window: timedelta) -> int:
    """Steps that cover a window of rolling values at any minute of the last step."""
    return -(-(window // MINUTE + 2 * (TILE - 1)) // TILE)
