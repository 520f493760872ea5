"""What every dashboard has around its panels: options, the data source, variables, links, marks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grafanalib import core

from controlplane import conventions as names
from controlplane.model.slo import SLO
from dashboards import palette, panels
from dashboards.grafana_json import Datasource
from dashboards.raw_queries import RawQueries, raw_queries_of

DATASOURCE_VARIABLE: Final = "${datasource}"


@dataclass(frozen=True, slots=True)
class DashboardOptions:
    """How dashboards are made.

    `datasource_uid`: empty = the reader picks the data source in a variable. `external_url`: our console, for links.
    Above `shared_above` SLOs, dashboards are shared: one per window length with the variables `service` and `slo`.
    `raw_queries` says what to draw of the user's own series; without it, only bare selectors are drawn.
    """

    datasource_uid: str = ""
    external_url: str = ""
    shared_above: int = 1000
    raw_queries: Callable[[SLO], RawQueries | None] = raw_queries_of


@dataclass(frozen=True, slots=True)
class DashboardFile:
    """One JSON file for Grafana; `name` is its path below the dashboards folder, such as `slo-checkout.json`."""

    name: str
    json_text: str


def datasource_of(options: DashboardOptions) -> Datasource:
    """The data source of every query."""
    return {"type": "prometheus", "uid": options.datasource_uid or DATASOURCE_VARIABLE}


def datasource_variable(options: DashboardOptions) -> list[core.Template]:
    """The variable in which the reader picks the data source; none where it is fixed."""
    if options.datasource_uid:
        return []
    return [core.Template(name="datasource", label="Data source", type="datasource", query="prometheus")]


def variable(name: str, label: str, query: str) -> core.Template:
    """Something that the reader picks from what Prometheus knows."""
    return core.Template(
        name=name, label=label, query=query, refresh=core.REFRESH_ON_TIME_RANGE_CHANGE, sort=core.SORT_ALPHA_ASC
    )


def common(tags: Sequence[str]) -> dict[str, Any]:
    """What all dashboards share."""
    return {
        "editable": False,
        "graphTooltip": core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
        "refresh": "1m",
        "tags": list(tags),
        "time": core.Time("now-24h", "now"),
        "timezone": "browser",
    }


def link(title: str, url: str, icon: str, *, tooltip: str) -> core.DashboardLink:
    """A link at the top; to another dashboard it keeps the time range."""
    keep_time = icon == "dashboard"
    return core.DashboardLink(title=title, uri=url, icon=icon, tooltip=tooltip, type="link", keepTime=keep_time)


def mark(name: str, expr: str, colour: str, title: str, tags: str) -> dict[str, Any]:
    """An annotation with a title; consecutive points become one region.

    Grafana marks values above 0 only: a 0 says that it did not happen, no answer that nobody knows.
    """
    return {
        "datasource": None,
        "enable": True,
        "iconColor": colour,
        "name": name,
        "tagKeys": tags,
        "titleFormat": title,
        "target": {
            "datasource": None,
            "expr": f"{expr} or vector(0)",
            "interval": panels.RULE_INTERVAL,
            "refId": "Anno",
        },
    }


def reduced_mark() -> dict[str, Any]:
    """When service was reduced on purpose, drawn across every chart: it explains much that looks like an incident."""
    expr = f"max by ({names.LADDER}) ({names.LADDER_TIER})"
    return mark("Reduced on purpose", expr, palette.ON_PURPOSE, "{{ladder}}: reduced on purpose", names.LADDER)
