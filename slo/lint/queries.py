"""The queries of an SLO and the selectors in them, with what each is for."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from controlplane.model.slo import (
    BoolIndicator,
    CompositeIndicator,
    Indicator,
    LatencyIndicator,
    NativeLatencyIndicator,
    Query,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.promql.promql_text import Selector, selectors, tokens, without_placeholders


class Purpose(Enum):
    """What a query is for."""

    TOTAL = "all events"
    BAD = "bad events"
    GOOD = "good events"
    WITHIN = "events within the threshold"
    VALUE = "a value"


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and its purpose. `counted`: its selectors are counters, as far as the query does not say otherwise."""

    query: Query
    purpose: Purpose
    counted: bool = True

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The metric selectors in it that have a name."""
        return selectors_in(self.query.text)


@lru_cache(maxsize=32_768)  # one workspace's queries are looked at by several rules
def selectors_in(text: str) -> tuple[Selector, ...]:
    """The selectors of a query that name their metric."""
    return tuple(each for each in selectors(tokens(without_placeholders(text))) if each.name)


def queries_of(indicator: Indicator) -> Iterator[Asked]:
    """Every query of an indicator."""
    match indicator:
        case RatioIndicator(total=total, bad=bad, good=good, gauges=gauges):
            yield Asked(total, Purpose.TOTAL, not gauges)
            if bad is not None:
                yield Asked(bad, Purpose.BAD, not gauges)
            if good is not None:
                yield Asked(good, Purpose.GOOD, not gauges)
        case LatencyIndicator(within=within, total=total):
            yield Asked(total, Purpose.TOTAL)
            yield Asked(within, Purpose.WITHIN)
        case NativeLatencyIndicator(histogram=histogram):
            yield Asked(histogram, Purpose.TOTAL)
        case RawRatioIndicator(ratio=value) | BoolIndicator(gauge=value) | ThresholdIndicator(value=value):
            yield Asked(value, Purpose.VALUE, counted=False)
        case TimeslicesIndicator(of=inner):
            yield from queries_of(inner)
        case CompositeIndicator(parts=parts):
            for part in parts:
                yield from queries_of(part.indicator)
