"""How a budget may burn over time, and what its alerts must then do: the specification that rules are held against.

Everything is in minutes and in burn rates (1 spends the budget in one period), so one set of courses serves every SLO
with the same tiers. Traffic is even. A moment is only judged where the answer stands clear of the rules' grain: it must
be the same for a few minutes around it and for thresholds a little higher and lower.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from controlplane.burn_rate import duration, threshold
from controlplane.model.alerting import Alerting, AlertMethod, Tier, Urgency

HEALTHY_MINUTES: Final = 60  # before anything goes wrong: enough for a budget in events
_ABOVE: Final = 1.05
_BELOW: Final = 0.95
_SLACK: Final = 0.03  # how far a threshold may be off before a judgement becomes unclear
# Rolling values take 5 minutes to follow, rules read each other's last values, and rates see the past only.
_EVALUATIONS_BEFORE: Final = 8
_EVALUATIONS_AFTER: Final = 3
_LONG_COURSE: Final = timedelta(hours=14)


@dataclass(frozen=True, slots=True)
class Expectation:
    """Whether the alert of an urgency fires `at` that minute."""

    at: int
    urgency: Urgency
    fires: bool


@dataclass(frozen=True, slots=True)
class Course:
    """Burn rates one after another, as (minutes, rate), and what they lead to. `interval` is how often rules run."""

    title: str
    rates: tuple[tuple[int, float], ...]
    interval: timedelta
    expected: tuple[Expectation, ...]

    @property
    def minutes(self) -> int:
        """Its length."""
        return sum(length for length, _ in self.rates)


@lru_cache(maxsize=1024)
def courses(alerting: Alerting, period: timedelta, fastest: float) -> tuple[Course, ...]:
    """Every course that the tiers ask for. `fastest` is the burn rate with all events bad."""
    tiers = tuple(tier for tier in alerting.tiers if tier.long <= period)
    found = []
    for tier in tiers:
        rate = float(threshold(tier, period))
        if rate * _ABOVE <= fastest:
            bound = min(fastest, _below_pages(tier, tiers, period))
            found += [_judged(draft, tiers, alerting.method, period) for draft in _drafts(tier, rate, bound, period)]
    return tuple(course for course in found if course is not None)


def fastest_of_interest(alerting: Alerting, period: timedelta) -> float:
    """No course burns faster, so all that can burn this fast share their courses."""
    return max((3 * float(threshold(tier, period)) for tier in alerting.tiers), default=1.0)


def _below_pages(tier: Tier, tiers: tuple[Tier, ...], period: timedelta) -> float:
    """A page mutes tickets for a day, so tickets are told of slower bursts."""
    pages = [float(threshold(each, period)) for each in tiers if each.urgency is Urgency.PAGE]
    return 0.9 * min(pages) if tier.urgency is Urgency.TICKET and pages else float("inf")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A course, and the urgency it is about."""

    title: str
    rates: tuple[tuple[int, float], ...]
    urgency: Urgency


