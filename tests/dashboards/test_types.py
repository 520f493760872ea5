"""The JSON is what Grafana's own types say, and the check would notice if it were not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboards.anomalies import anomaly_dashboards
from dashboards.delivery import delivery_dashboards
from dashboards.incidents import incident_dashboards
from dashboards.ladder import ladder_dashboards
from dashboards.slo_dashboard import DashboardOptions, slo_dashboards
from dashboards.synthetics import check_dashboards
from tests.dashboards.examples import NASTY, latency, slo
from tests.dashboards.grafana_types.check import type_errors
from tests.dashboards.test_money import money_files

Change = Callable[[dict[str, Any]], object]


def test_every_dashboard_compiles_against_grafanas_types(tmp_path: Path) -> None:
    slos = [slo(), slo("latency", indicator=latency(), days=7), slo(NASTY, text=NASTY), slo("loose", objective="0.5")]
    single = slo_dashboards(slos, DashboardOptions(external_url="https://flyball.example"))
    shared = slo_dashboards(slos, DashboardOptions(datasource_uid="prometheus", shared_above=1))
    texts = {file.name: file.json_text for file in single} | {f"shared {file.name}": file.json_text for file in shared}
    texts |= {f"money {at} {file.name}": file.json_text for at, file in enumerate(money_files())}
    linked = DashboardOptions(external_url="https://f.example")
    texts |= {file.name: file.json_text for file in (*check_dashboards(linked), *ladder_dashboards(linked))}
    texts |= {file.name: file.json_text for file in (*delivery_dashboards(linked), *incident_dashboards(linked))}
    texts |= {file.name: file.json_text for file in anomaly_dashboards(linked)}
    assert len(texts) == 5 + 3 + 5 + 3 + 1 + 1 + 2 + 1
    assert type_errors(texts, tmp_path) == ""


def _panel(data: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(panel for panel in data["panels"] if panel["type"] == kind)


BREAKS: dict[str, Change] = {
    "an unknown field of the dashboard": lambda d: d.update(hideControls=False),
    "an unknown field of a panel": lambda d: d["panels"][0].update(span=6),
    "an unknown field of a stat's options": lambda d: _panel(d, "stat")["options"].update(colour="value"),
    "a wrong enum": lambda d: _panel(d, "stat")["options"].update(colorMode="loud"),
    "a wrong colour mode": lambda d: _panel(d, "timeseries")["fieldConfig"]["defaults"]["color"].update(mode="pretty"),
    "a wrong numeric enum": lambda d: d.update(graphTooltip=7),
    "a missing option": lambda d: _panel(d, "bargauge")["options"].pop("valueMode"),
    "a null": lambda d: d["panels"][0].update(interval=None),
    "a string data source": lambda d: d["panels"][0].update(datasource="Prometheus"),
    "a target without an expression": lambda d: d["panels"][0]["targets"][0].pop("expr"),
    "an unknown field of an annotation": lambda d: d["annotations"]["list"][0].update(step="60s"),
    "an unknown draw style": lambda d: _panel(d, "timeseries")["fieldConfig"]["defaults"]["custom"].update(
        drawStyle="x"
    ),
    "an unknown field of a variable": lambda d: d["templating"]["list"][0].update(useTags=False),
    "a threshold in words": lambda d: d["panels"][0]["fieldConfig"]["defaults"]["thresholds"]["steps"][0].update(
        value="null"
    ),
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Whether the compiler complains of each broken dashboard; one run for all of them."""
    text = slo_dashboards([slo()], DashboardOptions())[1].json_text
    broken = {"nothing": text}
    for name, change in BREAKS.items():
        data = json.loads(text)
        change(data)
        broken[name] = json.dumps(data)
    errors = type_errors(broken, tmp_path_factory.mktemp("broken"))
    return {name: f"d{index}.ts(" in errors for index, name in enumerate(broken)}


def test_the_type_check_is_content_with_what_it_is_broken_from(complaints: dict[str, bool]) -> None:
    assert not complaints["nothing"]


@pytest.mark.parametrize("name", BREAKS)
def test_the_type_check_notices(name: str, complaints: dict[str, bool]) -> None:
    assert complaints[name]
