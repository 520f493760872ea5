"""The dashboard of downshift ladders: tier, signals, what holds it, what it saves."""

from typing import Final

from grafanalib import core

from controlplane import conventions as names
from controlplane import dashboard_uids
from dashboards import ladder_panels as own
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
    variable,
)
from dashboards.grafana_json import dashboard_text
from dashboards.layout import Band, placed
from dashboards.promql_text import inert_url

TAGS: Final = ("flyball", "ladder")


def ladder_dashboards(options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """The one dashboard for all ladders: the reader picks one."""
    dashboard = core.Dashboard(
        title="Downshift ladder",
        uid=dashboard_uids.LADDER,
        description="Service reduced on purpose: which tier is in force, why, and what it saves.",
        links=_links(options),
        panels=placed(_bands()),
        templating=core.Templating(
            list=[
                *datasource_variable(options),
                variable("ladder", "Ladder", f"label_values({names.LADDER_INFO}{{}}, {names.LADDER})"),
            ]
        ),
        annotations=core.Annotations(
            list=[mark("Pages", _pages(), palette.SPENT, "{{alertname}}", "alertname"), deployments_mark()]
        ),
        **common(TAGS),
    )
    return (DashboardFile("ladder.json", dashboard_text(dashboard, datasource_of(options))),)


def _bands() -> list[Band]:
    """From the answer at the top to the evidence at the bottom."""
    return [
        Band(4, own.figures()),
        Band(8, (own.tiers(), own.signals())),
        Band(7, (own.good_signals(), own.held())),
        Band(8, (own.savings(), own.steps(), own.expiry()), (12, 6, 6)),
        Band(6, (own.alerts(),)),
    ]


def _links(options: DashboardOptions) -> list[core.DashboardLink]:
    links = [link("Money", f"/d/{dashboard_uids.MONEY}", "dashboard", tooltip="Every budget about money")]
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/"))
        links.append(link("Console", f"{console}/ladders", "external link", tooltip="The same in Flyball's console"))
    return links


def _pages() -> str:
    picked = f'{names.LADDER}="$ladder",{names.SEVERITY}="{names.SEVERITY_PAGE}"'
    return f'max by (alertname) (ALERTS{{alertstate="firing",{picked}}})'
