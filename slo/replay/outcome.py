"""What one definition of an SLO would have done with the events that there were."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from controlplane.burn_rate import Urgency
from controlplane.model.slo import SLO, Absent
from slo.replay.budget import BudgetCourse
from slo.replay.conditions import alert_states
from slo.replay.definition import Definition
from slo.replay.history import MINUTE, TILE, EventHistory, Span
from slo.replay.notifications import Notification, muted_tickets, notifications
from slo.replay.sliding import Flags, runs

_COURSE_POINTS: Final = 720  # of a chart: one an hour in 30 days


@dataclass(frozen=True, slots=True)
class BudgetPoint:
    """Budget left at a moment: 1 untouched, negative overspent, None unknown; and how much of the window was seen."""

    at: datetime
    remaining: float | None
    coverage: float


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without measurement, [start, end), longer than the SLO's policy bears; `urgency` None tells nobody."""

    start: datetime
    end: datetime
    urgency: Urgency | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """One definition judged: whom it would have told, and the course of its budget.

    `every` and `bad` are the events of the time judged, `coverage` the share of it that was measured. `muted` counts
    tickets that pages of the same SLO kept quiet. `lowest` is the least that was left, None without any measurement.
    """

    slo: SLO
    notifications: tuple[Notification, ...]
    muted: int
    every: float
    bad: float
    coverage: float
    course: tuple[BudgetPoint, ...]
    remaining: float | None
    lowest: BudgetPoint | None
    gaps: tuple[Gap, ...]

    def told(self, urgency: Urgency) -> tuple[Notification, ...]:
        """The pages, or the tickets."""
        return tuple(each for each in self.notifications if each.urgency is urgency)

    @property
    def error_ratio(self) -> float | None:
        """The share of events that were bad, None without events."""
        return self.bad / self.every if self.every > 0 else None


def outcome_of(definition: Definition, measured: EventHistory) -> Outcome:
    """Judge one definition by what was measured."""
    slo, events = definition.slo, definition.seen(measured)
    states = alert_states(slo, events, definition.periods)
    points = _points(states.budget, events.span)
    known = [point for point in points if point.remaining is not None]
    every, bad = totals(events)
    return Outcome(
        slo=slo,
        notifications=notifications(states, events, float(slo.budget_ratio)),
        muted=muted_tickets(states, events.span),
        every=every,
        bad=bad,
        coverage=events.coverage,
        course=_thinned(points),
        remaining=points[-1].remaining if points else None,
        lowest=min(known, key=lambda point: point.remaining or 0.0, default=None),
        gaps=_gaps(slo, events),
    )


def totals(events: EventHistory) -> tuple[float, float]:
    """All and bad events of the time judged."""
    first = -(-(events.span.since - events.span.first) // TILE)
    every, bad = events.ledger
    return float(np.nansum(every[first + 1 :])), float(np.nansum(bad[first + 1 :]))


def _points(course: BudgetCourse, span: Span) -> list[BudgetPoint]:
    first = -(-(span.since - span.first) // TILE)
    return [
        BudgetPoint(
            span.at(index * TILE),
            None if np.isnan(course.remaining[index]) else float(course.remaining[index]),
            0.0 if np.isnan(course.coverage[index]) else float(course.coverage[index]),
        )
        for index in range(first, len(course.remaining))
    ]


def _thinned(points: list[BudgetPoint]) -> tuple[BudgetPoint, ...]:
    """Evenly taken, with the last; of the points that stand for others the lowest, so that no dip is lost."""
    stride = -(-len(points) // _COURSE_POINTS) or 1
    chosen = []
    for first in range(0, len(points), stride):
        part = points[first : first + stride]
        chosen.append(min(part, key=lambda point: np.inf if point.remaining is None else point.remaining))
    if points and chosen[-1] is not points[-1]:
        chosen.append(points[-1])
    return tuple(chosen)


def _gaps(slo: SLO, events: EventHistory) -> tuple[Gap, ...]:
    missing: Flags = np.isnan(events.every) | np.isnan(events.bad)
    told = {Absent.IGNORE: None, Absent.TICKET: Urgency.TICKET, Absent.PAGE: Urgency.PAGE}[slo.policy.absent]
    span = events.span
    offset = span.since - span.first
    longest: timedelta = slo.policy.absent_after
    return tuple(
        Gap(span.at(offset + first), span.at(offset + end), told)
        for first, end in runs(missing[span.judged])
        if (end - first) * MINUTE > longest
    )
