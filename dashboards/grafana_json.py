"""What grafanalib says, mended to the shapes that Grafana has today, as deterministic text.

grafanalib 0.7.1 (its latest) still emits Grafana 6 and 7: nulls for what is not set, fields that are gone, a bar gauge
with `fieldOptions`, a first threshold of `"null"`, targets that know no exemplars. The shapes wanted are those of
`@grafana/schema`; a test compiles every dashboard against them.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final

from grafanalib import core

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Datasource = dict[str, str]  # type and uid
Object = dict[str, Any]  # JSON on its way out; every shape of it is held by the type test

SCHEMA_VERSION: Final = 39  # Grafana 10.4 and newer; older shapes would be migrated at every load
_GONE_FROM_DASHBOARD: Final = ("__inputs", "gnetId", "hideControls", "rows", "sharedCrosshair", "style")
_GONE_FROM_PANEL: Final = ("editable", "error", "height", "span", "minSpan", "columns", "fontSize")
_GONE_FROM_VARIABLE: Final = ("auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags")
_WHERE_NULL_SPEAKS: Final = "steps"  # the first threshold has no lower bound, which is written null


class PrometheusTarget(core.Target):  # type: ignore[misc]  # grafanalib has no types
    """A query to Prometheus in today's shape; `exemplar` asks for the traces behind the series."""

    def __init__(self, *, exemplar: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.exemplar = exemplar

    def to_json_data(self) -> Object:
        """Only what the Prometheus data source reads."""
        return {
            "datasource": self.datasource,
            "editorMode": "code",
            "exemplar": self.exemplar,
            "expr": self.expr,
            "format": self.format,
            "instant": self.instant,
            "interval": self.interval or None,
            "legendFormat": self.legendFormat,
            "range": not self.instant,
            "refId": self.refId,
        }


def dashboard_text(dashboard: core.Dashboard, datasource: Datasource) -> str:
    """The dashboard as Grafana's file provisioning takes it: sorted keys, two spaces, a newline at the end."""
    data = mended(dashboard, datasource)
    return json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def mended(dashboard: core.Dashboard, datasource: Datasource) -> Object:
    """The dashboard as plain data in today's shape; panels are numbered from 1 in their order.

    `datasource` is given to every panel, target, annotation and query variable that names none.
    """
    data: Object = _plain(dashboard.auto_panel_ids())
    _drop(data, _GONE_FROM_DASHBOARD)
    data["schemaVersion"] = SCHEMA_VERSION
    data["timepicker"].pop("time_options", None)
    for variable in data["templating"]["list"]:
        _mend_variable(variable)
    for panel in data["panels"]:
        _mend_panel(panel)
    for asking in _asking(data):
        asking["datasource"] = asking["datasource"] or datasource
    result = _without_nulls(data)
    assert isinstance(result, dict)
    return result


def _asking(data: Object) -> list[Object]:
    """Whatever sends a query."""
    panels: list[Object] = data["panels"]
    variables: list[Object] = [each for each in data["templating"]["list"] if each["type"] == "query"]
    targets = [target for panel in panels for target in panel["targets"]]
    marks: list[Object] = data["annotations"]["list"]
    return [*panels, *targets, *variables, *marks, *[mark["target"] for mark in marks]]


def _plain(value: Any) -> Any:
    """JSON values of grafanalib's objects, all the way down."""
    if hasattr(value, "to_json_data"):
        return _plain(value.to_json_data())
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _without_nulls(value: Any, *, parent: str = "") -> Any:
    if isinstance(value, dict):
        keep = value if parent == _WHERE_NULL_SPEAKS else {k: v for k, v in value.items() if v is not None}
        return {key: _without_nulls(item, parent=key) for key, item in keep.items()}
    if isinstance(value, list):
        return [_without_nulls(item, parent=parent) for item in value]
    return value


def _drop(data: Object, keys: Iterable[str]) -> None:
    for key in keys:
        data.pop(key, None)


def _mend_variable(variable: Object) -> None:
    _drop(variable, _GONE_FROM_VARIABLE)
    current = variable["current"]
    if current.get("value") is None:
        variable["current"] = None
    else:
        current.pop("tags", None)


def _mend_panel(panel: Object) -> None:
    _drop(panel, _GONE_FROM_PANEL)
    if panel["repeat"] is None:
        _drop(panel, ("repeat", "repeatDirection", "maxPerRow"))
    _mend_of_type.get(panel["type"], _mend_nothing)(panel)
    config = panel["fieldConfig"]
    config.setdefault("overrides", [])
    steps = config["defaults"].get("thresholds", {}).get("steps") or []
    config["defaults"]["thresholds"] = {
        "mode": "absolute",
        "steps": [_mend_threshold(step) for step in steps] or [{"color": "text", "value": None}],
    }


def _mend_threshold(step: Object) -> Object:
    return {"color": step["color"], "value": None if step["value"] in (None, "null") else step["value"]}


def _mend_nothing(panel: Object) -> None:
    """Its shape is today's already."""


def _mend_stat(panel: Object) -> None:
    defaults, options = panel["fieldConfig"]["defaults"], panel["options"]
    defaults["color"] = defaults["color"] or {"mode": "thresholds"}
    options.setdefault("percentChangeColorMode", "standard")
    options.setdefault("showPercentChange", False)
    options.setdefault("wideLayout", True)


def _mend_bar_gauge(panel: Object) -> None:
    old: Object = panel["options"].pop("fieldOptions")
    was: Object = old["defaults"]
    defaults: Object = panel["fieldConfig"]["defaults"]
    for key in ("decimals", "max", "min", "unit"):
        defaults.setdefault(key, was[key])
    defaults.setdefault("mappings", old["mappings"])
    defaults.setdefault("color", {"mode": "thresholds"})
    defaults["thresholds"] = {"steps": old["thresholds"]}
    _drop(panel["options"], ("showThresholdLabels", "showThresholdMarkers"))
    panel["options"] |= {
        "legend": {"calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False},
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "left",
        "reduceOptions": {"calcs": old["calcs"], "fields": "", "values": old["values"]},
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "text",
    }


def _mend_time_series(panel: Object) -> None:
    legend, custom = panel["options"]["legend"], panel["fieldConfig"]["defaults"]["custom"]
    legend["showLegend"] = legend["displayMode"] != "hidden"
    custom["stacking"] = custom["stacking"] or {"group": "A", "mode": "none"}
    if custom["scaleDistribution"]["type"] == "linear":
        del custom["scaleDistribution"]["log"]


def _mend_table(panel: Object) -> None:
    defaults: Object = panel["fieldConfig"]["defaults"]
    defaults["color"] = panel.pop("color")
    defaults["mappings"] = panel.pop("mappings")
    custom: Object = defaults["custom"]
    custom["cellOptions"] = {"type": custom.pop("displayMode")}
    custom["inspect"] = False
    panel["options"] |= {"cellHeight": "sm", "frameIndex": 0}


def _mend_state_timeline(panel: Object) -> None:
    panel["options"]["legend"] |= {"calcs": [], "showLegend": panel["options"]["legend"]["displayMode"] != "hidden"}
    panel["options"]["tooltip"].setdefault("sort", "none")


_mend_of_type: Final[dict[str, Callable[[Object], None]]] = {
    "stat": _mend_stat,
    "bargauge": _mend_bar_gauge,
    "timeseries": _mend_time_series,
    "table": _mend_table,
    "state-timeline": _mend_state_timeline,
}