def _drafts(tier: Tier, rate: float, fastest: float, period: timedelta) -> Iterator[_Draft]:
    """A steady burn a little above and below the threshold; a burst, then a little above, then a little below."""
    name = f"{tier.urgency.value} at {rate:.4g} times over {duration(tier.long)}"
    long, short = _minutes(tier.long), _minutes(tier.short)
    healthy = (HEALTHY_MINUTES, 0.0)
    held = _minutes(tier.hold)
    grown = long + long // 10 + 15 + held
    yield _Draft(f"{name}: 1.05 times the threshold fires", (healthy, (grown, rate * _ABOVE)), tier.urgency)
    yield _Draft(f"{name}: 0.95 times is silent", (healthy, (long + long // 4, rate * _BELOW)), tier.urgency)
    burst_rate = min(3 * rate, fastest)
    if burst_rate < rate * _ABOVE:
        return
    burst = int(1.15 * float(tier.budget_share) * _minutes(period) / burst_rate) + 1 + held
    after = max(2 * short, short + 15)
    rest = ((after, rate * _ABOVE), (after, rate * _BELOW), (after, 0.0))
    title = f"{name}: a burst, then 1.05 times goes on firing, 0.95 times is over"
    yield _Draft(title, (healthy, (burst, burst_rate), *rest), tier.urgency)


def _judged(draft: _Draft, tiers: tuple[Tier, ...], method: AlertMethod, period: timedelta) -> Course | None:
    """The course with what is clear about it; None where nothing is."""
    length = sum(minutes for minutes, _ in draft.rates)
    interval = timedelta(minutes=5 if timedelta(minutes=length) > _LONG_COURSE else 1)
    mine = [tier for tier in tiers if tier.urgency is draft.urgency]
    if not all(_is_countable(tier, interval, method) for tier in mine):
        return None
    if draft.urgency is Urgency.TICKET and any(_may_fire(tier, draft, period) for tier in tiers if tier not in mine):
        return None  # a page mutes tickets for a day
    firing = _Firing(draft.rates, mine, method, period)
    clear = dict(firing.clear_moments(interval // timedelta(minutes=1)))
    expected = tuple(Expectation(at, draft.urgency, clear[at]) for at in _worth_telling(clear))
    return Course(draft.title, draft.rates, interval, expected) if expected else None


def _is_countable(tier: Tier, interval: timedelta, method: AlertMethod) -> bool:
    """promtool runs every group at one interval: counts from the rolling pair want a minute, from the ledger five."""
    if method is AlertMethod.BURN_RATE:
        return True
    in_ledger = [window >= timedelta(days=1) for window in tier.spent_within]
    return all(in_ledger) if interval > timedelta(minutes=1) else not any(in_ledger)


def _may_fire(tier: Tier, draft: _Draft, period: timedelta) -> bool:
    return max(rate for _, rate in draft.rates) * (1 + _SLACK) > float(threshold(tier, period))


def _worth_telling(clear: dict[int, bool]) -> list[int]:
    """The moments before and after each change, and the end."""
    moments = sorted(clear)
    changes = [pair for pair in pairwise(moments) if clear[pair[0]] != clear[pair[1]]]
    return sorted({*moments[-1:], *(at for pair in changes for at in pair)})


class _Firing:
    """Whether tiers fire in each minute of a course, for ideal rules."""

    def __init__(
        self, rates: Iterable[tuple[int, float]], tiers: Iterable[Tier], method: AlertMethod, period: timedelta
    ) -> None:
        each = [rate for minutes, rate in rates for _ in range(minutes)]
        self._spent = [0.0, *accumulate(each)]
        self._tiers = tuple(tiers)
        self._method = method
        self._period = period

    def clear_moments(self, step: int) -> Iterator[tuple[int, bool]]:
        """Minutes at which the answer is the same shortly before and after, with thresholds off a little."""
        last = len(self._spent) - 1
        eager, lazy = ([self._fires(at, 1 + off) for at in range(last + 1)] for off in (-_SLACK, _SLACK))
        for at in range(HEALTHY_MINUTES - HEALTHY_MINUTES % step, last + 1, step):
            near = slice(max(0, at - _EVALUATIONS_BEFORE * step), at + 1 + _EVALUATIONS_AFTER * step)
            if all(lazy[near]):
                yield at, True
            elif not any(eager[near]):
                yield at, False

    def _fires(self, at: int, factor: float) -> bool:
        return any(self._burns(tier, at, factor) for tier in self._tiers)

    def _burns(self, tier: Tier, at: int, factor: float) -> bool:
        """Whether the tier's condition has held for as long as it must."""
        since = max(0, at - _minutes(tier.hold))
        return all(self._condition(tier, each, factor) for each in range(since, at + 1))

    def _condition(self, tier: Tier, at: int, factor: float) -> bool:
        limit = float(threshold(tier, self._period)) * factor
        if self._in_last(tier.short, at) / _minutes(tier.short) <= limit:
            return False
        if self._method is AlertMethod.BURN_RATE:
            return self._in_last(tier.long, at) / _minutes(tier.long) > limit
        share = float(tier.budget_share) * factor * _minutes(self._period)
        return any(self._in_last(window, at) > share for window in tier.spent_within)

    def _in_last(self, window: timedelta, at: int) -> float:
        """Burn rate times minutes: what a window spent."""
        return self._spent[at] - self._spent[max(0, at - _minutes(window))]


def _minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)
