"""Dashboards made for Sloth and Pyrra, asked of a real Prometheus that runs our rules.

The queries are written after those of the published dashboards (Grafana 14348; Pyrra's examples/grafana).
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.prometheus_data import Backend
from benchmarks.replay import replay
from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile
from flyball.demo import servers
from flyball.examining import examine
from slo.compiler import CompileOptions, compile_rules
from tests.slo.dialects.reading import a_pyrra_file, a_sloth_file

POLICY = """\
apiVersion: flyball.dev/v1
kind: SLOPolicy
metadata: {name: names}
spec: {select: {all: true}, keepNames: %s}
"""
OWN = '{sloth_service="checkout", sloth_slo="availability"}'
SLOTH = {
    f"slo:objective:ratio{OWN}": 0.999,
    f"1 - (max(slo:sli_error:ratio_rate5m{OWN}) OR on() vector(0))": 0.5,
    f"max(slo:sli_error:ratio_rate1h{OWN})": 0.5,
    f"max(slo:sli_error:ratio_rate3d{OWN})": 0.5,
    f"max(slo:sli_error:ratio_rate30d{OWN})": 0.5,
    f"slo:current_burn_rate:ratio{OWN} or on() vector(0)": 500,
    f"slo:period_burn_rate:ratio{OWN}": 500,
    f"slo:time_period:days{OWN}": 30,
    f"slo:sli_error:ratio_rate1h{OWN} / on(sloth_id) group_left slo:error_budget:ratio{OWN}": 500,
    f"count(sloth_slo_info{OWN})": 1,
    'max(ALERTS{sloth_service="checkout", sloth_slo="availability", sloth_severity="page"})': 1,
}
PYRRA = {
    'pyrra_objective{slo="checkout-errors"}': 0.999,
    'pyrra_window{slo="checkout-errors"}': 28 * 86_400,
    'pyrra_availability{slo="checkout-errors"}': 0.5,
    'sum(pyrra_requests:rate5m{slo="checkout-errors"})': 2,
    'sum(pyrra_errors:rate5m{slo="checkout-errors"})': 1,
    'x:burnrate5m{job="shop",slo="checkout-errors"}': 0.5,
    'x:burnrate4d{job="shop",slo="checkout-errors"}': 0.5,
}
LENGTH = 3 * 3600


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, int]]:
    """Two counters, one of which counts half of what the other does, and our rules over three hours of them."""
    end = int(time.time()) // 300 * 300
    with servers.prometheus(tmp_path_factory.mktemp("prometheus"), out_of_order="40d") as server:
        found = Backend(server.url)
        steps = LENGTH // 30
        times = end - LENGTH + 30 * np.arange(1, steps + 1, dtype=np.float64)
        found.write(
            ({"__name__": "x", "job": "shop", "code": code}, times, 30 * np.arange(1, steps + 1, dtype=np.float64))
            for code in ("200", "500")
        )
        for text, tool in ((a_sloth_file(), "sloth"), (a_pyrra_file(), "pyrra")):
            files = compile_rules([_the_slo(text, POLICY % tool)], CompileOptions())
            replay(found, [group for file in files for group in file.groups], end - LENGTH, end)
        yield found, end


def _the_slo(*texts: str) -> SLO:
    (slo,) = examine([SourceFile(f"{at}.yaml", text.encode()) for at, text in enumerate(texts)]).slos
    return slo


@pytest.mark.parametrize(("query", "expected"), [*SLOTH.items(), *PYRRA.items()])
def test_dashboards_live_on(backend: tuple[Backend, int], query: str, expected: float) -> None:
    prometheus, end = backend
    (series,) = prometheus.range(query, end - 60, end - 60, 60)
    assert series.values[-1] == pytest.approx(expected, rel=0.02)


def test_nothing_more_is_recorded_where_nobody_asks(tmp_path: Path) -> None:
    del tmp_path
    (file,) = compile_rules([_the_slo(a_sloth_file())], CompileOptions())
    assert "sloth" not in repr(file)
