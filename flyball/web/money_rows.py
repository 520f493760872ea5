"""Budgets of money as their readers meet them: pure data, worst first. Missing is not zero: it reads `no data`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

from controlplane import conventions as names
from controlplane import wording
from controlplane.calendar.periods import period_at
from controlplane.model.budget import Budget
from controlplane.model.slo import CalendarWindow
from exporters.unit_cost.model import UnitCost
from flyball.web.money_status import NOT_MEASURED, BudgetMeasured, UnitCostMeasured, over_target

LOW: Final = 0.25  # LOOK.md: amber below a quarter of the budget
COVERED: Final = 0.98  # of the window so far: below this the reader is told that the rest was not measured
_NO_OUTLOOK: Final = {
    "no data": "nothing was recorded of its spending",
    "stale": "nothing is known of the last hours",
    "too short": "its history is too short",
}
_LONGEST: Final = Decimal(10 * 365 * 86400)  # seconds: what lasts longer lasts


class Standing(Enum):
    """How a budget of money stands, worst first; the value is the word that readers see."""

    SPENT = "spent"
    LOW = "low"
    OVER = "forecast over"
    BURNING = "burning"
    NO_DATA = "no data"
    STALE = "stale"
    PARTIAL = "partly measured"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class MoneyBar:
    """The budget as shares of its amount, each within 0 … 1 whatever was overspent.

    `proven` is left and was measured; `unproven` is left only because part of the window was not measured: what the
    pace expects of that part. `pace` is what should be left by now. `low`, `middle` and `high` are what the forecast
    leaves at the window's end (`low` of the highest cost); None without a forecast.
    """

    proven: float
    unproven: float
    pace: float | None
    outlook: tuple[float, float, float] | None

    @property
    def left(self) -> float:
        """All that is left."""
        return self.proven + self.unproven


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget in one line. `period` is the window's current extent: half-open, of a rolling one up to now."""

    budget: Budget
    measured: BudgetMeasured
    period: tuple[datetime, datetime]
    now: datetime

    @property
    def title(self) -> str:
        """What people call it."""
        return self.budget.display_name or self.budget.name

    @property
    def firing(self) -> tuple[str, ...]:
        """Severities of its alerts that fire, `page` first."""
        return self.measured.firing

    @property
    def amount(self) -> Decimal:
        """What may be spent, as the files say."""
        return self.budget.amount

    @property
    def left(self) -> Decimal | None:
        """What remains; negative when it is overspent."""
        return None if self.measured.spent is None else self.amount - self.measured.spent

    @property
    def left_ratio(self) -> float | None:
        """The same as a share of the amount."""
        return None if self.left is None or not self.amount else float(self.left / self.amount)

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return _standing(self)

    @property
    def bar(self) -> MoneyBar | None:
        """The budget as a picture; None when it is unknown."""
        return _bar(self)

    @property
    def gone_in(self) -> timedelta | None:
        """How long the rest lasts at the spending of the last hour; None when it lasts, or nobody knows."""
        left, hourly = self.left, self.measured.hourly
        if left is None or hourly is None or hourly <= 0:
            return None
        seconds = max(left, Decimal(0)) / hourly * 3600
        return timedelta(seconds=float(seconds)) if seconds < _LONGEST else None

    @property
    def ends_in(self) -> timedelta | None:
        """When a calendar window begins anew; None of a rolling one."""
        return self.period[1] - self.now if isinstance(self.budget.window, CalendarWindow) else None

    @property
    def gone_before_end(self) -> bool:
        """Whether the rest is gone before the window begins anew."""
        return self.gone_in is not None and (self.ends_in is None or self.gone_in < self.ends_in)

    @property
    def window_words(self) -> str:
        """`month`, `quarter`, `7-day window`, …"""
        window = self.budget.window
        if not isinstance(window, CalendarWindow):
            return f"{wording.window(window.length)} window"
        return window.unit.value if window.count == 1 else f"{window.count} {window.unit.value}s"

    @property
    def scope_words(self) -> str:
        """What it is about: `service graphql-gateway or neo4j`; everything in its currency without a scope."""
        parts = (f"{label} {' or '.join(value or '(none)' for value in values)}" for label, values in self.budget.scope)
        return ", ".join(parts) or f"everything in {self.budget.currency}"

    @property
    def sentence(self) -> str:
        """What happened and what it means."""
        return _sentence(self)


