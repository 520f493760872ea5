"""The parts that apply SLO files, joined from settings: for the daemon of `flyball up` and for `flyball apply`."""

from controlplane.adapters.dashboard_folder import DashboardFolderOnDisk
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.promtool import explain_refusal
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.rulefile import to_yaml
from flyball.grafana import GrafanaFiles
from flyball.remembered_rules import RememberedTexts
from flyball.settings import Settings
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions
from slo.daemon import SLODaemon
from slo.ports import Journal, Workspace


def slo_workspace(settings: Settings) -> SLOWorkspace:
    """The files of the workspace; dashboards only where somebody picks them up."""
    options = CompileOptions(
        external_url=settings.external_url,
        runbook_url_template=settings.runbook_url_template,
        shared_above=settings.shared_above,
    )
    make_dashboards = GrafanaFiles(external_url=settings.external_url, shared_above=settings.shared_above)
    return SLOWorkspace(
        settings.folder, options, settings.rules_directory, make_dashboards if settings.dashboards_directory else None
    )


def slo_daemon(settings: Settings, workspace: Workspace, engine: PrometheusBackend, journal: Journal) -> SLODaemon:
    """The daemon that applies `workspace` to `engine`."""
    dashboards = settings.dashboards_directory
    return SLODaemon(
        workspace=workspace,
        folder=RuleFolderOnDisk(settings.rules_directory),
        engine=engine,
        journal=journal,
        to_yaml=RememberedTexts(to_yaml),
        dashboards=DashboardFolderOnDisk(dashboards) if dashboards else None,
        explain=explain_refusal,
    )
