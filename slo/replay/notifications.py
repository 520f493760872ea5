"""From firing minutes to what people would have been told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.burn_rate import Tier, Urgency
from slo.replay.conditions import AlertStates, TierState
from slo.replay.history import MINUTE, TILE, EventHistory, Span
from slo.replay.sliding import Flags, Floats, ratio, runs

# What fires again within Alertmanager's default group_interval is not told again.
ONE_NOTIFICATION: Final = timedelta(minutes=5)
_OLDEST_BEGIN: Final = timedelta(days=3)  # the longest window of the standard tiers: a burn is looked for no further


@dataclass(frozen=True, slots=True)
class Notification:
    """A page or a ticket that would have been sent at `start`; it fires until `end`.

    `tier` is the first of its urgency that fired. `burn_rate` over its short window, `spent` (share of the budget that
    went in its window) and `remaining` (share that is left) are as of `start`. `after` is how long after the burn
    began it came, None when that cannot be said. `still_firing`: it fires at the end of the replay.
    """

    urgency: Urgency
    tier: Tier
    start: datetime
    end: datetime
    burn_rate: float
    spent: float
    remaining: float
    after: timedelta | None
    still_firing: bool


def notifications(states: AlertStates, history: EventHistory, budget_ratio: float) -> tuple[Notification, ...]:
    """Pages and tickets that begin in what is judged, in order of time.

    What already fires when it begins belongs to the time before and is left out.
    """
    found = [
        *_of(Urgency.PAGE, states.page, states, history, budget_ratio),
        *_of(Urgency.TICKET, states.ticket, states, history, budget_ratio),
    ]
    return tuple(sorted(found, key=lambda told: (told.start, told.urgency.value)))


def muted_tickets(states: AlertStates, span: Span) -> int:
    """How many tickets more there would be if pages did not mute them."""
    return sum(first >= span.since - span.first for first, _ in runs(states.muted, _GAP))


_GAP: Final = ONE_NOTIFICATION // MINUTE


def _of(
    urgency: Urgency, firing: Flags, states: AlertStates, history: EventHistory, budget_ratio: float
) -> list[Notification]:
    span = history.span
    tiers = [state for state in states.tiers if state.tier.urgency is urgency]
    burning = ratio(history.bad, history.every) > budget_ratio
    found = []
    for first, end in runs(firing, _GAP):
        if first < span.since - span.first:
            continue
        state = _first_of(tiers, first)
        found.append(
            Notification(
                urgency=urgency,
                tier=state.tier,
                start=span.at(first),
                end=span.at(end),
                burn_rate=float(state.burn_rate[first]),
                spent=float(state.spent[first]),
                remaining=_at(states.budget.remaining, first),
                after=_since_begin(burning, first, state.tier),
                still_firing=end == span.minutes,
            )
        )
    return found


def _first_of(tiers: Sequence[TierState], at: int) -> TierState:
    return next(state for state in tiers if state.firing[at])


def _at(entries: Floats, minute: int) -> float:
    return float(entries[minute // TILE])


def _since_begin(burning: Flags, at: int, tier: Tier) -> timedelta | None:
    """How long it has burned faster than the budget lasts; pauses up to the tier's short window are bridged."""
    pause = tier.short // MINUTE
    oldest = max(0, at - max(tier.long, _OLDEST_BEGIN) // MINUTE)
    found = runs(burning[oldest : at + 1], pause)
    if not found or found[-1][1] + oldest + pause <= at or found[-1][0] == 0:
        return None
    # A rolling value is of the 5 minutes before it: the burn began within the minute before the first that shows it.
    return (at - oldest - found[-1][0] + 1) * MINUTE
