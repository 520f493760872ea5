"""How high a signal can get, as far as that is known."""

from decimal import Decimal, InvalidOperation
from typing import Final

import promql_parser

from controlplane.promql import check_promql, with_window
from finops.ladder.model import Measure, Signal

# Shares of an amount: at ten times the amount nobody speaks of a share any more, but of a percentage as it was written.
_SHARES: Final = (Measure.FORECAST, Measure.SPENT, Measure.QUOTA)
WHOLE: Final = {
    Measure.BURN_RATE: "1 is the spend that the budget's pace expects",
    Measure.FORECAST: "1 is the whole amount",
    Measure.SPENT: "1 is the whole amount",
    Measure.SPIKE: "1 is the usual spend",
    Measure.UNIT_COST: "1 is the target",
    Measure.QUOTA: "1 is the whole quota",
    Measure.ANOMALY: "1 is the edge of what is usual",
}
_MOST_SHARE: Final = Decimal(10)
_MOST_RATE: Final = Decimal(1000)
_SAME: Final = frozenset(
    {"sort", "sort_desc", "last_over_time", "max_over_time", "min_over_time", "avg_over_time", "quantile_over_time"}
)
_AGGREGATES: Final = frozenset({"max", "min", "avg", "quantile", "topk", "bottomk"})
_ONE: Final = frozenset({"absent", "absent_over_time", "present_over_time", "sgn", "sin", "cos"})
_COMPARED: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})


def highest(signal: Signal) -> Decimal | None:
    """What the signal never exceeds; None when nothing is known. It may be that it never gets near."""
    if signal.measure is Measure.QUERY:
        return _of_query(signal.query)
    return _MOST_SHARE if signal.measure in _SHARES else _MOST_RATE


def is_in_reach(signal: Signal | None, threshold: Decimal) -> bool:
    """Whether the signal may be at the threshold, as far as that is known."""
    most = highest(signal) if signal is not None else None
    return most is None or threshold <= most


def _of_query(text: str) -> Decimal | None:
    if not text or check_promql(text) is not None:
        return None
    return _bound(promql_parser.parse(with_window(text, "5m")))


def _bound(found: object) -> Decimal | None:
    """By the outermost function or operator: what it cannot exceed, whatever is inside."""
    if isinstance(found, promql_parser.NumberLiteral):
        return _number(found.val)
    if isinstance(found, promql_parser.ParenExpr | promql_parser.SubqueryExpr):
        return _bound(found.expr)
    if isinstance(found, promql_parser.AggregateExpr):
        name = str(found.op)
        return _bound(found.expr) if name in _AGGREGATES else Decimal(1) if name == "group" else None
    if isinstance(found, promql_parser.Call):
        return _of_call(found)
    if isinstance(found, promql_parser.BinaryExpr):
        return _of_operator(found)
    return None


def _of_call(found: promql_parser.Call) -> Decimal | None:
    name, arguments = found.func.name, found.args
    if name in _ONE:
        return Decimal(1)
    if name == "clamp":
        return _least(_bound(arguments[0]), _bound(arguments[2]))
    if name == "clamp_max":
        return _least(_bound(arguments[0]), _bound(arguments[1]))
    if name == "vector":
        return _bound(arguments[0])
    return _bound(arguments[-1]) if name in _SAME and arguments else None


def _of_operator(found: promql_parser.BinaryExpr) -> Decimal | None:
    operator = str(found.op)
    if operator in _COMPARED:
        if found.modifier is not None and found.modifier.return_bool:
            return Decimal(1)
        of_left = _bound(found.lhs)
        return _least(of_left, _bound(found.rhs)) if operator in ("<", "<=", "==") else of_left
    if operator == "and":
        return _bound(found.lhs)
    if operator == "unless":
        return _bound(found.lhs)
    left, right = _bound(found.lhs), _bound(found.rhs)
    if left is None or right is None:
        return None
    if operator == "or":
        return max(left, right)
    if operator == "+":
        return left + right
    return None


def _least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else min(one, other)


def _number(value: float) -> Decimal | None:
    try:
        found = Decimal(repr(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
