"""The dashboard of deliveries: the five DORA metrics by service, and what deployments did to budgets and costs."""

from typing import Final

from grafanalib import core

from controlplane import conventions as names
from controlplane import dashboard_uids
from controlplane import delivery_names as ours
from dashboards import delivery_panels as own
from dashboards.deployments import deployments_mark
from dashboards.frame import (
    DashboardFile,
    DashboardOptions,
    common,
    datasource_of,
    datasource_variable,
    link,
    reduced_mark,
    variable,
)
from dashboards.grafana_json import dashboard_text
from dashboards.layout import Band, placed
from dashboards.promql_text import inert_url

TAGS: Final = ("flyball", "delivery")


def delivery_dashboards(options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """The one dashboard: the reader picks environment, services and window."""
    picked = f'{ours.ENVIRONMENT}="$environment",{names.SERVICE}=~"$service"'
    dashboard = core.Dashboard(
        title="Deliveries",
        uid=dashboard_uids.DELIVERY,
        description="How fast changes reach users, how often they break something, and how soon that is mended.",
        links=_links(options),
        panels=placed(_bands()),
        templating=core.Templating(list=[*datasource_variable(options), *_picked()]),
        annotations=core.Annotations(list=[deployments_mark("", picked), reduced_mark()]),
        **(common(TAGS) | {"time": core.Time("now-30d", "now")}),
    )
    return (DashboardFile("delivery.json", dashboard_text(dashboard, datasource_of(options))),)


def _bands() -> list[Band]:
    """From the answer at the top to the evidence at the bottom."""
    return [
        Band(5, own.figures()),
        Band(8, (own.lead_time(), own.stages())),
        Band(8, (own.deployments(), own.failures())),
        Band(8, (own.lead_times(), own.restore())),
        Band(9, (own.effects(), own.unit_costs())),
        Band(8, (own.samples(), own.intake(), own.behind())),
    ]


def _picked() -> list[core.Template]:
    known = f"{ours.DEPLOYMENT_INFO}{{}}"
    of_environment = f'{ours.DEPLOYMENT_INFO}{{{ours.ENVIRONMENT}="$environment"}}'
    services = variable(names.SERVICE, "Service", f"label_values({of_environment}, {names.SERVICE})")
    services.multi, services.includeAll = True, True
    return [
        variable(ours.ENVIRONMENT, "Environment", f"label_values({known}, {ours.ENVIRONMENT})"),
        services,
        variable(ours.WINDOW, "Window", f"label_values({ours.DEPLOYMENTS_PER_DAY}{{}}, {ours.WINDOW})"),
    ]


def _links(options: DashboardOptions) -> list[core.DashboardLink]:
    links = [link("SLOs", f"/d/{dashboard_uids.OVERVIEW}", "dashboard", tooltip="Every error budget")]
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/"))
        links.append(link("Console", f"{console}/delivery", "external link", tooltip="Each deployment, and why"))
    return links
