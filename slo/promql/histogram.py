"""Latency on a classic histogram: which bucket, and how its bound may be written."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from slo.promql.event_query import EventQuery
from slo.promql.promql_text import Matcher, Selector


class LatencyFault(Exception):
    """Buckets that count something else than the events within a threshold."""

    def __init__(self, message: str, hint: str, *, in_good: bool, at: Selector) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.in_good = in_good
        self.offset = at.start
        self.length = max(1, len(at.name))


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters [start, end) to replace by `text`; nothing when `text` is None."""

    start: int = 0
    end: int = 0
    text: str | None = None

    def apply(self, whole: str) -> str:
        """The text with the edit made."""
        return whole if self.text is None else whole[: self.start] + self.text + whole[self.end :]


@dataclass(frozen=True, slots=True)
class Latency:
    """A threshold, and what to change in the queries so that every Prometheus finds its buckets."""

    threshold: Decimal
    within: Edit
    total: Edit


def latency_of(good: EventQuery, total: EventQuery) -> Latency | None:
    """Recognize `x_bucket{le="0.3"}` of `x_count` (or of `x_bucket{le="+Inf"}`, or of `x_bucket`); None: no latency.

    Raises `LatencyFault` for buckets that would count events several times or never.
    """
    if len(good.selectors) != 1 or not good.selectors[0].name.endswith("_bucket"):
        return None
    bucket = good.selectors[0]
    bounds = [matcher for matcher in bucket.matchers if matcher.label == "le"]
    if len(bounds) != 1:
        raise LatencyFault(
            "without one `le` a histogram counts each event several times",
            'add the threshold, such as le="0.3"',
            in_good=True,
            at=bucket,
        )
    threshold = _threshold(bounds[0])
    if threshold is None:
        raise LatencyFault(
            f'`le{bounds[0].operator}"{bounds[0].value}"` is not one threshold',
            'write the bound of one bucket, such as le="0.3"',
            in_good=True,
            at=bucket,
        )
    return Latency(threshold, _either_spelling(bounds[0], threshold), _all_events(total))


def _threshold(bound: Matcher) -> Decimal | None:
    """The number that an `le` asks for, also when it is written as `1|1.0`."""
    if bound.operator == "=":
        spellings = [bound.value]
    elif bound.operator == "=~":
        spellings = bound.value.replace("\\.", ".").replace("[.]", ".").split("|")
    else:
        return None
    try:
        numbers = {Decimal(spelling) for spelling in spellings}
    except InvalidOperation:
        return None
    (number,) = numbers if len(numbers) == 1 else (Decimal("NaN"),)
    return number if number.is_finite() else None


def _either_spelling(bound: Matcher, threshold: Decimal) -> Edit:
    """Prometheus 3 writes whole bounds as 1.0, older ones as 1: match both, and nothing else."""
    if bound.operator != "=" or threshold != threshold.to_integral_value():
        return Edit()
    whole = f"{threshold.to_integral_value():f}"
    spellings = dict.fromkeys((whole, f"{whole}.0", bound.value))
    pattern = "|".join(re.sub(r"([.+])", r"\\\\\1", spelling) for spelling in spellings)
    return Edit(bound.operator_start, bound.value_token.end, f'=~"{pattern}"')


def _all_events(total: EventQuery) -> Edit:
    """Of a total made of buckets, the one that holds all events."""
    buckets = [selector for selector in total.selectors if selector.name.endswith("_bucket")]
    if not buckets:
        return Edit()
    (bucket, *others) = buckets
    bounds = [matcher for matcher in bucket.matchers if matcher.label == "le"]
    if others or len(total.selectors) > 1 or any(not _is_all(bound) for bound in bounds):
        raise LatencyFault(
            "this is not the number of all events", 'use x_count, or le="+Inf"', in_good=False, at=bucket
        )
    if bounds:
        return Edit()
    if bucket.brace is None:
        end = bucket.start + len(bucket.name)
        return Edit(end, end, '{le="+Inf"}')
    return Edit(bucket.brace + 1, bucket.brace + 1, 'le="+Inf"' + ("," if bucket.matchers else ""))


def _is_all(bound: Matcher) -> bool:
    return bound.operator == "=" and bound.value.lower() in ("+inf", "inf")
