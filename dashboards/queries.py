"""Every PromQL expression of a dashboard, ready to run: what Grafana would send, with its variables filled in."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final

_LABEL_VALUES: Final = re.compile(r"label_values\((?P<selector>.+),\s*(?P<label>\w+)\)", re.DOTALL)
_QUERY_RESULT: Final = re.compile(r"query_result\((?P<expr>.+)\)", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$(?P<bare>\w+)|\$\{(?P<braced>\w+)(?::\w+)?\}|\[\[(?P<old>\w+)(?::\w+)?\]\]")


class Place(Enum):
    """Where in a dashboard a query stands."""

    PANEL = "panel"
    ANNOTATION = "annotation"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class DashboardQuery:
    """One query. `title` names its panel, annotation or variable; an `instant` one is asked at the range's end only.

    Every query that we write has data where its SLO is measured; annotations have zeros where nothing is to be marked.
    """

    place: Place
    title: str
    expr: str
    instant: bool
    exemplar: bool


def queries_of(
    dashboard_json: str, *, variables: Mapping[str, str] | None = None, step: timedelta = timedelta(minutes=1)
) -> tuple[DashboardQuery, ...]:
    """All queries of panels, annotations and variables, in the order of the dashboard.

    `variables` are the reader's choices, such as `{"slo": "checkout"}`; the data source needs none. Grafana's own
    `$__interval` is `step`, `$__rate_interval` and `$__range` are at least 5 minutes. A variable's `label_values(x, y)`
    becomes `count by (y) (x)`, which has data exactly when there are values, `query_result(x)` is `x`. Raises
    `KeyError` for a variable that is not given.
    """
    data: dict[str, Any] = json.loads(dashboard_json)
    seconds = int(step.total_seconds())
    rate = f"{max(4 * seconds, 300)}s"
    known = {"__interval": f"{seconds}s", "__rate_interval": rate, "__range": rate, **(variables or {})}
    return tuple(
        DashboardQuery(
            place, title, _filled(asked["expr"], known), asked.get("instant", False), bool(asked.get("exemplar"))
        )
        for place, title, asked in _found(data)
    )


def _found(data: Mapping[str, Any]) -> Iterator[tuple[Place, str, Mapping[str, Any]]]:
    for variable in data.get("templating", {}).get("list", []):
        if variable["type"] == "query":
            expr = _LABEL_VALUES.sub(r"count by (\g<label>) (\g<selector>)", variable["query"])
            expr = _QUERY_RESULT.sub(r"\g<expr>", expr)
            yield Place.VARIABLE, variable["name"], {"expr": expr, "instant": True}
    for panel in data.get("panels", []):
        for target in panel.get("targets", []):
            yield Place.PANEL, panel["title"], target
    for mark in data.get("annotations", {}).get("list", []):
        yield Place.ANNOTATION, mark["name"], mark["target"]


def _filled(expr: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known[match["bare"] or match["braced"] or match["old"]], expr)
