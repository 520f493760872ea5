"""The dashboard of anomalies: one series with the band of what is usual, what is open, whether detectors keep up."""

from typing import Any, Final

from grafanalib import core

from controlplane import anomaly_names as ours
from controlplane import dashboard_uids
from dashboards import anomaly_panels as own
from dashboards import palette
from dashboards.deployments import deployments_mark
from dashboards.frame import (
    DashboardFile,
    DashboardOptions,
    common,
    datasource_of,
    datasource_variable,
    link,
    mark,
    reduced_mark,
    variable,
)
from dashboards.grafana_json import dashboard_text
from dashboards.layout import Band, placed
from dashboards.promql_text import inert_url

TAGS: Final = ("flyball", "anomalies")
MATCHERS: Final = r'/^\{((?:[a-zA-Z_]\w*="[^"\\]*",?)+)\} [^ ]+ [^ ]+$/'
"""Of a series as Grafana writes it the part that goes between braces in a query; Grafana escapes nothing there, so that
a series with a quote in a value cannot be picked.
"""


def anomaly_dashboards(options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """The one dashboard: the reader picks a detector, and one of its series."""
    dashboard = core.Dashboard(
        title="Anomalies",
        uid=dashboard_uids.ANOMALIES,
        description="Which series left their daily and weekly shape, and by how much.",
        links=_links(options),
        panels=placed(_bands()),
        templating=core.Templating(list=[*datasource_variable(options), *_picked()]),
        annotations=core.Annotations(list=[_open_mark(), deployments_mark(), reduced_mark()]),
        **common(TAGS),
    )
    return (DashboardFile("anomalies.json", dashboard_text(dashboard, datasource_of(options))),)


def _bands() -> list[Band]:
    """From the answer at the top to the machinery at the bottom."""
    return [
        Band(4, own.figures()),
        Band(12, (own.band(),)),
        Band(7, (own.scores(), own.opened()), (16, 8)),
        Band(4, own.knowledge()),
        Band(9, (own.open_anomalies(), own.worst())),
        Band(7, (own.series_states(), own.coverage(), own.samples())),
        Band(7, (own.cycles(), own.ages(), own.rebuilt())),
        Band(5, (own.alerts(),)),
    ]


def _picked() -> list[core.Template]:
    series = variable("series", "Series", f"query_result({own.choices()})")
    series.regex, series.sort = MATCHERS, core.SORT_DISABLED  # the most unusual first
    return [
        variable(ours.DETECTOR, "Detector", f"label_values({ours.SCORED_AT}{{}}, {ours.DETECTOR})"),
        series,
    ]


def _open_mark() -> dict[str, Any]:
    """When an anomaly of the picked series was open, drawn across every chart."""
    expr = f"{own.of_series(ours.OPEN)}"
    return mark("Anomalies", expr, palette.SPENT, "Anomalous ({{output}})", ours.OUTPUT)


def _links(options: DashboardOptions) -> list[core.DashboardLink]:
    links = [link("SLOs", f"/d/{dashboard_uids.OVERVIEW}", "dashboard", tooltip="Every error budget")]
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/"))
        links.append(link("Console", f"{console}/anomalies", "external link", tooltip="Why, and what to make of it"))
    return links
