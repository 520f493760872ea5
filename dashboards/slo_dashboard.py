"""Dashboards for SLOs: one each and an overview, or, above a number of SLOs, shared ones with variables."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from grafanalib import core

from controlplane import burn_rate, dashboard_uids
from controlplane import conventions as names
from controlplane.model.slo import SLO
from dashboards import palette, panels
from dashboards.deployments import OF_ONE, deployments_mark
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
from dashboards.overview import overview_bands
from dashboards.promql_text import inert_query, inert_text, inert_url
from dashboards.raw_queries import RawQueries
from dashboards.scope import Scope, scope_of, shared_scope

__all__ = ["DashboardFile", "DashboardOptions", "common_dashboards", "slo_dashboard", "slo_dashboards"]
TAGS: Final = ("flyball", "slo")


def slo_dashboards(slos: Sequence[SLO], options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """Every dashboard for these SLOs, the overview first; the same SLOs in any order give the same bytes."""
    ordered = sorted(slos, key=lambda slo: slo.name)
    own = ordered if len(ordered) <= options.shared_above else ()
    return (*common_dashboards(ordered, options), *[slo_dashboard(slo, options) for slo in own])


def common_dashboards(slos: Sequence[SLO], options: DashboardOptions) -> tuple[DashboardFile, ...]:
    """Those that tell of several SLOs: the overview, and the shared ones where there are many SLOs."""
    ordered = sorted(slos, key=lambda slo: slo.name)
    datasource = datasource_of(options)
    files = [DashboardFile("slos.json", dashboard_text(_overview(ordered, options), datasource))]
    if len(ordered) > options.shared_above:
        windows = {burn_rate.window_name(slo.window): slo.window for slo in ordered}
        for _, window in sorted(windows.items(), key=lambda named: (named[1].length, named[0])):
            scope = shared_scope(window)
            text = dashboard_text(_shared(scope, options), datasource)
            uid = dashboard_uids.shared_uid(scope.window_name)
            files.append(DashboardFile(f"slo-shared-{uid.removeprefix('flyball-slo-')}.json", text))
    return tuple(files)


def slo_dashboard(slo: SLO, options: DashboardOptions) -> DashboardFile:
    """The one that tells of this SLO only; it depends on nothing else."""
    return DashboardFile(_file_name(slo), dashboard_text(_detail(slo, options), datasource_of(options)))


def _file_name(slo: SLO) -> str:
    """`slo-NAME.json`, or by uid when the name would not do as part of a path."""
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", slo.name)
    return f"slo-{slo.name}.json" if plain else f"{dashboard_uids.slo_uid(slo.name)}.json"


def _detail(slo: SLO, options: DashboardOptions) -> core.Dashboard:
    """The dashboard of one SLO."""
    target = f"vector({burn_rate.number(slo.objective)})"
    raw = options.raw_queries(slo)
    if raw:
        raw = RawQueries(inert_query(raw.part), inert_query(raw.everything), raw.counted)
    scope = scope_of(slo)
    return core.Dashboard(
        title=inert_text(f"SLO: {slo.display_name or slo.name}"),
        uid=dashboard_uids.slo_uid(slo.name),
        description=inert_text(slo.description),
        links=[*_links(options, f"/slos/{quote(slo.name, safe='')}"), *_runbook(slo)],
        panels=placed(_bands(scope, target, raw)),
        templating=core.Templating(list=[*datasource_variable(options), *_group_variables(slo, scope)]),
        annotations=core.Annotations(list=_marks(scope)),
        **common(TAGS),
    )


def _shared(scope: Scope, options: DashboardOptions) -> core.Dashboard:
    """The dashboard for whichever SLO with this window the reader picks."""
    target = f"max({scope.series(names.OBJECTIVE)})"
    known = f'{names.SLO_INFO}{{window="{scope.window_name}"'
    return core.Dashboard(
        title=f"SLO, {scope.window_name} window",
        uid=dashboard_uids.shared_uid(scope.window_name),
        description="One service level objective: pick the service, then the SLO.",
        links=_links(options, "/slos/${slo:percentencode}"),
        panels=placed(_bands(scope, target, None)),
        templating=core.Templating(
            list=[
                *datasource_variable(options),
                variable(names.SERVICE, "Service", f"label_values({known}}}, {names.SERVICE})"),
                variable(names.SLO, "SLO", f'label_values({known},{names.SERVICE}="$service"}}, {names.SLO})'),
            ]
        ),
        annotations=core.Annotations(list=_marks(scope)),
        **common(TAGS),
    )


def _overview(slos: Sequence[SLO], options: DashboardOptions) -> core.Dashboard:
    """All SLOs, the least budget first."""
    return core.Dashboard(
        title="SLOs: error budgets",
        uid=dashboard_uids.OVERVIEW,
        description="Every service level objective, those with the least budget left first.",
        links=_links(options, "/"),
        panels=placed(overview_bands(slos, shared=len(slos) > options.shared_above)),
        templating=core.Templating(list=datasource_variable(options)),
        **common(TAGS),
    )


def _bands(scope: Scope, target: str, raw: RawQueries | None) -> list[Band]:
    """From the answer at the top to the evidence at the bottom."""
    page, ticket = names.SEVERITY_PAGE, names.SEVERITY_TICKET
    burning = [panels.burn_rates(scope, each) for each in (page, ticket) if scope.burn_lines(each)]
    events = [panels.traffic(scope), *([panels.raw_events(raw)] if raw else [])]
    numbers = (
        panels.budget_left(scope),
        *([panels.raw_budget_left(scope)] if scope.excluded else []),
        panels.time_left(scope),
        *([panels.resets(scope)] if scope.begins_anew else []),
        panels.window_ratio(scope),
        panels.objective(target),
        panels.coverage(scope),
        panels.firing_count(scope),
    )
    return [
        Band(4, numbers),
        Band(4, (panels.budget_bar(scope),)),
        Band(8, (panels.budget_history(scope), panels.indicator(scope, target))),
        *([Band(8, tuple(burning))] if burning else []),
        Band(8, tuple(events)),
        Band(6, (panels.alert_table(scope), panels.alert_history(scope)), (8, 16)),
        Band(6, (panels.versions(scope),)),
    ]


def _group_variables(slo: SLO, scope: Scope) -> list[core.Template]:
    """One for each grouping label, so that the reader picks a budget; those picked before narrow the next."""
    found = []
    for index, label in enumerate(slo.groups):
        known = replace(scope, groups=slo.groups[:index]).series(names.BUDGET_EVENTS)
        found.append(variable(label, label, f"label_values({known}, {label})"))
    return found


def _links(options: DashboardOptions, console_path: str) -> list[core.DashboardLink]:
    overview = f"/d/{dashboard_uids.OVERVIEW}"
    links = [link("All SLOs", overview, "dashboard", tooltip="Every SLO, the least budget first")]
    if options.external_url:
        console = inert_url(options.external_url.rstrip("/")) + console_path
        links.append(link("Console", console, "external link", tooltip="The same in Flyball's console"))
    return links


def _runbook(slo: SLO) -> list[core.DashboardLink]:
    if not slo.runbook_url:
        return []
    return [link("Runbook", inert_url(slo.runbook_url), "doc", tooltip="What to do when this burns")]


def _marks(scope: Scope) -> list[dict[str, Any]]:
    """Deployments and firing pages, drawn across every chart."""
    pages = panels.firing(scope, names.SEVERITY_PAGE)
    return [
        deployments_mark(panels.new_versions(scope), f"{names.SERVICE}={scope.service}", title=OF_ONE),
        mark("Pages", pages, palette.SPENT, "Page fires", names.SEVERITY),
        reduced_mark(),
    ]
