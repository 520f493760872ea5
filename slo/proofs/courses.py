"""How a budget may burn over time, and what its alerts must then do: the specification that rules are held against.

Everything is in minutes and in burn rates (1 spends the budget in one period), so one set of courses serves every SLO
with the same tiers. A moment is only judged where the answer stands clear of the rules' grain (`burning`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from math import ceil, inf
from typing import Final

from controlplane.burn_rate import duration, threshold
from controlplane.model.alerting import Alerting, AlertMethod, Tier, Urgency
from slo.proofs.burning import EVALUATIONS_AFTER, EVALUATIONS_BEFORE, Burning, Phase, in_minutes

HEALTHY_MINUTES: Final = 60  # before anything goes wrong: enough for a budget in events
_HEALTHY: Final = Phase(HEALTHY_MINUTES, 0)
_ABOVE: Final = 1.05
_BELOW: Final = 0.95
_SPENT: Final = 1.1  # of a tier's share: clearly spent
_SLIGHTLY_MORE: Final = 1.05  # of a share: rules that ask for a tenth more or less are told apart
_CLEARLY_MORE: Final = 1.12
_SLIGHTLY_LESS: Final = 0.94
_CLEARLY: Final = EVALUATIONS_BEFORE + EVALUATIONS_AFTER + 1
_LONG_COURSE: Final = timedelta(hours=14)
_BELOW_PAGES: Final = 0.9
_FEW: Final = 0.6  # of the floor: a budget's share that is clearly spent by fewer events than that
_HEAVY: Final = 20.0  # traffic beside which a few hours of the usual one weigh nothing


@dataclass(frozen=True, slots=True)
class Expectation:
    """Whether the alert of an urgency fires `at` that minute."""

    at: int
    urgency: Urgency
    fires: bool


@dataclass(frozen=True, slots=True)
class Lasted:
    """At `at` the alert of an urgency had waited for its condition to last, in exactly so many evaluations."""

    at: int
    urgency: Urgency
    evaluations: int


@dataclass(frozen=True, slots=True)
class Course:
    """What happens, and what it leads to. `interval` is how often rules run.

    `budget_events` is what the whole budget comes to; infinite where no floor of events may decide.
    """

    title: str
    phases: tuple[Phase, ...]
    interval: timedelta
    expected: tuple[Expectation, ...]
    lasted: tuple[Lasted, ...] = ()
    budget_events: float = inf

    @property
    def minutes(self) -> int:
        """Its length."""
        return sum(phase.minutes for phase in self.phases)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A course, and the urgency it is about."""

    title: str
    phases: tuple[Phase, ...]
    urgency: Urgency
    budget_events: float = inf
    ends: bool | None = None  # how it must end to be worth telling
    waits: bool = False  # whether the condition begins at once, so that how long it waited can be counted
    changes: bool = False  # whether it is worth telling only if the alert comes and goes

    @property
    def interval(self) -> timedelta:
        """promtool runs every group at one interval: that of the shorter courses is a minute."""
        length = sum(phase.minutes for phase in self.phases)
        return timedelta(minutes=5 if timedelta(minutes=length) > _LONG_COURSE else 1)


@lru_cache(maxsize=1024)
def courses(alerting: Alerting, period: timedelta, fastest: float) -> tuple[Course, ...]:
    """Every course that the tiers ask for. `fastest` is the burn rate with all events bad."""
    found = (_judged(draft, alerting, period) for draft in _drafts(alerting, period, fastest))
    return tuple(course for course in found if course is not None)


def fastest_of_interest(alerting: Alerting, period: timedelta) -> float:
    """No course burns faster, so all that can burn this fast share their courses."""
    least = [3 * float(threshold(tier, period)) for tier in alerting.tiers]
    at_once = [_at_once(tier, min(tier.spent_within), period) for tier in alerting.tiers if tier.spent_within]
    return max([*least, *at_once], default=1.0)


def _drafts(alerting: Alerting, period: timedelta, fastest: float) -> Iterator[_Draft]:
    for tier in alerting.tiers:
        rate = float(threshold(tier, period))
        if tier.long > period or rate * _ABOVE > fastest:
            continue
        sketch = _Sketch(tier, alerting, period, min(fastest, _bound(tier, alerting, period)))
        yield from sketch.steady()
        if alerting.method is AlertMethod.BURN_RATE:
            yield from sketch.ended()
        else:
            yield from sketch.spent()
            yield from sketch.spikes()
    if alerting.method is AlertMethod.BUDGET:
        yield from _muting(alerting, period, fastest)
        yield from _few(alerting, period, fastest)