def budget_rows(budgets: Iterable[Budget], measured: Mapping[str, BudgetMeasured], now: datetime) -> list[BudgetRow]:
    """All budgets, worst first: what pages, what has a ticket, then by standing, then by the share that is left."""
    return sorted((_row(it, measured.get(it.name, NOT_MEASURED), now) for it in budgets), key=_rank)


def _row(budget: Budget, measured: BudgetMeasured, now: datetime) -> BudgetRow:
    """What Prometheus still tells of the window before, minutes after a new one began, says nothing of this one."""
    current = period(budget, now)
    if isinstance(budget.window, CalendarWindow) and measured.begun is not None and measured.begun < current[0]:
        measured = BudgetMeasured(amount=measured.amount, firing=measured.firing, begun=measured.begun)
    return BudgetRow(budget, measured, current, now)


def period(budget: Budget, now: datetime) -> tuple[datetime, datetime]:
    """The current period of a calendar window, or the rolling window that ends now."""
    window = budget.window
    return period_at(window, now) if isinstance(window, CalendarWindow) else (now - window.length, now)


@dataclass(frozen=True, slots=True)
class UnitCostRow:
    """One unit cost in one line. `parts` are those it is split by, dearest first; `worst` the first of them."""

    name: str
    declared: UnitCost | None
    currency: str
    parts: tuple[UnitCostMeasured, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return (self.declared.display_name if self.declared else "") or self.name

    @property
    def worst(self) -> UnitCostMeasured | None:
        """The dearest part."""
        return self.parts[0] if self.parts else None

    @property
    def target(self) -> Decimal | None:
        """What it may cost at most."""
        own = self.declared.target if self.declared else None
        return own if own is not None else self.worst.target if self.worst else None

    @property
    def ratio(self) -> float | None:
        """Cost of the dearest part ÷ target."""
        return float(self.worst.cost / self.target) if self.worst and self.target else None

    @property
    def kind(self) -> str:
        """How it stands, as the mark beside it is called."""
        if self.worst is None:
            return "no_data"
        return "ok" if self.ratio is None or self.ratio <= 1 else "spent"

    @property
    def word(self) -> str:
        """The word for that."""
        words = {"no_data": "no data", "spent": "above target"}
        return words.get(self.kind, "ok" if self.target is not None else "no target")

    @property
    def per(self) -> str:
        """`1,000 events`; empty when no file says."""
        return f"{self.declared.per:,f} {self.declared.units.what}" if self.declared else ""


def unit_cost_rows(
    declared: Iterable[UnitCost], measured: Sequence[UnitCostMeasured]
) -> list[UnitCostRow]:  # fmt: skip
    """Those that the files declare and those that are only measured, furthest above target first, no data last."""
    named = {it.name: it for it in declared}
    keys = dict.fromkeys((it.name, it.currency) for it in measured)
    keys |= {(it.name, it.currency): None for it in named.values() if it.name not in {name for name, _ in keys}}
    rows = [UnitCostRow(name, named.get(name), currency, _parts(measured, name, currency)) for name, currency in keys]
    return sorted(rows, key=lambda row: (row.worst is None, -(row.ratio or 0.0), row.name, row.currency))


def _parts(measured: Iterable[UnitCostMeasured], name: str, currency: str) -> tuple[UnitCostMeasured, ...]:
    own = [it for it in measured if (it.name, it.currency) == (name, currency)]
    return tuple(sorted(own, key=lambda it: (-(over_target(it) or 0.0), -it.cost, it.part)))


def part_words(part: tuple[tuple[str, str], ...]) -> str:
    """`connector jdbc, tenant alpha`; `all` where it is not split."""
    return ", ".join(f"{label} {value}" for label, value in part) or "all"


def _rank(row: BudgetRow) -> tuple[bool, bool, int, float, str]:
    firing = row.firing
    left = 1.0 if row.left_ratio is None else row.left_ratio
    order = list(Standing).index(row.standing)
    return (names.SEVERITY_PAGE not in firing, not firing, order, left, row.budget.name)


def _standing(row: BudgetRow) -> Standing:
    measured, left = row.measured, row.left_ratio
    if left is None:
        return Standing.NO_DATA
    if left <= 0:
        return Standing.SPENT
    planned = 0.0 if row.ends_in is None or measured.pace_ratio is None else measured.pace_ratio
    if left < LOW and 1 - left > planned:  # little left at a month's end is as it should be
        return Standing.LOW
    if measured.outlook and measured.outlook.middle > row.amount:
        return Standing.OVER
    if row.firing:
        return Standing.BURNING
    if measured.hourly is None:
        return Standing.STALE
    return Standing.OK if measured.coverage is None or measured.coverage >= COVERED else Standing.PARTIAL


def _bar(row: BudgetRow) -> MoneyBar | None:
    if row.left_ratio is None:
        return None
    measured = row.measured
    left = min(max(row.left_ratio, 0.0), 1.0)
    covered = 1.0 if measured.coverage is None else measured.coverage
    missing = min(1 - covered, 1.0) if covered < COVERED else 0.0
    unproven = min(left, missing * (1.0 if measured.pace_ratio is None else max(measured.pace_ratio, 0.0)))
    ahead = measured.outlook
    ends = tuple(float(1 - it / row.amount) for it in (ahead.high, ahead.middle, ahead.low)) if ahead else None
    pace = None if measured.pace_ratio is None else min(max(1 - measured.pace_ratio, 0.0), 1.0)
    return MoneyBar(left - unproven, unproven, pace, None if ends is None else (ends[0], ends[1], ends[2]))


def _sentence(row: BudgetRow) -> str:
    measured, currency = row.measured, row.budget.currency
    if measured.spent is None and measured.begun is not None and measured.begun < row.period[0]:
        return f"The {row.window_words} has just begun: its first figures come within 15 minutes."
    if measured.spent is None:
        return f"Nobody knows what {row.title} spent: Prometheus has had no value of it for 15 minutes."
    told = [f"{row.title} spent {wording.money(measured.spent, currency)} of {wording.money(row.amount, currency)}."]
    if measured.pace_ratio is not None and row.ends_in is not None:
        due = row.amount * Decimal(repr(measured.pace_ratio))
        told.append(f"By now {wording.money(due, currency)} were planned.")
    if measured.hourly is None:
        told.append("Nothing new was measured for five minutes, so this stands still.")
    elif row.standing is Standing.SPENT:
        told.append(f"Another {wording.money(measured.hourly, currency)} goes every hour.")
    elif row.gone_before_end and row.gone_in is not None:
        told.append(f"At the rate of the last hour it is gone in {wording.duration(row.gone_in)}.")
    if measured.outlook:
        told.append(_outlook(row))
    elif measured.no_outlook:
        told.append(f"There is no forecast: {_NO_OUTLOOK.get(measured.no_outlook, measured.no_outlook)}.")
    return " ".join(told)


def _outlook(row: BudgetRow) -> str:
    ahead = row.measured.outlook
    assert ahead is not None
    over = ahead.middle - row.amount
    means = f", {wording.money(over, row.budget.currency)} too much" if over > 0 else ""
    return f"The {row.window_words} is forecast to cost {outlook_words(row)}{means}."


def outlook_words(row: BudgetRow) -> str:
    """`17,200 USD (16,900 to 17,900)`, or `no data`."""
    ahead = row.measured.outlook
    if ahead is None:
        return wording.MISSING
    low, high = (wording.money(it, "") for it in (ahead.low, ahead.high))
    return f"{wording.money(ahead.middle, row.budget.currency)} ({low} to {high})"
