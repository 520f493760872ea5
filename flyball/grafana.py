"""Dashboards for a workspace's SLOs: joins what the compiler knows of queries to what dashboards draw."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO, LatencyIndicator, Query
from slo.event_query import event_query

_STEP: Final = timedelta(minutes=5)


def grafana_files(
    slos: Sequence[SLO], *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboards as files to provision Grafana with; `external_url` is the console's address, for links.

    With more than `shared_above` SLOs they share dashboards. Without `datasource_uid` readers pick the data source.
    """
    from dashboards.raw_queries import RawQueries, raw_queries_of
    from dashboards.slo_dashboard import DashboardOptions, slo_dashboards

    def raw_queries(slo: SLO) -> RawQueries | None:
        return raw_queries_of(slo) or RawQueries(*_counted(slo))

    options = DashboardOptions(
        datasource_uid=datasource_uid, external_url=external_url, shared_above=shared_above, raw_queries=raw_queries
    )
    return tuple(TextFile(file.name, file.json_text) for file in slo_dashboards(slos, options))


def _counted(slo: SLO) -> tuple[str, str, str]:
    """Events per second of the indicator's part and of all, whatever its queries are, and what the part counts."""
    indicator = slo.indicator
    if isinstance(indicator, LatencyIndicator):
        return _rate(indicator.within), _rate(indicator.total), "good"
    if indicator.bad is not None:
        return _rate(indicator.bad), _rate(indicator.total), "bad"
    assert indicator.good is not None
    return _rate(indicator.good), _rate(indicator.total), "good"


def _rate(query: Query) -> str:
    return f"{event_query(query.text).events(_STEP)} / {_STEP // timedelta(seconds=1)}"
