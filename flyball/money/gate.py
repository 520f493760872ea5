"""What changed prices and budgets would have done to the last 30 days: the bill, and who would have been told.

Usage is valued again by the old and the new prices (`finops.pricing.revaluing`); budgets are replayed over what was
recorded, changed by the difference (`finops.budgets.replaying`). Only what Prometheus still has can be told.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL
from controlplane.model.budget import Budget
from controlplane.model.event import JSON
from controlplane.ports import MetricsBackend
from controlplane.wording import money as in_money
from finops.budgets.replaying import Fired, Replay, replay
from finops.budgets.subject import Subject
from finops.pricing.model import PriceMap
from finops.pricing.revaluation_views import as_json as revalued_json
from finops.pricing.revaluation_views import words as revalued_words
from finops.pricing.revaluing import Revaluation, change_by_time, revalue
from flyball.money.declared import MoneyDeclared
from flyball.money.discovered import DiscoveredModels

MONTH: Final = timedelta(days=30)
_HISTORY: Final = timedelta(days=28)  # what usual hours and long windows look back on
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MOST_TOLD: Final = 4

Spend = Mapping[datetime, Decimal]


@dataclass(frozen=True, slots=True)
class BudgetEffect:
    """A budget as it was and as it would be, over the same time. None: it was not there, or is not any more."""

    name: str
    currency: str
    old: Replay | None
    new: Replay | None

    @property
    def come(self) -> tuple[Fired, ...]:
        """Alerts that would have fired now, and did not before."""
        return _without(self.new, self.old)

    @property
    def gone(self) -> tuple[Fired, ...]:
        """Alerts that would have fired before, and would not now."""
        return _without(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Effects:
    """What the whole change would have done. `revaluation` is None where no price differs."""

    start: datetime
    end: datetime
    revaluation: Revaluation | None
    budgets: tuple[BudgetEffect, ...]

    def of(self, budget: str) -> BudgetEffect | None:
        """What became of one budget; None where nothing would have."""
        return next((each for each in self.budgets if each.name == budget), None)


def effects(old: MoneyDeclared, new: MoneyDeclared, backend: MetricsBackend, now: datetime) -> Effects:
    """The last 30 days under both. Raises what the backend raises."""
    end = now - (now - _EPOCH) % LEDGER_INTERVAL
    start = end - MONTH
    revaluation = None
    if old.price_maps != new.price_maps:
        keep = sorted({label for each in (*old.budgets, *new.budgets) for label, _ in each.scope})
        was, will_be = (_priced(each.price_maps, backend, now) for each in (old, new))
        revaluation = revalue(was, will_be, backend, start=start, end=end, keep=keep)
    return Effects(start, end, revaluation, tuple(_budgets(old, new, backend, (start, end), revaluation)))


def _priced(price_maps: Sequence[PriceMap], backend: MetricsBackend, now: datetime) -> Sequence[PriceMap]:
    """With prices for models that occur and that no file lists, as the rules are applied."""
    models = DiscoveredModels()
    models.look(price_maps, backend, now)
    return models.priced(price_maps)


def _budgets(
    old: MoneyDeclared,
    new: MoneyDeclared,
    backend: MetricsBackend,
    span: tuple[datetime, datetime],
    revaluation: Revaluation | None,
) -> Iterator[BudgetEffect]:
    before = {budget.name: budget for budget in old.budgets}
    after = {budget.name: budget for budget in new.budgets}
    for name in sorted(before.keys() | after.keys()):
        was, will_be = before.get(name), after.get(name)
        change = _change(will_be, revaluation)
        if was == will_be and not change:
            continue
        currency = (will_be or was or next(iter(after.values()))).currency
        yield BudgetEffect(
            name,
            currency,
            replay(was, _recorded(was, backend, span), *span) if was else None,
            replay(will_be, _plus(_recorded(will_be, backend, span), change), *span) if will_be else None,
        )


def _change(budget: Budget | None, revaluation: Revaluation | None) -> Spend:
    if budget is None or revaluation is None:
        return {}
    scope = {names.CURRENCY: (budget.currency,), **dict(budget.scope)}

    def fits(labels: Mapping[str, str]) -> bool:
        return all(labels.get(label, "") in values for label, values in scope.items())

    return {at: value for at, value in change_by_time(revaluation, fits).items() if value}


def _recorded(budget: Budget, backend: MetricsBackend, span: tuple[datetime, datetime]) -> dict[datetime, Decimal]:
    """What the scope spent in each 5 minutes, by their end."""
    selector = Subject(budget, "").spend(names.SPEND_LEDGER)
    start = span[0] - _HISTORY + LEDGER_INTERVAL
    found = backend.query_range(f"sum ({selector})", start, span[1], LEDGER_INTERVAL)
    return {at: Decimal(repr(value)) for series in found for at, value in series.points if value == value}


def _plus(spend: Spend, change: Spend) -> Spend:
    return {at: spend.get(at, Decimal(0)) + change.get(at, Decimal(0)) for at in (*spend, *change)}


def _without(one: Replay | None, other: Replay | None) -> tuple[Fired, ...]:
    """Alerts of one that the other does not have as often."""
    seen = Counter(_kind(fired) for fired in (other.fired if other else ()))
    found = []
    for fired in one.fired if one else ():
        if seen[_kind(fired)] > 0:
            seen[_kind(fired)] -= 1
        else:
            found.append(fired)
    return tuple(found)


def _kind(fired: Fired) -> tuple[str, str, Decimal | None]:
    return fired.alert, fired.severity, fired.threshold


def words_of_prices(found: Effects) -> Iterator[str]:
    """What changed prices would have done, to the bill and to every budget that pays them."""
    if found.revaluation is None:
        return
    for line in revalued_words(found.revaluation):
        yield f"last 30 days: {line}"
    for effect in found.budgets:
        for line in words_of_budget(effect):
            yield f"Budget {effect.name}: {line}"


def words_of_budget(effect: BudgetEffect) -> Iterator[str]:
    """What the window would have spent at the end of the 30 days, and the alerts that come and go."""
    if effect.new is None:
        return
    spent = in_money(effect.new.spent, effect.currency)
    if effect.old is not None and effect.old.spent != effect.new.spent:
        spent = f"{in_money(effect.old.spent, effect.currency)} → {spent}"
    yield f"last 30 days: its window had spent {spent} at their end"
    come, gone = effect.come, effect.gone
    if not come and not gone:
        yield f"the same {len(effect.new.fired)} alerts" if effect.new.fired else "no alert would have fired"
    if come:
        yield f"{'would fire now' if effect.old else 'would have fired'}: {_told(come)}"
    if gone:
        yield f"would not fire any more: {_told(gone)}"
    if effect.new.missing > LEDGER_INTERVAL:
        yield f"nothing was recorded for {effect.new.missing / MONTH:.0%} of the time"


def _told(fired: Sequence[Fired]) -> str:
    more = f" and {len(fired) - _MOST_TOLD} more" if len(fired) > _MOST_TOLD else ""
    return ", ".join(_one(each) for each in fired[:_MOST_TOLD]) + more


def _one(fired: Fired) -> str:
    at = f" at {fired.threshold:%}".replace(".000000", "") if fired.threshold is not None else ""
    return f"{fired.alert}{at} ({fired.severity}, {fired.start:%d %b %H:%M} UTC)"


def as_json(found: Effects, budget: str = "") -> dict[str, JSON]:
    """Of one budget, or (without a name) of prices and all budgets that they move."""
    chosen = [each for each in found.budgets if budget in ("", each.name)]
    told: dict[str, JSON] = {
        "from": f"{found.start:%Y-%m-%dT%H:%M:%SZ}",
        "to": f"{found.end:%Y-%m-%dT%H:%M:%SZ}",
        "budgets": [
            {
                "budget": each.name,
                "currency": each.currency,
                "spent": [_spent(each.old), _spent(each.new)],
                "alertsAdded": [_fired(fired) for fired in each.come],
                "alertsRemoved": [_fired(fired) for fired in each.gone],
            }
            for each in chosen
        ],
    }
    if not budget and found.revaluation is not None:
        told["prices"] = revalued_json(found.revaluation)
    return told


def _spent(one: Replay | None) -> JSON:
    return None if one is None else f"{one.spent:f}"


def _fired(fired: Fired) -> JSON:
    return {
        "alert": fired.alert,
        "severity": fired.severity,
        "threshold": None if fired.threshold is None else f"{fired.threshold:f}",
        "from": f"{fired.start:%Y-%m-%dT%H:%M:%SZ}",
        "to": None if fired.end is None else f"{fired.end:%Y-%m-%dT%H:%M:%SZ}",
    }
