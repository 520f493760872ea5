"""What a panel about money is about: one budget by name, or whichever one the reader picked."""

import re
from dataclasses import dataclass
from typing import Final

from controlplane import burn_rate
from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from dashboards.promql_text import quoted
from dashboards.scope import LEDGER_LOOKBACK, BurnLine

OUR_ALERTS: Final = (
    f'alertname=~"{names.ALERT_BUDGET_BURN}|{names.ALERT_BUDGET_SPENT}|{names.ALERT_BUDGET_FORECAST}'
    f'|{names.ALERT_SPEND_SPIKE}|{names.ALERT_COST_STALE}|{names.ALERT_FORECAST_STALE}|{names.ALERT_OTHER_CURRENCY}"'
)
_HOURS: Final = 12  # rolling series hold the money of 5 minutes
_STANDARD_WINDOWS: Final = {names.SEVERITY_PAGE: ("5m", "30m"), names.SEVERITY_TICKET: ("2h", "6h")}


@dataclass(frozen=True, slots=True)
class MoneyScope:
    """Matchers and words for the panels of one budget.

    `budget` is a PromQL string literal, such as `"infrastructure"` or `"$budget"`; `spends` are matchers of the spend
    series that it counts. `currency` is the unit, empty when nobody knows it before the reader has picked. `lines` are
    the burn rates that alerts look at, and their thresholds. `length` is the window as Grafana writes it.
    """

    budget: str
    currency: str
    spends: tuple[str, ...]
    lines: tuple[BurnLine, ...]
    length: str
    in_words: str

    @property
    def unit(self) -> str:
        """Grafana's unit of amounts: figures with thousands separators, or with the currency behind them."""
        return f"suffix: {self.currency}" if self.currency else "locale"

    @property
    def money(self) -> str:
        """The word for amounts in descriptions."""
        return self.currency or "the budget's currency"

    def series(self, metric: str, *matchers: str) -> str:
        """A selector of this budget's series of a metric."""
        return f"{metric}{{{','.join([f'{names.BUDGET}={self.budget}', *matchers])}}}"

    def latest(self, metric: str, *matchers: str) -> str:
        """The last value of a series that is written every 5 minutes; of replicas the highest."""
        return f"max by ({names.BUDGET}) (last_over_time({self.series(metric, *matchers)}[{LEDGER_LOOKBACK}]))"

    def hourly_spend(self, label: str) -> str:
        """Money an hour of what the budget counts, by a label of the spend series."""
        matchers = ",".join([*self.spends, f'{label}!=""'])
        return f"{_HOURS} * sum by ({label}) ({names.SPEND_ROLLING}{{{matchers}}})"

    def burn_lines(self, severity: str) -> tuple[BurnLine, ...]:
        """The burn rates that alerts of this severity look at, fastest first; empty where nobody knows them."""
        return tuple(line for line in self.lines if line.severity == severity)

    def burn_windows(self, severity: str) -> tuple[str, ...]:
        """Windows of burn rates worth drawing beside those lines."""
        beside = "1h" if severity == names.SEVERITY_PAGE else "1d"
        found = [line.window for line in self.burn_lines(severity)] or list(_STANDARD_WINDOWS[severity])
        return tuple(dict.fromkeys([*found, beside]))


def scope_of(budget: Budget) -> MoneyScope:
    """The scope of one budget, whatever characters its name and labels have."""
    length = budget.window.length
    tiers = burn_rate.tiers_within(length, budget.tiers)
    lines = [
        BurnLine(burn_rate.duration(tier.short), burn_rate.threshold(tier, length), tier.urgency.value)
        for tier in tiers
    ]
    calendar = budget.window
    in_words = (
        f"this {calendar.unit.value}"
        if isinstance(calendar, CalendarWindow) and calendar.count == 1
        else f"the last {burn_rate.duration(length)}"
    )
    return MoneyScope(
        quoted(budget.name), budget.currency, _spends(budget), tuple(lines), burn_rate.duration(length), in_words
    )


def any_scope() -> MoneyScope:
    """The scope of the budget that the reader picked."""
    return MoneyScope('"$budget"', "", ('currency="$currency"',), (), "30d", "its window")


def _spends(budget: Budget) -> tuple[str, ...]:
    picked = (
        f"{label}=~{quoted('|'.join(re.escape(value) for value in values))}" for label, values in budget.scope
    )  # fmt: skip
    return (f"{names.CURRENCY}={quoted(budget.currency)}", *picked)
