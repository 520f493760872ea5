"""SLOs to make dashboards of."""

from datetime import timedelta
from decimal import Decimal

from controlplane.model.slo import SLO, Indicator, LatencyIndicator, Query, RatioIndicator, RollingWindow
from controlplane.model.source import SourcePosition

HERE = SourcePosition("slos.yaml", 1, 1)
NASTY = "a\"b\\c'd`$slo ${__from} [[slo]] {{x}} </script> ü\nline"


def query(text: str) -> Query:
    return Query(text, HERE)


def ratio(job: str = "checkout") -> RatioIndicator:
    total = f'http_requests_total{{job="{job}"}}'
    return RatioIndicator(query(total), query(f'http_requests_total{{job="{job}",code=~"5.."}}'), None)


def latency(job: str = "checkout") -> LatencyIndicator:
    return LatencyIndicator(
        within=query(f'graphql_latency_bucket{{job="{job}",le="0.35"}}'),
        total=query(f'graphql_latency_count{{job="{job}"}}'),
        threshold=Decimal("0.35"),
    )


def slo(
    name: str = "checkout",
    *,
    indicator: Indicator | None = None,
    objective: str = "0.999",
    days: int = 30,
    text: str = "Requests that were answered without a server error.",
) -> SLO:
    return SLO(
        name=name,
        service="checkout",
        objective=Decimal(objective),
        window=RollingWindow(timedelta(days=days)),
        indicator=indicator or ratio(),
        source=HERE,
        display_name="Checkout availability" if name == "checkout" else text,
        description=text,
        owner="team-shop",
        runbook_url="https://runbooks.example/checkout",
    )
