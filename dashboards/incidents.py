"""The dashboard of incidents: how many are open, who has them, and whether people are reached."""

from typing import Final

from grafanalib import core

from controlplane import dashboard_uids
from controlplane import incident_names as ours
from dashboards import incident_panels as own
from dashboards import palette
from dashboards.deployments import deployments_mark
from dashboards.frame import DashboardFile, DashboardOptions, common, datasource_of, datasource_variable, link, mark
from dashboards.grafana_json import dashboard_text
from dashboards.layout import Band, placed
from dashboards.promql_text import inert_url

TAGS: Final = ("flyball", "incidents")


def incident_dashboards(options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """The one dashboard."""
    opened = f"changes(max by (incident, priority) ({ours.INCIDENT_OPENED})[1m:]) >= 0"
    dashboard = core.Dashboard(
        title="Incidents",
        uid=dashboard_uids.INCIDENTS,
        description="Which incidents are open, who has them, and whether those who must know are reached.",
        links=_links(options),
        panels=placed(
            [
                Band(4, own.figures()),
                Band(8, (own.incidents(), own.deliveries())),
                Band(8, (own.delays(), own.waiting())),
                Band(7, (own.on_call(), own.follow_up()), (16, 8)),
                Band(6, (own.alerts(),)),
            ]
        ),
        templating=core.Templating(list=list(datasource_variable(options))),
        annotations=core.Annotations(
            list=[mark("Incidents", opened, palette.SPENT, "{{incident}}", "priority"), deployments_mark()]
        ),
        **common(TAGS),
    )
    return (DashboardFile("incidents.json", dashboard_text(dashboard, datasource_of(options))),)


def _links(options: DashboardOptions) -> list[core.DashboardLink]:
    links = [link("SLOs", f"/d/{dashboard_uids.OVERVIEW}", "dashboard", tooltip="Every error budget")]
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/"))
        links.append(link("Console", f"{console}/incidents", "external link", tooltip="Acknowledge, resolve, note"))
    return links
