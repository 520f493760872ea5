"""An SLO's events from two queries instead of three: Prometheus counts, numpy compares.

The expression of bad events reads that of all events where a rule would read what was recorded; over a month that is a
third of all work. Where it does so in one of three known ways, only its own part is asked for; else all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from controlplane.model.slo import SLO, CompositeIndicator, RatioIndicator
from slo.indicators.indicator import pair_over_past
from slo.indicators.newborn import Births, counts_births
from slo.indicators.pairs import births_of
from slo.promql.event_query import aggregated
from slo.replay.sliding import Floats

_A_DAY: Final = 1440  # minutes; each request of a composite looks up what was usual in its whole window


@dataclass(frozen=True, slots=True)
class Counts:
    """Two expressions over the past, and how they make the bad events: `bad(all events, what was counted)`.

    `births`: how to ask for `counted` where nothing was born, None where there is only one way. Stretches of time with
    up to `joined_minutes` between them cost less in one request than in two.
    """

    every: str
    counted: str
    bad: Callable[[Floats, Floats], Floats]
    births: Births | None = None
    joined_minutes: int = 0


def counts_of(slo: SLO, end: datetime) -> Counts:
    """What to ask for an SLO's events up to `end`. Equal for equal indicators and groups."""
    pair = pair_over_past(slo, end=end)
    every = f"({pair.all})"
    whole = f"{aggregated('sum', slo.groups)} ({every})"
    shapes = (
        ("", f"\nor\n0 * {whole}", counted_bad),
        (f"clamp_min(\n  {whole}\n  - (", f" or 0 * {whole}),\n  0\n)", rest_of_good),
        (f"clamp_min(\n  {every}\n  - ignoring (slo, event) ", ",\n  0\n)", slower),
    )
    joined = _A_DAY if isinstance(slo.indicator, CompositeIndicator) else 0
    for before, after, bad in shapes:
        if pair.bad.startswith(before) and pair.bad.endswith(after):
            counted = pair.bad[len(before) : len(pair.bad) - len(after)]
            return Counts(pair.all, counted, bad, _births(slo, counted), joined)
    return Counts(pair.all, pair.bad, as_asked, joined_minutes=joined)


def _births(slo: SLO, counted: str) -> Births | None:
    if not isinstance(slo.indicator, RatioIndicator) or not counts_births(slo):
        return None
    births = births_of(slo.indicator, slo.groups)
    return births if births and births.whole == counted else None


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
