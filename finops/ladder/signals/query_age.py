"""A user's own PromQL as a vector, and how to ask when the samples in it were taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import promql_parser

from controlplane.burn_rate import duration
from finops.pricing.selectors import is_vector

MOST_SELECTORS: Final = 8
"""More are not asked about: a query of that size has its own ways to tell that data is missing."""


@dataclass(frozen=True, slots=True)
class QueryParts:
    """`vector` yields the value; each of `times` when the newest sample of one of its selectors was taken."""

    vector: str
    times: tuple[str, ...]


def query_parts(text: str) -> QueryParts:
    """What is no PromQL goes on as it is, for Prometheus to refuse.

    A selector is asked for its newest sample as far back as the query itself reads it; with an offset or a time of its
    own it is meant to be old, and is not asked about. What is absent is not told: the query may well do without it.
    """
    try:
        parsed = promql_parser.parse(text)
    except ValueError:
        return QueryParts(f"({text})", ())
    vector = f"({text})" if is_vector(text) else f"vector({text})"
    return QueryParts(vector, tuple(dict.fromkeys(_times(parsed)))[:MOST_SELECTORS])


def _times(found: object) -> Iterator[str]:
    match found:
        case promql_parser.VectorSelector():
            if found.offset is None and found.at is None:
                yield f"max (timestamp({found.prettify()}))"
        case promql_parser.MatrixSelector():
            yield from _over(found.vector_selector, found.range, "1m")
        case promql_parser.SubqueryExpr():
            if found.offset is None and found.at is None:
                yield from _times(found.expr)
        case promql_parser.Call():
            for argument in found.args:
                yield from _times(argument)
        case promql_parser.BinaryExpr():
            yield from _times(found.lhs)
            yield from _times(found.rhs)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from _times(found.expr)


def _over(selector: promql_parser.VectorSelector, length: timedelta, step: str) -> Iterator[str]:
    if selector.offset is None and selector.at is None:
        text = selector.prettify()
        yield f"(max (timestamp({text})) or max (max_over_time(timestamp({text})[{duration(length)}:{step}])))"
