"""SLOs for tests."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from controlplane.model.slo import SLO, Indicator, LatencyIndicator, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition

POSITION = SourcePosition("slo.yaml", 1, 1)


def query(text: str) -> Query:
    return Query(text, POSITION)


def an_slo(name: str, indicator: Indicator, objective: str = "0.999", days: float = 30, **fields: Any) -> SLO:
    window = RollingWindow(timedelta(days=days))
    return SLO(name, fields.pop("service", "shop"), Decimal(objective), window, indicator, POSITION, **fields)


def requests(job: str) -> RatioIndicator:
    """The non-5xx share of `http_requests_total`."""
    return RatioIndicator(
        total=query(f'http_requests_total{{job="{job}"}}'),
        bad=query(f'http_requests_total{{job="{job}",code=~"5.."}}'),
        good=None,
    )


def good_requests(job: str) -> RatioIndicator:
    """The same, by its good events."""
    return RatioIndicator(
        total=query(f'sum(rate(http_requests_total{{job="{job}"}}[1m]))'),
        bad=None,
        good=query(f'sum(rate(http_requests_total{{job="{job}",code!~"5.."}}[1m]))'),
    )


def latency(job: str, le: str = "0.3") -> LatencyIndicator:
    """The share of requests within a bound."""
    return LatencyIndicator(
        within=query(f'http_request_duration_seconds_bucket{{job="{job}",le="{le}"}}'),
        total=query(f'http_request_duration_seconds_count{{job="{job}"}}'),
        threshold=Decimal(le),
    )
