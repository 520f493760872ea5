"""Which objective the past would have borne: the finest round one that was kept, quietly, and can be measured."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

import numpy as np

from controlplane.burn_rate import Urgency
from controlplane.model.slo import SLO
from slo.replay.conditions import alert_states
from slo.replay.definition import Definition
from slo.replay.history import TILE, EventHistory
from slo.replay.notifications import notifications
from slo.replay.periods import Periods
from slo.replay.sliding import Floats

_TENS: Final = ("0.5", "0.8", "0.9", "0.95", "0.98")
_NINES: Final = ("0.99", "0.995", "0.998", "0.999", "0.9995", "0.9998", "0.9999", "0.99995", "0.99999", "0.999999")
ROUND: Final = tuple(Decimal(text) for text in (*_TENS, *_NINES))
KEPT_WITH: Final = 0.25  # of the budget must have been left at the worst; below it a budget is shown as short (LOOK.md)
OFTEN_ENOUGH: Final = 0.9  # of the windows put together from the past must have kept the objective
# The fewest bad events that anybody is told of must be no more than a ticket's share of the budget: with less traffic
# single errors decide (RULES.md, "the budget in events").
LARGEST_STEP: Final = Decimal("0.1")
_LEAST_HISTORY: Final = 0.1  # of a window: less says nothing about one
_MOST_COVERAGE_MISSING: Final = 0.5  # budgets over less than half a window say little
_DAY: Final = timedelta(days=1)
_FEWEST_PIECES: Final = 4  # of a window, and of the past: where they are shorter than four days, so are the pieces
_WINDOWS: Final = 2_000  # put together: tells 90 % from 92 %
_SEED: Final = 20


class Certainty(Enum):
    """How much history stands behind a suggestion."""

    GOOD = "good"  # three windows or more
    FAIR = "fair"  # one window or more
    WEAK = "weak"


class Obstacle(Enum):
    """What keeps an objective from being suggested."""

    SPENT = "it would not have been kept with a margin"
    CHANCE = "too many windows like the past would break it"
    PAGES = "it would page too often"
    TRAFFIC = "the traffic is too low to measure it"


@dataclass(frozen=True, slots=True)
class Trial:
    """One round objective over the past. `worst` is the least budget that was left (None: nothing to go by).

    `kept` is the share of windows, put together from pieces of the past at random, that keep it; `pages` are those of
    30 days; `budget_events` the bad events that its window allows.
    """

    objective: Decimal
    worst: float | None
    kept: float
    pages: float
    budget_events: float
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The finest objective without an obstacle, None when even the loosest has one; and the trials around it.

    `windows` is how many windows of history were measured.
    """

    objective: Decimal | None
    certainty: Certainty
    windows: float
    trials: tuple[Trial, ...]

    def trial(self, objective: Decimal | None) -> Trial | None:
        """The trial of an objective."""
        return next((trial for trial in self.trials if trial.objective == objective), None)


def suggested(definition: Definition, measured: EventHistory, *, most_pages: float = 2) -> Suggestion | None:
    """Try round objectives from loose to fine, and stop behind the first that has an obstacle.

    `most_pages` are those of 30 days. None when less than a tenth of a window was measured. The same history gives the
    same answer.
    """
    slo, events = definition.slo, definition.seen(measured)
    every, bad = (part[events.span.judged.start // TILE :] for part in events.ledger)
    known = int((~(np.isnan(every) | np.isnan(bad))).sum())
    total = float(np.nansum(every))
    period = slo.window.length // (TILE * timedelta(minutes=1))
    if known < _LEAST_HISTORY * period or total <= 0:
        return None
    per_window = total / known * period
    windows = _windows(every, bad, period)
    trials: list[Trial] = []
    for objective in ROUND:
        trial = _trial(replace(slo, objective=objective), events, definition.periods, (windows, per_window, most_pages))
        trials.append(trial)
        if trial.obstacles:
            break
    best = next((trial.objective for trial in reversed(trials) if not trial.obstacles), None)
    return Suggestion(best, _certainty(known / period), known / period, tuple(trials))


_Facts = tuple[tuple[Floats, Floats], float, float]


def _trial(slo: SLO, events: EventHistory, periods: Periods | None, facts: _Facts) -> Trial:
    (every, bad), per_window, most_pages = facts
    states = alert_states(slo, events, periods)
    sent = notifications(states, events, float(slo.budget_ratio))
    days = events.span.length / _DAY
    pages = sum(told.urgency is Urgency.PAGE for told in sent) * 30 / days
    judged = slice(events.span.judged.start // TILE, None)
    left = states.budget.remaining[judged][states.budget.coverage[judged] >= _MOST_COVERAGE_MISSING]
    worst = float(np.nanmin(left)) if np.isfinite(left).any() else None
    kept = float((bad <= float(slo.budget_ratio) * every).mean())
    budget = per_window * float(slo.budget_ratio)
    found = {
        Obstacle.SPENT: worst is not None and worst < KEPT_WITH,
        Obstacle.CHANCE: kept < OFTEN_ENOUGH,
        Obstacle.PAGES: pages > most_pages,
        Obstacle.TRAFFIC: budget * float(LARGEST_STEP) < float(slo.alerting.fewest_bad_events),
    }
    obstacles = tuple(obstacle for obstacle, there in found.items() if there)
    return Trial(slo.objective, worst, kept, pages, budget, obstacles)


def _windows(every: Floats, bad: Floats, period: int) -> tuple[Floats, Floats]:
    """All and bad events of windows put together from pieces of the past, drawn with replacement.

    Pieces are days (shorter for short windows), so that what belongs together within a day stays together. This is a
    block bootstrap: Künsch (1989), The Annals of Statistics 17(3).
    """
    size = max(1, min(_DAY // timedelta(minutes=TILE), period // _FEWEST_PIECES, len(every) // _FEWEST_PIECES))
    count = len(every) // size
    pieces = [np.nan_to_num(part[-count * size :]).reshape(count, size).sum(axis=1) for part in (every, bad)]
    known = (~np.isnan(every[-count * size :])).reshape(count, size).any(axis=1)
    drawn = np.random.default_rng(_SEED).integers(int(known.sum()), size=(_WINDOWS, max(1, period // size)))
    summed = [piece[known][drawn].sum(axis=1) for piece in pieces]
    return summed[0], summed[1]


def _certainty(windows: float) -> Certainty:
    if windows >= 2.9:
        return Certainty.GOOD
    return Certainty.FAIR if windows >= 0.9 else Certainty.WEAK