def _bound(tier: Tier, alerting: Alerting, period: timedelta) -> float:
    """A page mutes tickets for a day, so tickets are told of slower bursts."""
    pages = [float(threshold(each, period)) for each in alerting.tiers if each.urgency is Urgency.PAGE]
    muted = tier.urgency is Urgency.TICKET and alerting.method is AlertMethod.BUDGET
    return _BELOW_PAGES * min(pages) if muted and pages else inf


def _at_once(tier: Tier, window: timedelta, period: timedelta) -> float:
    """The rate that spends the tier's share within a window of its."""
    return _SPENT * float(tier.budget_share) * in_minutes(period) / in_minutes(window)


class _Sketch:
    """The courses about one tier. `fastest`: no burst may burn faster."""

    def __init__(self, tier: Tier, alerting: Alerting, period: timedelta, fastest: float) -> None:
        self._tier = tier
        self._alerting = alerting
        self._period = period
        self._fastest = fastest
        self._rate = float(threshold(tier, period))
        self._name = f"{tier.urgency.value} at {self._rate:.4g} times over {duration(tier.long)}"

    def steady(self) -> Iterator[_Draft]:
        """A little above and below the threshold, for longer than the long window."""
        long = in_minutes(self._tier.long)
        clear = self._clear(long)
        healthy = _HEALTHY
        if self._alerting.method is AlertMethod.BURN_RATE:
            # So much healthy traffic that the long window is below the threshold until it has left it.
            healthy = Phase(HEALTHY_MINUTES, 0, max(1.0, (_ABOVE / _BELOW - 1) * long / HEALTHY_MINUTES))
            clear += HEALTHY_MINUTES
        grown = long + clear + in_minutes(self._tier.hold)
        yield self._draft("1.05 times the threshold fires", healthy, Phase(grown, self._rate * _ABOVE))
        # In the end the short window is above it, and the long one still is not.
        almost = Phase(in_minutes(self._tier.short) + 2 * self._clear(long) // _CLEARLY, self._rate * _ABOVE)
        below = (Phase(long + long // 10 + clear, self._rate * _BELOW), almost)
        yield self._draft("0.95 times the threshold is silent", _HEALTHY, *below, ends=False)

    def ended(self) -> Iterator[_Draft]:
        """A long burst, which ends."""
        short = in_minutes(self._tier.short)
        settled = short + self._clear(short)
        burst = Phase(max(2 * short, HEALTHY_MINUTES) + in_minutes(self._tier.hold), min(3 * self._rate, self._fastest))
        told = "a burst, then 1.05 times goes on firing, 0.95 times is over"
        above, below = Phase(settled, self._rate * _ABOVE), Phase(settled, self._rate * _BELOW)
        yield replace(self._draft(told, _HEALTHY, burst, above, below), waits=True)

    def spent(self) -> Iterator[_Draft]:
        """The share is spent in a burst; then the short window decides."""
        if self._fastest < self._rate * _ABOVE:
            return
        short = in_minutes(self._tier.short)
        settled = short + self._clear(short) + in_minutes(self._tier.hold)
        burst = self._burst(min(max(3 * self._rate, self._steepest()), self._fastest))
        slower = [tier for tier in self._alerting.tiers if self._is_slower(tier)]
        if slower:
            longest = max(in_minutes(tier.short) for tier in slower)
            yield self._alone(burst, settled, longest)
            yield self._alone_below(burst, settled, longest)
        above, below = Phase(settled, self._rate * _ABOVE), Phase(settled, self._rate * _BELOW)
        told = "a burst ends, 1.05 times fires again, 0.95 times is over"
        draft = self._draft(told, _HEALTHY, burst, Phase(settled, 0), above, below, ends=False)
        yield replace(draft, waits=True)

    def _alone(self, burst: Phase, settled: int, longest: int) -> _Draft:
        """Slower tiers are silent; in the end a little less than the share is in the window."""
        first, rest = self._beside_much_traffic(burst, settled, longest, _SLIGHTLY_MORE)
        above, below = first[-1], Phase(settled, self._rate * _BELOW)
        # Healthy traffic in between, so that slower tiers go on seeing little else.
        between = Phase(self._clear(longest), 0, _HEAVY)
        phases: tuple[Phase, ...] = (*first, between, below)
        for gone in range(rest, in_minutes(self._period), 5):
            phases = (*first, between, below, Phase(gone, 0, _HEAVY), above)
            if self._share(phases) < _SLIGHTLY_LESS:
                break
        told = "after a burst 1.05 times fires; with less of it 1.05 times is silent"
        return replace(self._draft(told, *phases, ends=False), changes=True)

    def _alone_below(self, burst: Phase, settled: int, longest: int) -> _Draft:
        """Slower tiers are silent, and more than the share is spent all the time: only the burn rate decides."""
        first, _ = self._beside_much_traffic(burst, settled, longest, _CLEARLY_MORE)
        phases = (*first, Phase(self._clear(longest), 0, _HEAVY), Phase(settled, self._rate * _BELOW))
        return replace(
            self._draft("after a burst 1.05 times fires, 0.95 times does not", *phases, ends=False), changes=True
        )

    def _beside_much_traffic(
        self, burst: Phase, settled: int, longest: int, share: float
    ) -> tuple[tuple[Phase, ...], int]:
        """A burst, quiet minutes (how many), then 1.05 times, at the end of which this much of the share is spent.

        The traffic before the last minutes is much more than theirs, and healthy, so slower tiers see little else.
        """
        rest = max(0, longest - settled) + 2 * self._clear(longest)
        above = Phase(settled + self._clear(longest) // 2, self._rate * _ABOVE)
        before, quiet = Phase(HEALTHY_MINUTES, 0, _HEAVY), Phase(rest, 0, _HEAVY)
        phases: tuple[Phase, ...] = ()
        # The burst is cut until a little more than the share was spent.
        for minutes in range(burst.minutes // 2, burst.minutes):
            phases = (before, Phase(minutes, burst.rate, _HEAVY), quiet, above)
            if self._share((*phases[:-1], replace(above, minutes=in_minutes(self._tier.short)))) > share:
                break
        return phases, rest

    def _share(self, phases: tuple[Phase, ...]) -> float:
        """What the tier's widest window has seen in the end, relative to the share that it asks for."""
        burning = Burning(phases, self._alerting, self._period, budget_events=inf, step=1)
        return burning.spent(max(self._tier.spent_within)) / float(self._tier.budget_share)

    def spikes(self) -> Iterator[_Draft]:
        """Nearly the share at once, which ends: the budget decides, not the burn rate."""
        shortest = min(self._tier.spent_within)
        rate = _at_once(self._tier, shortest, self._period) * _BELOW / _SPENT
        if self._rate < rate <= self._fastest:
            minutes = in_minutes(shortest)
            quiet = Phase(minutes + self._clear(minutes), 0)
            yield self._draft("0.95 times the share at once is silent", _HEALTHY, Phase(minutes, rate), quiet)

    def _burst(self, rate: float) -> Phase:
        """As long as it takes to spend the share clearly."""
        share = float(self._tier.budget_share) * in_minutes(self._period)
        hold = in_minutes(self._tier.hold)
        seen = self._clear(0) + hold if hold else self._clear(0) // 2
        return Phase(ceil(_SPENT * share / rate) + seen, rate)

    def _steepest(self) -> float:
        """Tickets are told of a burst that is as fast as can be, since pages set the bound."""
        return self._fastest if self._tier.urgency is Urgency.TICKET else 0.0

    def _is_slower(self, tier: Tier) -> bool:
        return tier.urgency is self._tier.urgency and tier.long > self._tier.long and tier.long <= self._period

    def _clear(self, minutes: int) -> int:
        """How long a change must be waited for after so many minutes, until it is clear."""
        longest = timedelta(minutes=minutes) + self._tier.long + timedelta(minutes=HEALTHY_MINUTES)
        return _CLEARLY * (5 if longest > _LONG_COURSE else 1)

    def _draft(self, told: str, *phases: Phase, ends: bool | None = None) -> _Draft:
        return _Draft(f"{self._name}: {told}", phases, self._tier.urgency, ends=ends)


def _muting(alerting: Alerting, period: timedelta, fastest: float) -> Iterator[_Draft]:
    """A page, and then for more than a day what a ticket would be written about."""
    pages, tickets = (
        [tier for tier in alerting.tiers if tier.urgency is urgency and tier.long <= period]
        for urgency in (Urgency.PAGE, Urgency.TICKET)
    )
    if not pages or not tickets:
        return
    page = min(pages, key=lambda tier: float(threshold(tier, period)))
    slow = min(tickets, key=lambda tier: float(threshold(tier, period)))
    rate = min(fastest, 3 * max(float(threshold(tier, period)) for tier in pages))
    low = float(threshold(slow, period)) * _ABOVE
    if low >= float(threshold(page, period)) * _BELOW or rate <= low:
        return
    # Counted every 5 minutes, pages seem five times smaller than they are.
    share = max(5 * float(page.budget_share), float(slow.budget_share)) * in_minutes(period)
    burst = Phase(ceil(_SPENT * share / rate) + 5 * _CLEARLY, rate)
    slowly = Phase(in_minutes(timedelta(days=1)) + in_minutes(page.short) + 10 * _CLEARLY, low)
    yield _Draft("a page mutes tickets for a day", (_HEALTHY, burst, slowly), Urgency.TICKET)


def _few(alerting: Alerting, period: timedelta, fastest: float) -> Iterator[_Draft]:
    """So little traffic that single events spend a tier's share: fewer than the floor alarm nobody."""
    for urgency in Urgency:
        tiers = [tier for tier in alerting.tiers if tier.urgency is urgency and tier.long <= period]
        if not tiers or alerting.fewest_bad_events < 2:
            continue
        fewest = float(alerting.fewest_bad_events)
        budget_events = _FEW * fewest / max(float(tier.budget_share) for tier in tiers)
        soon = min(in_minutes(max(tier.spent_within)) for tier in tiers)
        slowly = max(
            1.2 * max(float(threshold(tier, period)) for tier in tiers),
            (fewest + 1) / (0.9 * soon) * in_minutes(period) / budget_events,
        )
        rate = min(fastest, slowly, *(_bound(tier, alerting, period) for tier in tiers))
        a_minute = rate * budget_events / in_minutes(period)
        phases = (_HEALTHY, Phase(ceil((fewest + 1) / a_minute) + _CLEARLY, rate))
        told = f"fewer than {fewest:g} bad events raise no {urgency.value}"
        yield _Draft(told, phases, urgency, budget_events)


def _judged(draft: _Draft, alerting: Alerting, period: timedelta) -> Course | None:
    """The course with what is clear about it; None where nothing is."""
    step = in_minutes(draft.interval)
    burning = Burning(draft.phases, alerting, period, budget_events=draft.budget_events, step=step)
    clear = dict(burning.clear_moments(draft.urgency, HEALTHY_MINUTES))
    expected = tuple(Expectation(at, draft.urgency, clear[at]) for at in _worth_telling(clear, draft.phases))
    if not expected or draft.ends not in (None, expected[-1].fires):
        return None
    if draft.changes and not any(each.fires for each in expected):
        return None
    lasted = tuple(_lasted(draft, alerting, burning, expected))
    return Course(draft.title, draft.phases, draft.interval, expected, lasted, draft.budget_events)


def _worth_telling(clear: dict[int, bool], phases: Sequence[Phase]) -> list[int]:
    """The moments before and after each change, and the last ones of each phase and of all."""
    moments = sorted(clear)
    changes = [pair for pair in pairwise(moments) if clear[pair[0]] != clear[pair[1]]]
    ends = list(accumulate(phase.minutes for phase in phases))
    last = [max((at for at in moments if begin < at <= end), default=None) for begin, end in pairwise(ends)]
    told = {*moments[-1:], *(at for pair in changes for at in pair), *(at for at in last if at is not None)}
    return sorted(told)


def _lasted(draft: _Draft, alerting: Alerting, burning: Burning, expected: tuple[Expectation, ...]) -> Iterator[Lasted]:
    """How often the alert was seen pending, where all tiers that may have part in it must last equally long."""
    at = next((each.at for each in expected if each.fires), None)
    if at is None or not draft.waits:
        return
    tiers = [tier for tier in alerting.tiers if tier.urgency is draft.urgency]
    holds = {tier.hold for tier in tiers if burning.conditions_meet(tier, eager=True)[: at + 1].any()}
    if len(holds) == 1 and any(holds):
        yield Lasted(at, draft.urgency, -(-holds.pop() // draft.interval))
