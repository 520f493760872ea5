"""Our page and ticket conditions on a month's own counts, minute by minute: the model of `slo.replay`.

Quick enough for many months; the month that a real Prometheus evaluates tells how well the two agree.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

import numpy as np

from benchmarks.classic_shape import minutes
from benchmarks.month import DAYS, STEPS, ServiceMonth
from controlplane.burn_rate import Urgency
from controlplane.model.slo import SLO, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition
from slo.replay.conditions import alert_states
from slo.replay.history import EventHistory, Span
from slo.replay.sliding import ROLLING_MINUTES, Flags, last

NOWHERE: Final = SourcePosition("benchmark", 1, 1)


def slo_of(month: ServiceMonth) -> SLO:
    """The SLO of a service."""
    total = f'http_requests_total{{job="{month.name}"}}'
    bad = f'http_requests_total{{job="{month.name}",code=~"5.."}}'
    indicator = RatioIndicator(total=Query(total, NOWHERE), bad=Query(bad, NOWHERE), good=None)
    objective = 1 - Decimal(str(month.budget_ratio))
    return SLO(month.name, month.name, objective, RollingWindow(timedelta(days=DAYS)), indicator, NOWHERE)


def alerting(month: ServiceMonth) -> dict[Urgency, Flags]:
    """Whether a tier of each urgency is over its limits, at the end of each minute; tickets also where pages mute."""
    seen = month.observed().reshape(-1, STEPS // len(minutes(month)[0])).all(axis=1)
    there = last(seen.astype(np.float64), ROLLING_MINUTES) > 0
    every, bad = (np.where(there, last(counts, ROLLING_MINUTES), np.nan) for counts in minutes(month))
    # The first minute of the month ends at minute 1: nothing is known of minute 0.
    none = np.array([np.nan])
    span = Span(0, 0, len(every) + 1)
    history = EventHistory.from_minutes(span, np.concatenate([none, every]), np.concatenate([none, bad]))
    states = alert_states(slo_of(month), history)
    return {Urgency.PAGE: states.page[1:], Urgency.TICKET: (states.ticket | states.muted)[1:]}
