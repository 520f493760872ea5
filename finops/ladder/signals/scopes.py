"""Whose money a budget or a unit cost counts, so that its own silent sources are told from other people's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane import conventions as names
from finops.ladder.model import Ladder, Measure, Signal
from finops.pricing.selectors import any_of, quoted

OF_BUDGETS = frozenset({Measure.BURN_RATE, Measure.FORECAST, Measure.SPENT, Measure.SPIKE})
OF_MONEY = OF_BUDGETS | {Measure.UNIT_COST}


@dataclass(frozen=True, slots=True)
class MoneyScope:
    """All money in a currency that fits: any of several values by label, all labels; without labels all of it."""

    currency: str
    labels: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def matchers(self) -> str:
        """The matchers of spend in it."""
        own = f"{names.CURRENCY}={quoted(self.currency)}"
        return ",".join((own, *(any_of(label, values) for label, values in self.labels)))


@dataclass(frozen=True, slots=True)
class Scopes:
    """Scopes by name, as far as they are known. What is not known counts all money in the ladder's currency."""

    budgets: Mapping[str, MoneyScope] = field(default_factory=dict)
    unit_costs: Mapping[str, MoneyScope] = field(default_factory=dict)

    def of(self, ladder: Ladder, signal: Signal) -> MoneyScope | None:
        """The money that a signal is made from; None when it is made from none."""
        if signal.measure not in OF_MONEY:
            return None
        known = self.budgets if signal.measure in OF_BUDGETS else self.unit_costs
        return known.get(signal.subject, MoneyScope(ladder.currency))


NO_SCOPES = Scopes()
