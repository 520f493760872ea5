"""Which raw series an expression looks at, as selectors that can be asked about by themselves."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

import promql_parser

MOST_SELECTORS: Final = 8  # of an expression are asked about, the first ones
_ABSENT: Final = ("absent", "absent_over_time")  # they have a value because samples are missing
_NOW: Final = (None, timedelta(0))


def selectors_of(query: str) -> tuple[str, ...]:
    """The expression's vector selectors, each once, in their order, without ranges; none of what is no PromQL.

    Left out is what looks at another time than the step's (`offset`, `@`, also of a subquery around it), and what is
    asked whether it is absent.
    """
    try:
        tree = promql_parser.parse(query)
    except ValueError:
        return ()
    return tuple(dict.fromkeys(_selectors(tree)))[:MOST_SELECTORS]


def _selectors(expression: object) -> Iterator[str]:
    if isinstance(expression, promql_parser.VectorSelector | promql_parser.SubqueryExpr) and not _is_of_now(expression):
        return
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.prettify()
    for part in _parts(expression):
        yield from _selectors(part)


def _is_of_now(expression: promql_parser.VectorSelector | promql_parser.SubqueryExpr) -> bool:
    return expression.offset in _NOW and expression.at is None


def _parts(expression: object) -> Sequence[object]:
    match expression:
        case promql_parser.MatrixSelector():
            return (expression.vector_selector,)
        case promql_parser.BinaryExpr():
            return (expression.lhs, expression.rhs)
        case promql_parser.Call():
            return () if expression.func.name in _ABSENT else tuple(expression.args)
        case (
            promql_parser.SubqueryExpr()
            | promql_parser.AggregateExpr()
            | promql_parser.ParenExpr()
            | promql_parser.UnaryExpr()
        ):
            return (expression.expr,)
        case _:
            return ()
