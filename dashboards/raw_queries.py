"""What to draw of the user's own series: rates over whatever step the reader has chosen."""

from dataclasses import dataclass

import promql_parser

from controlplane.model.slo import SLO, LatencyIndicator, Query, RatioIndicator
from dashboards.promql_text import inert_query


@dataclass(frozen=True, slots=True)
class RawQueries:
    """PromQL on the user's own series, in events per second; `counted` says what `part` counts: `bad` or `good`."""

    part: str
    everything: str
    counted: str = "bad"


def raw_queries_of(slo: SLO) -> RawQueries | None:
    """Rates of the indicator's counters; None unless its queries are bare selectors, which alone can be wrapped."""
    match slo.indicator:
        case RatioIndicator(total=total, bad=bad, good=None, gauges=False) if bad is not None:
            part, counted = bad, "bad"
        case RatioIndicator(total=total, good=good, gauges=False) if good is not None:
            part, counted = good, "good"
        case LatencyIndicator(within=within, total=total):
            part, counted = within, "good"
        case _:
            return None
    rates = _rate(part), _rate(total)
    return RawQueries(rates[0], rates[1], counted) if rates[0] and rates[1] else None


def _rate(query: Query) -> str | None:
    text = inert_query(query.text)
    try:
        bare = isinstance(promql_parser.parse(text), promql_parser.VectorSelector)
    except ValueError:
        return None
    return f"sum(rate({text}[$__rate_interval]))" if bare and " offset " not in text else None
