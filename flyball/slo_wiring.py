"""The parts that apply SLO files, joined from settings: for the daemon of `flyball up` and for `flyball apply`."""

from controlplane.adapters.dashboard_folder import DashboardFolderOnDisk
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.promtool import explain_refusal
from controlplane.adapters.rule_folder import RuleFolderOnDisk
from controlplane.adapters.ruler import Ruler, RulerAddress, RulerProduct
from controlplane.model.generation import TextFile
from controlplane.ports import RuleEngine
from controlplane.rulefile import to_yaml
from flyball.alerting.declared import NO_ALERTS
from flyball.alerting.reading import RECORD_FILE, alerts_recorded
from flyball.grafana import GrafanaFiles
from flyball.remembered_rules import RememberedTexts
from flyball.settings import Settings
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions
from slo.daemon import SLODaemon
from slo.generation import MARKER_GROUP
from slo.ports import Journal, Workspace


def slo_workspace(settings: Settings) -> SLOWorkspace:
    """The files of the workspace; dashboards only where somebody picks them up."""
    options = CompileOptions(
        external_url=settings.external_url,
        runbook_url_template=settings.runbook_url_template,
        shared_above=settings.shared_above,
    )
    make_dashboards = GrafanaFiles(external_url=settings.external_url, shared_above=settings.shared_above)
    workspace = SLOWorkspace(
        settings.folder, options, settings.rules_directory, make_dashboards if settings.dashboards_directory else None
    )
    folder = RuleFolderOnDisk(settings.rules_directory)
    copy = folder.current()
    workspace.begin_with(alerts_recorded(folder.read_one(copy, RECORD_FILE) or "") if copy else NO_ALERTS)
    return workspace


def with_credentials(settings: Settings) -> str:
    """Prometheus' URL with user and password, if it has any; a secret."""
    if settings.prometheus_credentials is None:
        return settings.prometheus_url
    scheme, _, rest = settings.prometheus_url.partition("://")
    return f"{scheme}://{settings.prometheus_credentials.reveal()}@{rest}"


def rule_engine(settings: Settings, prometheus: PrometheusBackend) -> RuleEngine:
    """What evaluates our rules: the ruler that the settings name, or Prometheus."""
    ruler = settings.ruler
    if ruler is None:
        return prometheus
    folder = RuleFolderOnDisk(settings.rules_directory)
    address = RulerAddress(
        RulerProduct(ruler.target),
        ruler.url,
        ruler.namespace,
        ruler.tenant,
        ruler.token.reveal() if ruler.token else "",
        ruler.credentials.reveal() if ruler.credentials else "",
    )
    return Ruler(address, lambda: rule_files_of(folder), marker=MARKER_GROUP)


def rule_files_of(folder: RuleFolderOnDisk) -> tuple[TextFile, ...]:
    """The rule files of the generation to which the folder points."""
    copy = folder.current()
    return tuple(file for file in folder.read(copy) if file.name.endswith(".yaml")) if copy else ()


def slo_daemon(settings: Settings, workspace: Workspace, engine: PrometheusBackend, journal: Journal) -> SLODaemon:
    """The daemon that applies `workspace` to `engine`, or to the ruler that the settings name."""
    dashboards = settings.dashboards_directory
    return SLODaemon(
        workspace=workspace,
        folder=RuleFolderOnDisk(settings.rules_directory),
        engine=rule_engine(settings, engine),
        journal=journal,
        to_yaml=RememberedTexts(to_yaml),
        dashboards=DashboardFolderOnDisk(dashboards) if dashboards else None,
        explain=explain_refusal,
    )
