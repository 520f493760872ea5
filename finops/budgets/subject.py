"""A budget as its rules name it: labels, selectors, the spend that it counts, and the tiers that fit its window."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, LEDGER_SUMS_FROM, ROLLING, Tier, duration, tiers_within
from controlplane.model.alerting import Urgency
from controlplane.model.budget import Budget
from controlplane.model.rule import Labels
from controlplane.model.slo import CalendarWindow
from finops.budgets.window_pace import WindowPace
from finops.pricing.selectors import any_of, quoted

# What dashboards and the console show of every budget, whatever its tiers are.
_ALWAYS: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 60, 120, 360, 1440, 4320))
LATE: Final = "15m"  # written every 5 minutes and read every minute: look back over two missed evaluations


@dataclass(frozen=True)
class Subject:
    """One budget, and the console's address (empty: none).

    `counted` are the currencies in which other budgets count all that is in its scope.
    """

    budget: Budget
    external_url: str = ""
    counted: tuple[str, ...] = ()

    @property
    def calendar(self) -> CalendarWindow | None:
        """Its calendar window; None when it rolls."""
        window = self.budget.window
        return window if isinstance(window, CalendarWindow) else None

    @cached_property
    def pace(self) -> WindowPace:
        """Its window and pace."""
        return WindowPace(self.budget.window, self.budget.pace)

    @cached_property
    def labels(self) -> Labels:
        """The labels of every series of the budget."""
        return ((names.BUDGET, self.budget.name), (names.CURRENCY, self.budget.currency))

    @cached_property
    def matcher(self) -> str:
        """The matchers that select them."""
        return ",".join(f"{name}={quoted(value)}" for name, value in self.labels)

    def series(self, name: str) -> str:
        """One of its series."""
        return f"{name}{{{self.matcher}}}"

    def late(self, name: str) -> str:
        """One of its series that is written every 5 minutes."""
        return f"last_over_time({self.series(name)}[{LATE}])"

    def paced(self, name: str) -> str:
        """A series of its pace, without the label that tells paces apart."""
        return f"max without ({names.PACE}) ({name}{{{names.PACE}={quoted(self.pace.name)}}})"

    @cached_property
    def scope(self) -> str:
        """The matchers of spend that is in its scope, in whatever currency; empty when all is."""
        return ",".join(any_of(label, values) for label, values in self.budget.scope)

    def spend(self, name: str, currency: str = "=") -> str:
        """Spend in its scope, in its own currency or (`!=`) in others."""
        matchers = (f"{names.CURRENCY}{currency}{quoted(self.budget.currency)}", self.scope)
        return f"{name}{{{','.join(filter(None, matchers))}}}"

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """The alerting tiers that fit into the window."""
        return tiers_within(self.budget.window.length, self.budget.tiers)

    def tiers_of(self, urgency: Urgency) -> tuple[Tier, ...]:
        """The tiers of one urgency."""
        return tuple(tier for tier in self.tiers if tier.urgency is urgency)

    @cached_property
    def lengths(self) -> tuple[timedelta, ...]:
        """Every window for which spend, expected spend and their burn rate are recorded, in order."""
        of_tiers = {length for tier in self.tiers for length in (tier.short, tier.long, *tier.spent_within)}
        return tuple(sorted(length for length in {*_ALWAYS, *of_tiers} if length <= self.budget.window.length))

    def summed(self) -> Iterator[timedelta]:
        """Those of them that are sums of several values."""
        yield from (length for length in self.lengths if length > ROLLING)

    def spent_in(self, length: timedelta) -> str:
        """PromQL: money spent in one of them."""
        return self.series(names.BUDGET_ROLLING if length == ROLLING else names.budget_spend(duration(length)))

    def expected_in(self, length: timedelta) -> str:
        """PromQL: money that the pace expects of one of them."""
        return self.series(names.BUDGET_EXPECTED if length == ROLLING else names.budget_expected(duration(length)))

    def burn(self, length: timedelta) -> str:
        """PromQL: the burn rate of one of them."""
        return self.series(names.budget_burn_rate(duration(length)))


def counted_by_others(budget: Budget, others: Iterable[Budget]) -> tuple[str, ...]:
    """The other currencies in which a budget of the same or a wider scope counts what this one does not."""
    return tuple(
        sorted({other.currency for other in others if other.currency != budget.currency and _holds(other, budget)})
    )


def _holds(wide: Budget, narrow: Budget) -> bool:
    """Whether all spend in the second scope is in the first one, currencies aside."""
    asked = dict(narrow.scope)
    return all(label in asked and set(asked[label]) <= set(values) for label, values in wide.scope)


def from_ledger(length: timedelta) -> bool:
    """Whether a window is summed from the ledger."""
    return length >= LEDGER_SUMS_FROM


ENTRIES_AN_HOUR: Final = timedelta(hours=1) // LEDGER_INTERVAL
