"""Everything that the pages about money show, gathered in bounded time."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.alert import StoredAlert
from controlplane.model.budget import Budget
from controlplane.model.event import RecordedEvent
from controlplane.model.spend import DAY, Ledger, SpendQuestion, SpendTable
from controlplane.ports import CostLedger, Permanent, Transient
from controlplane.problems import Problem, has_errors, in_order
from exporters.unit_cost.model import UnitCost
from flyball.web.gathering import Alerts, Gathering
from flyball.web.money_history import BudgetHistory, UnitCostHistory, fetch_budget_history, fetch_unit_cost_history
from flyball.web.money_movers import Movers, fetch_movers
from flyball.web.money_rows import BudgetRow, UnitCostRow, budget_rows, unit_cost_rows
from flyball.web.money_status import Grounds, MoneyMeasured, fetch_money
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState, MoneyState

LEDGER_FRESH: Final = timedelta(minutes=5)
EVENTS_LENGTH: Final = timedelta(days=90)
EVENTS_SHOWN: Final = 200
SOURCE_EVENTS: Final = (names.EVENT_COST_IMPORTED, names.EVENT_COST_RESTATED)
CHANGES: Final = (
    names.EVENT_DEPLOYED,
    names.EVENT_FLAG_CHANGED,
    names.EVENT_TIER_CHANGED,
    names.EVENT_COST_ISSUE,
    *SOURCE_EVENTS,
)
_NO_LEDGER: Final[Reading[Movers]] = Reading(None, None)


@dataclass(frozen=True, slots=True)
class MoneyScene:
    """What every page about money shows: the time, what is wrong, what fires, and how fresh the figures are."""

    now: datetime
    problems: Sequence[Problem]
    alerts: Alerts
    measured: Reading[MoneyMeasured]
    budgets: Sequence[Budget]
    declared_unit_costs: Sequence[UnitCost]

    @property
    def age(self) -> timedelta | None:
        """Of the figures shown; None when there are none."""
        return None if self.measured.taken_at is None else max(self.now - self.measured.taken_at, timedelta(0))

    @property
    def broken(self) -> bool:
        """Whether the files as they stand cannot be applied."""
        return has_errors(self.problems)

    @property
    def grounds(self) -> Grounds:
        """How far the figures can be trusted."""
        return self.measured.value.grounds if self.measured.value else Grounds()

    def rows(self) -> list[BudgetRow]:
        """All budgets, worst first."""
        return budget_rows(self.budgets, self.measured.value.budgets if self.measured.value else {}, self.now)

    def unit_costs(self) -> list[UnitCostRow]:
        """All unit costs, furthest above their target first."""
        return unit_cost_rows(self.declared_unit_costs, self.measured.value.unit_costs if self.measured.value else ())


@dataclass(frozen=True, slots=True)
class Happenings:
    """Facts from the event log, latest first; `failure` says why there are none to show."""

    events: tuple[RecordedEvent, ...] = ()
    failure: str = ""


class MoneyGathering:
    """Asks, and remembers for a few seconds (ledgers: minutes). Safe to share between threads."""

    def __init__(self, state: ConsoleState, money: MoneyState, gathering: Gathering) -> None:
        self._state = state
        self._money = money
        self._gathering = gathering
        self._measured: Remembered[MoneyMeasured] = Remembered(state.clock)
        self._movers: Remembered[Movers] = Remembered(state.clock, fresh_for=LEDGER_FRESH)
        self._daily: Remembered[SpendTable] = Remembered(state.clock, fresh_for=LEDGER_FRESH)
        self._histories: Remembered[BudgetHistory] = Remembered(state.clock)
        self._courses: Remembered[UnitCostHistory] = Remembered(state.clock)

    def scene(self) -> MoneyScene:
        """The present."""
        metrics = self._state.metrics
        return MoneyScene(
            now=self._state.clock.now(),
            problems=in_order(self._state.problems()),
            alerts=self._gathering.alerts(),
            measured=self._measured.get("money", lambda now: fetch_money(metrics, now)),
            budgets=self._money.budgets(),
            declared_unit_costs=self._money.unit_costs(),
        )

    def ledger_kinds(self) -> tuple[Ledger, ...]:
        """The ledgers that there are, the live one first."""
        ledgers = self._money.ledgers()
        found = ((Ledger.ESTIMATED, ledgers.estimated), (Ledger.BILLED, ledgers.billed))
        return tuple(kind for kind, ledger in found if ledger is not None)

    def movers(self, kind: Ledger, by: str) -> Reading[Movers]:
        """What costs more or less than a week ago; nothing, and no failure, without such a ledger."""
        ledger = self._ledger(kind)
        if ledger is None:
            return _NO_LEDGER
        return self._movers.get((kind, by), lambda now: fetch_movers(ledger, kind, by, now))

    def daily(self, row: BudgetRow, kind: Ledger) -> Reading[SpendTable]:
        """What the budget's scope cost in its window by day and service, in every currency that the ledger has."""
        ledger = self._ledger(kind)
        if ledger is None:
            return Reading(None, None)
        start = row.period[0].replace(hour=0, minute=0, second=0, microsecond=0)
        where: Mapping[str, tuple[str, ...]] = dict(row.budget.scope)

        def ask(now: datetime) -> SpendTable:
            until = now.replace(second=0, microsecond=0)  # Prometheus tells times in milliseconds
            return ledger.spend(SpendQuestion(start, until, (DAY, names.SERVICE), where))

        return self._daily.get((row.budget.name, row.budget.scope, start, kind), ask)

    def history(self, row: BudgetRow) -> Reading[BudgetHistory]:
        """The course of one budget over its window."""
        metrics, budget, start = self._state.metrics, row.budget, row.period[0]

        def ask(now: datetime) -> BudgetHistory:
            return fetch_budget_history(metrics, budget, start=start, now=now)

        return self._histories.get((budget.name, budget.amount, budget.window, budget.scope, start), ask)

    def course(self, name: str, currency: str, length: timedelta) -> Reading[UnitCostHistory]:
        """The course of one unit cost, by what it is split by."""
        metrics = self._state.metrics
        return self._courses.get(
            (name, currency, length),
            lambda now: fetch_unit_cost_history(metrics, name, currency, now=now, length=length),
        )

    def happenings(self, start: datetime, end: datetime, kinds: Sequence[str]) -> Happenings:
        """Facts of these kinds in [start, end), at most `EVENTS_SHOWN`."""
        try:
            with self._state.store.transaction(read_only=True) as transaction:
                found = transaction.events.between(start, end, kinds)
        except (Transient, Permanent) as error:
            return Happenings(failure=str(error))
        return Happenings(tuple(reversed(found[-EVENTS_SHOWN:])))

    def _ledger(self, kind: Ledger) -> CostLedger | None:
        ledgers = self._money.ledgers()
        return ledgers.billed if kind is Ledger.BILLED else ledgers.estimated


def money_alerts(alerts: Alerts) -> tuple[StoredAlert, ...]:
    """The firing ones that are about money: of a budget, a unit cost, a price, a price map."""
    about = {names.BUDGET, names.UNIT_COST, names.PRICE, names.PRICE_MAP}
    return tuple(it for it in alerts.firing if about & it.alert.labels.keys())


def alerts_about(alerts: Alerts, label: str, name: str) -> Alerts:
    """Those that carry this label with this value."""

    def own(stored: StoredAlert) -> bool:
        return stored.alert.labels.get(label) == name

    return dataclasses.replace(
        alerts, firing=tuple(filter(own, alerts.firing)), recent=tuple(filter(own, alerts.recent))
    )
