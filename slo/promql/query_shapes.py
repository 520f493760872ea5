"""Shapes of expressions that tell what a metric or a query is."""

import re
from collections.abc import Sequence
from typing import Final

import promql_parser as promql

from slo.promql.promql_text import Selector, Token, silent

_RECORDED_RATE: Final = re.compile(r"(?:^|_)(?:i?rate|increase)")  # of level:metric:operations
_COUNTER_ENDINGS: Final = ("_total", "_count", "_bucket")


def is_recorded_rate(selector: Selector) -> bool:
    """Whether it is by its name a rate that a rule recorded (`level:metric:operation`)."""
    level, _, operation = selector.name.rpartition(":")
    return bool(level and _RECORDED_RATE.search(operation)) and not operation.endswith(_COUNTER_ENDINGS)


def only_counter(tree: promql.Expr, listed: Sequence[Token], found: Sequence[Selector]) -> str:
    """The text of the only selector of a query that is its rate or increase, or itself, or their sum; else empty."""
    while isinstance(tree, promql.ParenExpr) or (isinstance(tree, promql.AggregateExpr) and str(tree.op) == "sum"):
        tree = tree.expr
    if isinstance(tree, promql.Call) and str(tree.func.name) in ("rate", "increase"):
        tree = tree.args[0].vector_selector if isinstance(tree.args[0], promql.MatrixSelector) else tree
    if not isinstance(tree, promql.VectorSelector) or tree.offset is not None or len(found) != 1:
        return ""
    return "".join(token.text for token in listed[found[0].first : found[0].last + 1] if not silent(token))


def one_by_one(tree: promql.Expr) -> promql.VectorSelector | None:
    """The selector, when these are its series, each by itself."""
    match tree:
        case promql.ParenExpr():
            return one_by_one(tree.expr)
        case promql.Call() if len(tree.args) == 1:
            return one_by_one(tree.args[0])
        case promql.MatrixSelector():
            return tree.vector_selector
        case promql.VectorSelector():
            return tree
    return None
