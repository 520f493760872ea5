"""Budgets that count the same spend."""

from finops.budgets.spec import BudgetDocument
from finops.ladder.lint.examined import Ground


def containing(ground: Ground, one: str, other: str) -> tuple[str, str] | None:
    """Of two budgets the one that counts all spend of the other, and that one; None where that is not sure."""
    for outer, inner in ((one, other), (other, one)):
        wide, narrow = _spec(ground, outer), _spec(ground, inner)
        if wide is None or narrow is None or wide.spec.currency != narrow.spec.currency:
            return None
        asked = narrow.spec.scope
        if all(label in asked and set(asked[label]) <= set(values) for label, values in wide.spec.scope.items()):
            return outer, inner
    return None


def _spec(ground: Ground, name: str) -> BudgetDocument | None:
    document = ground.named("Budget").get(name)
    return document.value if document is not None and isinstance(document.value, BudgetDocument) else None
