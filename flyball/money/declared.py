"""Every document about money of a workspace, as values; each feature reads its own kinds."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from controlplane.problems import Problem
from controlplane.specfile import Document, Kind
from exporters.unit_cost import kinds as unit_cost_kinds
from exporters.usage import kinds as usage_kinds
from finops.allocation import kinds as allocation_kinds
from finops.billed import kinds as billed_kinds
from finops.budgets import kinds as budget_kinds
from finops.caps import kinds as cap_kinds
from finops.flags import kinds as flag_kinds
from finops.ladder import kinds as ladder_kinds
from finops.pricing import kinds as pricing_kinds

if TYPE_CHECKING:  # their readers take time to import: they are for workspaces that have such documents
    from controlplane.model.budget import Budget
    from exporters.unit_cost.model import UnitCost
    from exporters.usage.terms import UsageTerms
    from finops.allocation.model import CostAllocation
    from finops.billed.model import CostSource, ExchangeRates
    from finops.caps.model import AutoscalingCap
    from finops.flags.model import DeclaredStore
    from finops.ladder.model import Ladder
    from finops.pricing.model import PriceMap

KINDS: Final[tuple[Kind, ...]] = (
    *pricing_kinds.KINDS,
    *budget_kinds.KINDS,
    *unit_cost_kinds.KINDS,
    *allocation_kinds.KINDS,
    *billed_kinds.KINDS,
    *usage_kinds.KINDS,
    *cap_kinds.KINDS,
    *flag_kinds.KINDS,
    *ladder_kinds.KINDS,
)
_LADDER_KINDS: Final = (*flag_kinds.KINDS, *ladder_kinds.KINDS)


@dataclass(frozen=True, slots=True)
class MoneyDeclared:
    """What is declared, each in the order of its names. `usage` is None where nothing is metered."""

    price_maps: "tuple[PriceMap, ...]" = ()
    budgets: "tuple[Budget, ...]" = ()
    unit_costs: "tuple[UnitCost, ...]" = ()
    allocations: "tuple[CostAllocation, ...]" = ()
    caps: "tuple[AutoscalingCap, ...]" = ()
    cost_sources: "tuple[CostSource, ...]" = ()
    exchange_rates: "tuple[ExchangeRates, ...]" = ()
    usage: "UsageTerms | None" = None
    flag_stores: "tuple[DeclaredStore, ...]" = ()
    ladders: "tuple[Ladder, ...]" = ()

    def in_words(self) -> str:
        """How much is declared: `6 budgets, 1 price map`; empty where nothing is."""
        meters = len(self.usage.meters) if self.usage else 0
        counted = {
            "budget": len(self.budgets),
            "price map": len(self.price_maps),
            "unit cost": len(self.unit_costs),
            "cost source": len(self.cost_sources),
            "meter": meters,
            "cap": len(self.caps),
            "ladder": len(self.ladders),
        }
        return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counted.items() if count)


NOTHING: Final = MoneyDeclared()


def is_about_money(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def money_of(
    documents: Sequence[Document],
    may_be_declared: Callable[[str], bool] = lambda _: False,
    slos: Collection[str] | None = None,
) -> tuple[MoneyDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it.

    `may_be_declared`: whether a document that was not read may have this name. `slos` are the names of all SLOs, None
    when they are not known. Journeys that ladders name are looked for among the documents.
    """
    own = [document for document in documents if is_about_money(document)]
    if not own:
        return NOTHING, ()
    from exporters.unit_cost.declared import declared as unit_costs_of
    from exporters.usage.declared import declared as usage_terms_of
    from finops.allocation.declared import declared as allocations_of
    from finops.billed.declared import declared as cost_sources_of
    from finops.billed.declared import declared_rates
    from finops.budgets.declared import declared as budgets_of
    from finops.caps.declared import declared as caps_of
    from finops.pricing.declared import declared as price_maps_of

    price_maps, unit_costs, allocations = price_maps_of(own), unit_costs_of(own), allocations_of(own)
    budgets, caps, usage = budgets_of(own), caps_of(own, may_be_declared), usage_terms_of(own, may_be_declared)
    cost_sources, rates = cost_sources_of(own), declared_rates(own)
    money = MoneyDeclared(
        price_maps=price_maps.values,
        budgets=budgets.values,
        unit_costs=unit_costs.values,
        allocations=allocations.values,
        caps=caps.values,
        cost_sources=cost_sources.values,
        exchange_rates=rates.values,
        usage=next(iter(usage.values), None),
    )
    problems: list[Problem] = []
    if any(document.kind in _LADDER_KINDS for document in own):
        from finops.flags.declared import declared as flag_stores_of
        from finops.ladder.declared import declared as ladders_of

        stores, ladders = flag_stores_of(own), ladders_of(documents, slos=slos, may_be_declared=may_be_declared)
        money = replace(money, flag_stores=stores.values, ladders=ladders.values)
        problems += [*stores.problems, *ladders.problems]
    found = (price_maps, budgets, unit_costs, allocations, caps, cost_sources, rates, usage)
    return money, (*(problem for each in found for problem in each.problems), *problems)
