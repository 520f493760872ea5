"""Dashboards for a workspace's SLOs: joins what the compiler knows of queries to what dashboards draw."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from controlplane.model.generation import TextFile
from controlplane.model.slo import SLO, Indicator, LatencyIndicator, Query, RatioIndicator, TimeslicesIndicator
from slo.promql.event_query import event_query

if TYPE_CHECKING:
    from alerts.model import AlertsDeclared
    from dashboards.raw_queries import RawQueries
    from dashboards.slo_dashboard import DashboardFile, DashboardOptions
    from flyball.anomalies.declared import AnomaliesDeclared
    from flyball.delivery.declared import DeliveryDeclared
    from flyball.money.declared import MoneyDeclared
    from flyball.synthetics.declared import ChecksDeclared

_STEP: Final = timedelta(minutes=5)


def grafana_files(
    slos: Sequence[SLO], *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboards as files to provision Grafana with; `external_url` is the console's address, for links.

    With more than `shared_above` SLOs they share dashboards. Without `datasource_uid` readers pick the data source.
    """
    from dashboards.slo_dashboard import slo_dashboards

    options = _options(external_url, shared_above, datasource_uid)
    return tuple(map(_text_file, slo_dashboards(slos, options)))


def money_files(
    money: "MoneyDeclared", *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboards about money; none where nothing is declared that they show."""
    options = _options(external_url, shared_above, datasource_uid)
    files: list[DashboardFile] = []
    if money.budgets or money.price_maps or money.unit_costs:
        from dashboards.budget_dashboard import money_dashboards

        files += money_dashboards(money.budgets, options)
    if money.ladders:
        from dashboards.ladder import ladder_dashboards

        files += ladder_dashboards(options)
    return tuple(map(_text_file, files))


def check_files(
    checks: "ChecksDeclared", *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboards of checks from outside; none where nothing is declared that they show."""
    from dashboards.synthetics import check_dashboards

    if not (checks.probes or checks.journeys or checks.pages or checks.golden_paths):
        return ()
    options = _options(external_url, shared_above, datasource_uid)
    return tuple(map(_text_file, check_dashboards(options)))


def alert_files(
    alerts: "AlertsDeclared", *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboard of incidents; none where no route is declared."""
    if alerts.root is None:
        return ()
    from dashboards.incidents import incident_dashboards

    return tuple(map(_text_file, incident_dashboards(_options(external_url, shared_above, datasource_uid))))


def delivery_files(
    delivery: "DeliveryDeclared", *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboard of deliveries; none where nothing about them is declared."""
    if delivery.is_empty:
        return ()
    from dashboards.delivery import delivery_dashboards

    return tuple(map(_text_file, delivery_dashboards(_options(external_url, shared_above, datasource_uid))))


def anomaly_files(
    anomalies: "AnomaliesDeclared", *, external_url: str = "", shared_above: int = 1000, datasource_uid: str = ""
) -> tuple[TextFile, ...]:
    """The dashboard of anomalies; none where no detector is declared."""
    if anomalies.is_empty:
        return ()
    from dashboards.anomalies import anomaly_dashboards

    return tuple(map(_text_file, anomaly_dashboards(_options(external_url, shared_above, datasource_uid))))


class GrafanaFiles:
    """The same after every edit: the dashboards of SLOs that did not change are remembered, not drawn again."""

    def __init__(self, *, external_url: str = "", shared_above: int = 1000) -> None:
        self._external_url = external_url
        self._shared_above = shared_above
        self._own: dict[SLO, TextFile] = {}

    def __call__(
        self,
        slos: Sequence[SLO],
        money: "MoneyDeclared | None" = None,
        checks: "ChecksDeclared | None" = None,
        alerts: "AlertsDeclared | None" = None,
        delivery: "DeliveryDeclared | None" = None,
        anomalies: "AnomaliesDeclared | None" = None,
    ) -> tuple[TextFile, ...]:
        """The dashboards of these SLOs, and of what is declared besides."""
        from dashboards.slo_dashboard import common_dashboards, slo_dashboard

        options = _options(self._external_url, self._shared_above)
        known, own = self._own, slos if len(slos) <= self._shared_above else ()
        self._own = {slo: known.get(slo) or _text_file(slo_dashboard(slo, options)) for slo in own}
        drawn = (*map(_text_file, common_dashboards(slos, options)), *self._own.values())
        url, above = self._external_url, self._shared_above
        about_money = money_files(money, external_url=url, shared_above=above) if money else ()
        about_checks = check_files(checks, external_url=url, shared_above=above) if checks else ()
        about_alerts = alert_files(alerts, external_url=url, shared_above=above) if alerts else ()
        about_delivery = delivery_files(delivery, external_url=url, shared_above=above) if delivery else ()
        unusual = anomaly_files(anomalies, external_url=url, shared_above=above) if anomalies else ()
        return (*drawn, *about_money, *about_checks, *about_alerts, *about_delivery, *unusual)


def _options(external_url: str, shared_above: int, datasource_uid: str = "") -> "DashboardOptions":
    from dashboards.slo_dashboard import DashboardOptions

    return DashboardOptions(
        datasource_uid=datasource_uid, external_url=external_url, shared_above=shared_above, raw_queries=_raw_queries
    )


def _raw_queries(slo: SLO) -> "RawQueries | None":
    from dashboards.raw_queries import RawQueries, raw_queries_of

    counted = _counted(slo.indicator)
    return raw_queries_of(slo) or (RawQueries(*counted) if counted else None)


def _text_file(file: "DashboardFile") -> TextFile:
    return TextFile(file.name, file.json_text)


def _counted(indicator: Indicator) -> tuple[str, str, str] | None:
    """Events per second of the indicator's part and of all, whatever its queries are, and what the part counts.

    None for what is measured in time, or made of parts: what is recorded of it says as much.
    """
    match indicator:
        case RatioIndicator(total=total, bad=bad, good=None, gauges=False) if bad is not None:
            return _rate(bad), _rate(total), "bad"
        case RatioIndicator(total=total, good=good, gauges=False) if good is not None:
            return _rate(good), _rate(total), "good"
        case LatencyIndicator(within=within, total=total):
            return _rate(within), _rate(total), "good"
        case TimeslicesIndicator(of=of):
            return _counted(of)
    return None


def _rate(query: Query) -> str:
    return f"{event_query(query.text).events(_STEP)} / {_STEP // timedelta(seconds=1)}"
