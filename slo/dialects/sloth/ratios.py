"""Queries of Sloth's users that do not count events: only their ratio can be taken, as Sloth takes it."""

from typing import Final

from controlplane.model.slo import Query, RawRatioIndicator
from controlplane.problems import Severity
from slo.promql.event_query import QueryFault
from slo.promql.value_query import value_query
from slo.promql.written_queries import Found, Written

_COUNTS_NOTHING: Final = "query"  # the rule of problems that a ratio does not have


def as_ratio(bad: Written, total: Written, counted: Found) -> Found:
    """The ratio of the two queries, each minute as heavy as any other, with a warning; `counted` if it is none either.

    `counted` is what came of reading them as counts of events.
    """
    if any(problem.rule != _COUNTS_NOTHING for problem in counted.problems):
        return counted
    text = f"({bad.text.strip()})\n/\n({total.text.strip()})"
    try:
        value_query(text)
    except QueryFault:
        return counted
    first = next(problem for problem in counted.problems if problem.severity is Severity.ERROR)
    problem = bad.document.problem(
        *bad.path,
        message=f"each minute weighs the same, because events cannot be counted here: {first.message}",
        hint=first.hint,
        severity=Severity.WARNING,
        rule=_COUNTS_NOTHING,
    )
    return Found(RawRatioIndicator(Query(text, bad.document.position_of(*bad.path)), is_failure=True), (problem,))
