"""The page of one SLO: charts, conditions, history, links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

from controlplane import conventions as names
from controlplane import dashboard_uids
from controlplane.burn_rate import window_name
from controlplane.model.alert import StoredAlert
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from flyball.web import charts, pages
from flyball.web.gathering import PastOfSLO, Scene
from flyball.web.remembered import Reading
from flyball.web.state import ConsoleOptions
from slo.exclusions.views import exclusion_rows
from slo.status import quoted
from slo.views import SLORow, group_rows, slo_detail, time_left


@dataclass(frozen=True, slots=True)
class Span:
    """How far back the charts go, and in what steps."""

    length: timedelta
    step: timedelta
    name: str


RANGES: Final = {
    "1d": Span(timedelta(days=1), timedelta(minutes=10), "1 day"),
    "7d": Span(timedelta(days=7), timedelta(hours=1), "7 days"),
    "30d": Span(timedelta(days=30), timedelta(hours=3), "30 days"),
}


def chosen_group(row: SLORow, asked: Mapping[str, str]) -> SLORow:
    """Of a grouped SLO the budget that the reader asked for by its labels, else the worst; any other row itself."""
    groups = group_rows(row)
    return next(
        (each for each in groups if all(asked.get(label, value) == value for label, value in each.group)),
        groups[0] if groups else row,
    )


def slo_page(row: SLORow, past: Reading[PastOfSLO], scene: Scene, options: ConsoleOptions) -> dict[str, object]:
    """What `slo.html` shows."""
    slo, known = row.slo, past.value
    drawn = (charts.budget_chart(known.history), charts.sli_chart(known.history, float(slo.objective))) if known else ()
    own = {names.SLO: slo.name, **dict(row.group)}
    firing, recent = ([it for it in each if _tells_of(it, own)] for each in (scene.alerts.firing, scene.alerts.recent))
    return {
        "row": row,
        "detail": slo_detail(row, known.burn if known else None),
        "exclusions": exclusion_rows([(it, (slo.name,)) for it in slo.exclusions], scene.now),
        "by_budget": slo.alerting.method is AlertMethod.BUDGET,
        "charts": drawn,
        "past": past,
        "gone_in": time_left(slo, row.measured),
        "firing": firing,
        "worst": _worst(firing),
        "recent": recent,
        "links": _links(slo, options, shared=len(scene.slos) > options.shared_above),
    }


def _tells_of(stored: StoredAlert, own: Mapping[str, str]) -> bool:
    """Whether an alert is about this budget; one that names no group is about all of them."""
    labels = {names.SLO: "", **stored.alert.labels}
    return all(labels.get(key, value) == value for key, value in own.items())


def _worst(firing: list[StoredAlert]) -> str:
    told = (it.alert.annotations.get(names.WORST, "").strip().rstrip(";") for it in firing)
    return next((worst for worst in told if worst), "")


def _links(slo: SLO, options: ConsoleOptions, *, shared: bool) -> list[tuple[str, str]]:
    """Name and address of every place outside that shows this SLO; only those that a browser may be sent to."""
    selector = f"{{{names.SLO}={quoted(slo.name)}}}"
    prometheus, grafana = options.prometheus_url.rstrip("/"), options.grafana_url.rstrip("/")
    uid = dashboard_uids.shared_uid(window_name(slo.window)) if shared else dashboard_uids.slo_uid(slo.name)
    dashboard = f"{grafana}/d/{uid}?{urlencode({f'var-{names.SLO}': slo.name})}"
    graph = urlencode({"g0.expr": f"{names.BUDGET_REMAINING}{selector}", "g0.tab": "0", "g0.range_input": "30d"})
    silence = urlencode({"filter": selector})
    found = (
        ("Runbook", slo.runbook_url),
        ("Dashboard", dashboard if grafana else ""),
        ("Prometheus", f"{prometheus}/graph?{graph}" if prometheus else ""),
        ("Alertmanager", f"{options.alertmanager_url.rstrip('/')}/#/alerts?{silence}"),
    )
    return [(name, pages.web_link(url)) for name, url in found if pages.web_link(url)]
