"""`up: auto`: the series that says whether what a query measures is there at all."""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Final

from controlplane.model.slo import Indicator, Query
from slo.promql.promql_text import selectors, tokens, without_placeholders

AUTO: Final = "auto"
_JOB: Final = "job"


def up_of(indicator: Indicator) -> str | None:
    """`up{job="checkout"}` for queries that say `job="checkout"`; None when they don't, or name several jobs."""
    jobs = {
        matcher.value
        for query in _queries(indicator)
        for selector in selectors(tokens(without_placeholders(query.text)))
        for matcher in selector.matchers
        if matcher.label == _JOB and matcher.operator == "="
    }
    return f"up{{{_JOB}={json.dumps(jobs.pop(), ensure_ascii=False)}}}" if len(jobs) == 1 else None


def _queries(part: object) -> Iterator[Query]:
    """Every query in an indicator, whatever its kind, and in its parts."""
    if isinstance(part, Query):
        yield part
    elif isinstance(part, tuple):
        for each in part:
            yield from _queries(each)
    elif is_dataclass(part) and not isinstance(part, type):
        for field in fields(part):
            yield from _queries(getattr(part, field.name))
