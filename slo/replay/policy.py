"""What an SLO's data policy and its exclusions make of the events that were measured.

Mirrors `slo.passes.traffic`, and `slo.passes.exclusions` as if all were declared beforehand: the same times are idle,
filled or taken out, in numpy.
"""

from typing import Final

import numpy as np

from controlplane.model.slo import SLO, NoTraffic
from slo.passes.traffic import is_measured_in_time
from slo.replay.history import TILE, EventHistory
from slo.replay.sliding import Flags, Floats, last

_DAY: Final = 1440
_DAY_ENTRIES: Final = _DAY // TILE
_FIVE_MINUTES: Final = 5.0
_ROLLING_MINUTES: Final = 5  # an exclusion reaches as far past its end: what counts in it is in these values


def under_policy(slo: SLO, events: EventHistory, up: Flags | None = None) -> EventHistory:
    """The rolling pair as the rules of `slo` record it. `up`: by minute, where the policy has an expression for it."""
    if up is None and slo.policy.no_traffic is NoTraffic.EXCLUDED and not slo.exclusions:
        return events
    every, bad = events.every, events.bad
    if up is not None:
        every, bad = _idle(slo, every, bad, up)
    if slo.policy.no_traffic is not NoTraffic.EXCLUDED:
        every, bad = _filled(slo, every, bad)
    if slo.exclusions:
        every, bad = _without(_excluded(slo, events), every), _without(_excluded(slo, events), bad)
    return EventHistory(events.span, every, bad, events.exact)


def _idle(slo: SLO, every: Floats, bad: Floats, up: Flags) -> tuple[Floats, Floats]:
    """No events while the service is up and its series are gone; of a group only if it had some in the last day."""
    idle = np.isnan(every) & up
    if slo.groups:
        idle &= last((np.nan_to_num(every) > 0).astype(np.float64), _DAY) > 0
    every = np.where(idle, 0.0, every)
    return every, np.where(np.isnan(bad) & (every == 0), 0.0, bad)


def _filled(slo: SLO, every: Floats, bad: Floats) -> tuple[Floats, Floats]:
    """Time without events weighs what five minutes usually do: the last day's mean, at least one event."""
    quiet = every == 0
    usual = _FIVE_MINUTES if is_measured_in_time(slo.indicator) else _usual(every, quiet)
    filled = np.where(quiet, usual, every)
    return filled, np.where(quiet, filled, bad) if slo.policy.no_traffic is NoTraffic.BAD else bad


def _usual(every: Floats, quiet: Flags) -> Floats:
    """The mean of the last day's entries before each minute, which themselves are filled: so one after the other."""
    entries = -(-len(every) // TILE)
    ledger, sums, counts = np.full(entries, np.nan), np.zeros(entries + 1), np.zeros(entries + 1)
    usual = np.ones(len(every))
    for entry in range(entries):
        oldest = max(0, entry - _DAY_ENTRIES)
        count = counts[entry] - counts[oldest]
        mean = max(1.0, (sums[entry] - sums[oldest]) / count) if count else 1.0
        minutes = slice(max(0, (entry - 1) * TILE + 1), entry * TILE + 1)
        usual[minutes] = mean
        seen = np.where(quiet[minutes], mean, every[minutes])
        known = seen[~np.isnan(seen)]
        ledger[entry] = known.mean() if len(known) else np.nan
        sums[entry + 1] = sums[entry] + np.nan_to_num(ledger[entry])
        counts[entry + 1] = counts[entry] + (len(known) > 0)
    return usual


def _excluded(slo: SLO, events: EventHistory) -> Flags:
    """Minutes whose events do not count, and those just after whose rolling values still hold some of them."""
    moments = 60.0 * (events.span.first + np.arange(events.span.minutes))
    found = np.zeros(len(moments), dtype=bool)
    for exclusion in slo.exclusions:
        for start, end in exclusion.intervals:
            until = end.timestamp() + 60 * _ROLLING_MINUTES
            found |= (moments > start.timestamp()) & (moments < until)
    return found


def _without(excluded: Flags, values: Floats) -> Floats:
    return np.where(excluded & ~np.isnan(values), 0.0, values)
