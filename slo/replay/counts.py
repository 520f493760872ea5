"""Events of the usual indicators from two queries instead of three: Prometheus counts, numpy compares.

`slo.indicator.pair_over_past` asks for all events twice where a rule reads what it has recorded; over a month that is
a third of all work. What comes out is the same pair: tests compare the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from controlplane.model.slo import SLO, LatencyIndicator, RatioIndicator
from slo.event_query import event_query
from slo.indicator import pair_over_past
from slo.pairs import ROLLING
from slo.replay.sliding import Floats


@dataclass(frozen=True, slots=True)
class Counts:
    """Two expressions over the past, and how they make the bad events: `bad(all events, what was counted)`."""

    every: str
    counted: str
    bad: Callable[[Floats, Floats], Floats]


def counts_of(slo: SLO, end: datetime) -> Counts:
    """What to ask for an SLO's events up to `end`. Equal for equal indicators and groups."""
    match slo.indicator:
        case RatioIndicator(total=total, bad=bad, good=good, gauges=gauges):
            counted = bad or good
            assert counted is not None  # exactly one of the two is set
            every = event_query(total.text, gauges).events(ROLLING, slo.groups)
            text = event_query(counted.text, gauges).events(ROLLING, slo.groups)
            return Counts(every, text, counted_bad if bad else rest_of_good)
        case LatencyIndicator(within=within, total=total):
            every = event_query(total.text).events(ROLLING, slo.groups)
            return Counts(every, event_query(within.text).events(ROLLING, slo.groups), slower)
    pair = pair_over_past(slo, end=end)
    return Counts(pair.all, pair.bad, as_asked)


def as_asked(every: Floats, bad: Floats) -> Floats:
    """The bad events themselves."""
    del every
    return bad


def counted_bad(every: Floats, bad: Floats) -> Floats:
    """None where no series counts them although there are events."""
    return np.where(np.isnan(bad), 0 * every, bad)


def rest_of_good(every: Floats, good: Floats) -> Floats:
    """All that are not good; all of them where no series counts good ones."""
    return np.maximum(every - np.nan_to_num(good), 0)


def slower(every: Floats, within: Floats) -> Floats:
    """All that are not within the bound; missing where its bucket is."""
    return np.maximum(every - within, 0)
