"""The generated rules in a real Prometheus that scrapes itself: every rule evaluates, and a page has its words."""

import time
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.model.rule import RuleFile
from controlplane.model.slo import LatencyIndicator, RatioIndicator
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from slo.compiler import CompileOptions, compile_rules
from tests.slo.slos import an_slo, query

EVERY_SECOND = timedelta(seconds=1)
REQUESTS = query("prometheus_http_requests_total")
SLOS = [
    # No request answers 999: all of them are bad.
    an_slo(
        "failing", RatioIndicator(REQUESTS, None, query('prometheus_http_requests_total{code="999"}')), service="shop"
    ),
    an_slo("no-errors", RatioIndicator(REQUESTS, query('prometheus_http_requests_total{code="500"}'), None), "0.99", 7),
    an_slo(
        "fast",
        LatencyIndicator(
            query(r'prometheus_http_request_duration_seconds_bucket{le=~"1|1\\.0"}'),
            query("prometheus_http_request_duration_seconds_count"),
            Decimal(1),
        ),
        "0.95",
        labels=(("team", "x {{ y"),),
    ),
]


def hurried(file: RuleFile) -> str:
    return to_yaml(replace(file, groups=tuple(replace(group, interval=EVERY_SECOND) for group in file.groups)))


@pytest.mark.parametrize("shared_above", [0, 100], ids=["shared", "plain"])
def test_every_rule_evaluates_and_the_page_speaks(tmp_path: Path, shared_above: int) -> None:
    options = CompileOptions("https://flyball.example", shared_above=shared_above)
    for file in compile_rules(SLOS, options):
        (tmp_path / file.name).write_text(hurried(file))
    port = servers.free_port()
    itself = {"job_name": "itself", "static_configs": [{"targets": [f"{servers.LOOPBACK}:{port}"]}]}
    with servers.prometheus(
        tmp_path / "prometheus", rule_globs=[f"{tmp_path}/*.yaml"], scrape=[itself], scrape_interval="1s", port=port
    ) as server:
        page = _page(server.url)
        rules = [rule for group in _data(server.url, "rules")["groups"] for rule in group["rules"]]
        assert [rule["lastError"] for rule in rules if rule["health"] == "err"] == []
        remaining = _remaining(server.url)
    assert page["labels"] == {
        "alertname": "SLOErrorBudgetBurn", "severity": "page", "slo": "failing", "service": "shop",
    }  # fmt: skip
    words = page["annotations"]
    assert words["summary"] == "failing: the error budget burns 1000.0 times too fast"
    assert "?" not in words["description"]
    assert "handler=/metrics" in words["worst"]
    assert words["runbook_url"] == "https://flyball.example/slos/failing#runbook"
    assert remaining["no-errors"] == remaining["fast"] == 1
    assert remaining["failing"] < 1


def _page(url: str) -> dict[str, Any]:
    """The page once it fires with all of its words; the queries that wait for it are the traffic."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        pages = [alert for alert in _data(url, "alerts")["alerts"] if alert["labels"]["severity"] == "page"]
        if pages and "?" not in pages[0]["annotations"]["description"] and pages[0]["annotations"]["worst"]:
            return pages[0]
        time.sleep(0.05)
    pytest.fail(f"no page: {_data(url, 'alerts')}")


def _remaining(url: str) -> dict[str, float]:
    """The budget left of every SLO, once each was evaluated."""
    deadline = time.monotonic() + 30
    found: dict[str, float] = {}
    while time.monotonic() < deadline and len(found) < len(SLOS):
        rows = _query(url, "slo:error_budget_remaining:ratio")
        found = {row["metric"]["slo"]: float(row["value"][1]) for row in rows}
    return found


def _query(url: str, expr: str) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = _data(url, "query", query=expr)["result"]
    return result


def _data(url: str, path: str, **parameters: str) -> dict[str, Any]:
    answer = httpx.get(f"{url}/api/v1/{path}", params=parameters)
    data: dict[str, Any] = answer.raise_for_status().json()["data"]
    return data
