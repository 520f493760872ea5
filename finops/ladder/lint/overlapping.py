"""Signals that are made from the same data, so that one cannot confirm the other."""

from finops.budgets.spec import BudgetDocument
from finops.ladder.lint.examined import Ground
from finops.ladder.lint.metrics_behind import metrics_behind
from finops.ladder.model import Measure, Signal

_OTHER_SOURCES = (Measure.QUERY, Measure.QUOTA, Measure.UNIT_COST, Measure.ANOMALY)


def why_dependent(ground: Ground, one: Signal, other: Signal) -> str:
    """What both are made from, in words; empty where they have nothing in common, as far as that is declared."""
    if both := set(one.detectors) & set(other.detectors):
        return f"both go by the anomalies of `{min(both)}`"
    if one.measure not in _OTHER_SOURCES and other.measure not in _OTHER_SOURCES:
        pair = _containing(ground, one.subject, other.subject)
        if pair is not None:
            return f"budget `{pair[0]}` counts all spend of `{pair[1]}`"
    shared = metrics_behind(one, ground) & metrics_behind(other, ground)
    return f"both are made from `{min(shared)}`" if shared else ""


def _containing(ground: Ground, one: str, other: str) -> tuple[str, str] | None:
    """Of two budgets the one that counts all spend of the other, and that one; None where that is not sure."""
    for outer, inner in ((one, other), (other, one)):
        wide, narrow = _document(ground, outer), _document(ground, inner)
        if wide is None or narrow is None or wide.spec.currency != narrow.spec.currency:
            return None
        asked = narrow.spec.scope
        if all(label in asked and set(asked[label]) <= set(values) for label, values in wide.spec.scope.items()):
            return outer, inner
    return None


def _document(ground: Ground, name: str) -> BudgetDocument | None:
    document = ground.named("Budget").get(name)
    return document.value if document is not None and isinstance(document.value, BudgetDocument) else None
