"""The dashboard of checks from outside: verdicts, one check by region, probers, golden paths, status pages."""

from typing import Any, Final

from grafanalib import core

from controlplane import check_names, dashboard_uids
from controlplane import conventions as names
from dashboards import palette
from dashboards import synthetics_panels as own
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

TAGS: Final = ("flyball", "checks")


def check_dashboards(options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """The one dashboard for all checks; it does not depend on which there are: the reader picks one."""
    dashboard = core.Dashboard(
        title="Checks from outside",
        uid=dashboard_uids.SYNTHETICS,
        description="Probes and journeys from every region, what they say together, and what the public is told.",
        links=_links(options),
        panels=placed(_bands()),
        templating=core.Templating(list=[*datasource_variable(options), *_picked()]),
        annotations=core.Annotations(list=_marks()),
        **common(TAGS),
    )
    return (DashboardFile("synthetics.json", dashboard_text(dashboard, datasource_of(options))),)


def _bands() -> list[Band]:
    """From the answer at the top to the evidence at the bottom."""
    return [
        Band(4, own.counts()),
        Band(9, (own.checks_table(),)),
        Band(6, (own.region_states(),)),
        Band(8, (own.success(), own.durations(), own.failures())),
        Band(8, (own.phases(), own.steps(), own.certificates())),
        Band(7, (own.reports(), own.buffered(), own.refused())),
        Band(7, (own.path_table(), own.disagreements()), (10, 14)),
        Band(4, own.status_figures()),
        Band(7, (own.components(), own.uptime_table()), (16, 8)),
    ]


def _picked() -> list[core.Template]:
    runs = check_names.CHECK_VERDICT
    return [
        variable("kind", "Kind", f"label_values({runs}{{}}, kind)"),
        variable("check", "Check", f'label_values({runs}{{kind="$kind"}}, check)'),
    ]


def _links(options: DashboardOptions) -> list[core.DashboardLink]:
    links = [
        link(
            "All SLOs",
            f"/d/{dashboard_uids.OVERVIEW}",
            "dashboard",
            tooltip="Every SLO, the least left first",
        )
    ]
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/"))
        links.append(link("Console", f"{console}/checks", "external link", tooltip="The same in Flyball's console"))
        links.append(link("Golden paths", f"{console}/golden-paths", "external link", tooltip="What watches them"))
    return links


def _marks() -> list[dict[str, Any]]:
    """What pages, drawn across every chart."""
    firing = f"max by (check) ({own.firing(names.SEVERITY_PAGE)})"
    return [mark("Pages", firing, palette.SPENT, "{{check}} pages", "check"), deployments_mark(), reduced_mark()]
