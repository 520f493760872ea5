"""What is wrong between documents about money that are each right in themselves."""

from collections.abc import Iterator, Sequence
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem, Severity
from exporters.unit_cost.model import UnitCost
from finops.pricing.model import Item, PriceMap

RULE: Final = "unit-cost-label"
_ALWAYS: Final = frozenset({names.PRICE, names.RESOURCE})


def unit_cost_label_problems(unit_costs: Sequence[UnitCost], price_maps: Sequence[PriceMap]) -> Iterator[Problem]:
    """Unit costs that can never have a value: they split or select by a label that no price in their currency keeps.

    Warnings at the unit costs' names. Nothing is said without price maps: somebody else may record the spend. A unit
    cost with `spread` gives its money the label itself.
    """
    if not price_maps:
        return
    for each in unit_costs:
        items = [item for price_map in price_maps if price_map.currency == each.currency for item in price_map.items]
        if not items:
            message = f"no PriceMap has a price in {each.currency}: there is no spend to divide"
            yield _warning(each, "spec.currency", message, "write it in the currency of the price map")
            continue
        kept = _ALWAYS.union(*map(_kept, items))
        for label in each.by if each.spread is None else ():
            if label not in kept:
                hint = f"let a price keep it (`by: [{label}]`), or spread the money over it (`spread`)"
                yield _warning(each, "spec.by", f"no price keeps the label `{label}`", hint)
        for label, values in each.scope:
            if label not in kept and "" not in values:
                hint = f"kept are {', '.join(sorted(kept))}"
                yield _warning(each, f"spec.scope.{label}", f"no price keeps the label `{label}`", hint)


def _kept(item: Item) -> set[str]:
    """The labels that the spend of an item may have."""
    of_nodes = {names.SERVICE, *item.opencost.node_labels} if item.opencost is not None else set[str]()
    return {*item.by, *dict(item.labels), *of_nodes}


def _warning(unit_cost: UnitCost, field: str, message: str, hint: str) -> Problem:
    return Problem.at(unit_cost.source, field, message, severity=Severity.WARNING, hint=hint, rule=RULE)
