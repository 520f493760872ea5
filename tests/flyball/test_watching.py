"""`flyball up` watches the SLO files: an edit is in force within seconds, a broken one changes nothing."""

from pathlib import Path

import httpx

from controlplane import conventions
from flyball.demo.servers import prometheus
from tests.flyball.processes import Process, flyball_up
from tests.flyball.running import eventually

SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator:
    metadata: {{name: {name}-requests}}
    spec:
      ratioMetric:
        counter: true
        bad: {{metricSource: {{type: prometheus, spec: {{query: 'http_requests_total{{code=~"5.."}}'}}}}}}
        total: {{metricSource: {{type: prometheus, spec: {{query: http_requests_total}}}}}}
  timeWindow: [{{duration: 30d, isRolling: true}}]
  budgetingMethod: Occurrences
  objectives: [{{target: 0.999}}]
"""


def rules(url: str) -> str:
    return httpx.get(f"{url}/api/v1/rules", timeout=10).text


def sample(process: Process, series: str) -> float:
    lines = httpx.get(f"{process.url}/metrics", timeout=10).text.splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{series} ")), float("nan"))


def test_an_edit_is_applied_within_seconds_and_a_broken_one_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    workspace, generated = tmp_path / "workspace", tmp_path / "rules"
    workspace.mkdir()
    slo = workspace / "shop.yaml"
    slo.write_text(SLO.format(name="checkout"))
    globs = [str(generated / "current" / "*.yaml")]
    with prometheus(tmp_path / "prometheus", rule_globs=globs) as engine:
        environ = {"FLYBALL_PROMETHEUS_URL": engine.url, "FLYBALL_RULES_DIRECTORY": str(generated)}
        with flyball_up(workspace, **environ) as process:
            eventually(lambda: "checkout" in rules(engine.url))
            eventually(lambda: httpx.get(f"{process.url}/readyz", timeout=10).status_code == 200)

            slo.write_text(SLO.format(name="basket"))
            eventually(lambda: "basket" in rules(engine.url))
            eventually(lambda: sample(process, conventions.APPLIED_SLOS) == 1)

            slo.write_text(SLO.format(name="basket").replace("0.999", "1.999"))
            eventually(lambda: process.logged("slo.rejected"))
            eventually(lambda: sample(process, f'{conventions.SPEC_PROBLEMS}{{severity="error"}}') == 1)
            assert sample(process, conventions.SPEC_REJECTED) == 1
            assert "basket" in rules(engine.url)
            assert "shop.yaml:15:" in process.logged("slo.rejected")[0]["first"]
            assert "shop.yaml" in httpx.get(f"{process.url}/problems", timeout=10).text
            listed = httpx.get(f"{process.url}/api/v1/slos", timeout=10).json()["slos"]
            assert [one["name"] for one in listed] == ["basket"]  # the last good files

            slo.write_text(SLO.format(name="wishlist"))
            eventually(lambda: "wishlist" in rules(engine.url))
            eventually(lambda: sample(process, f'{conventions.SPEC_PROBLEMS}{{severity="error"}}') == 0)
