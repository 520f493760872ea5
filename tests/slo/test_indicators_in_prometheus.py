"""Every kind of indicator on a real Prometheus: a generated day against its truth, and odd series."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from benchmarks.indicator_month import STEP_SECONDS, Case, cases
from benchmarks.indicators import Month, budget_errors, written
from benchmarks.prometheus_data import Backend
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.remote_write import STALE
from controlplane.model.slo import (
    SLO,
    BoolIndicator,
    Comparison,
    Indicator,
    LatencyIndicator,
    RatioIndicator,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from slo.compiler import CompileOptions, compile_rules
from slo.indicators.indicator import pair_over_past, worst_contributors
from tests.slo.slos import an_slo, query

DAY = cases(days=1, each=1)
KINDS = [case.kind for case in DAY]
AT_MOST = 0.6  # points of the budget of a day
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(folder, out_of_order="40d", block_duration="60d", features=["native-histograms"]) as server:
        yield written(server.url, DAY, days=1, now=int(time.time()))


@pytest.fixture(scope="module")
def errors(month: Month) -> dict[str, list[float]]:
    return budget_errors(month)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "composite"])
def test_the_budget_is_what_it_truly_is(errors: dict[str, list[float]], kind: str) -> None:
    assert max(errors[kind]) < AT_MOST


def test_a_composite_that_nobody_measured_before_learns_its_usual_traffic_within_a_window(
    errors: dict[str, list[float]],
) -> None:
    (case,) = (case for case in DAY if case.kind == "composite")
    (truth,) = case.truth.values()
    spent = 100 * np.nansum(truth.bad) / np.nansum(truth.all) / float(case.slo.budget_ratio)
    assert max(errors["composite"]) < 0.06 * spent  # of which it has seen one day


@pytest.mark.parametrize("case", DAY, ids=KINDS)
def test_the_pair_over_the_past_adds_up_to_the_truth(month: Month, case: Case) -> None:
    pair = pair_over_past(case.slo, end=datetime.fromtimestamp(month.end, UTC))
    sums = [_sums(month, expr) for expr in (pair.all, pair.bad)]
    for group, truth in case.truth.items():
        every, bad = (found[group] for found in sums)
        share = np.nansum(truth.bad) / np.nansum(truth.all)
        spent = share / float(case.slo.budget_ratio)
        assert bad / every / float(case.slo.budget_ratio) == pytest.approx(spent, abs=2 * AT_MOST / 100)


def _sums(month: Month, expr: str) -> dict[tuple[str, ...], float]:
    found = month.backend.range(expr, month.start + 300, month.end, 300)
    return {tuple(result.labels.values()): float(result.values.sum()) for result in found}


@pytest.mark.parametrize("case", DAY, ids=KINDS)
def test_the_worst_contributors_can_be_asked(month: Month, case: Case) -> None:
    asked = worst_contributors(case.slo)
    if case.kind in ("raw ratio", "threshold"):
        assert asked == ""
    else:
        month.backend.range(asked, month.end, month.end, 60)


def test_every_kind_touches_few_samples_where_a_set_of_raw_scans_touches_many(month: Month) -> None:
    for case in DAY:
        pair = pair_over_past(case.slo, end=datetime.fromtimestamp(month.end, UTC))
        if case.classic is None or case.kind == "composite":
            continue
        ours = sum(month.backend.cost(expr, month.end, 1).samples for expr in (pair.all, pair.bad))
        scans = sum(month.backend.cost(case.classic(window), month.end, 1).samples for window in ("6h", "1d"))
        assert scans > 20 * ours, case.kind


@pytest.mark.parametrize("shared_above", [0, 1000], ids=["shared", "plain"])
def test_rules_of_every_kind_pass_promtool_and_vmalert(tmp_path: Path, promtool: str, shared_above: int) -> None:
    for file in compile_rules([case.slo for case in DAY], CompileOptions(shared_above=shared_above)):
        (tmp_path / file.name).write_text(to_yaml(file))
    files = [str(path) for path in tmp_path.glob("*.yaml")]
    checked = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", *files], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    vmalert = shutil.which("vmalert")
    assert vmalert, "vmalert is not installed: run `make setup-test`"
    dry = subprocess.run([vmalert, "-dryRun", f"-rule={tmp_path}/*.yaml"], capture_output=True, text=True)
    assert dry.returncode == 0, dry.stderr


# --- oddities: half an hour of made-up series each, asked at its end --------------------------------------------------

STEPS = 60
NAN = float("nan")


def steady(per_step: float, start: float = 0.0) -> list[float]:
    return [start + per_step * step for step in range(STEPS)]


ODDITIES: dict[str, list[float]] = {
    # A pod that has run for long: 10 requests and no error each 30 seconds, until 2 minutes ago.
    'r_total{job="a",instance="1",code="200"}': steady(10, 5000),
    'r_total{job="a",instance="1",code="500"}': [NAN] * (STEPS - 4) + [3, 3, 3, 3],
    # A target that was down for ten minutes: its counters went on.
    'r_total{job="b",instance="1",code="200"}': [*steady(10, 5000)[:30], *[NAN] * 20, *steady(10, 5000)[50:]],
    'r_total{job="b",instance="1",code="500"}': [*steady(0, 900)[:30], *[NAN] * 20, *steady(0, 900)[50:]],
    'r_total{job="b",instance="2",code="200"}': steady(10),
    # Another label for every series of a target that runs on.
    'r_total{job="c",instance="1",code="200",old="x"}': [*steady(10, 5000)[:55], *[NAN] * 5],
    'r_total{job="c",instance="1",code="500",old="x"}': [*steady(0, 900)[:55], *[NAN] * 5],
    'r_total{job="c",instance="1",code="200",new="x"}': [*[NAN] * 55, *steady(10, 5000)[55:]],
    'r_total{job="c",instance="1",code="500",new="x"}': [*[NAN] * 55, *steady(0, 900)[55:]],
    # Nothing happens, but the series are there.
    'r_total{job="idle",instance="1",code="200"}': steady(0, 7),
    'r_total{job="idle",instance="1",code="500"}': steady(0, 7),
    'l_bucket{job="idle",le="0.3"}': steady(0, 7),
    'l_count{job="idle"}': steady(0, 7),
    'l_count{job="busy"}': steady(10),
    # Gauges.
    'up_and_down{job="a",instance="1"}': [1.0] * STEPS,
    'up_and_down{job="a",instance="2"}': [0.0] * STEPS,
    'level{job="a"}': [7.0] * STEPS,
    'level{job="b"}': [3.0] * STEPS,
}


@pytest.fixture(scope="module")
def asked(month: Month, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusBackend]:
    with servers.prometheus(tmp_path_factory.mktemp("odd"), out_of_order="1d", block_duration="2d") as server:
        end = month.end
        times = end - STEP_SECONDS * np.arange(STEPS, dtype=np.float64)[::-1]
        writer = Backend(server.url)
        for series, values in ODDITIES.items():
            name, _, labels = series.rstrip("}").partition("{")
            pairs = dict(label.split("=") for label in labels.split(","))
            found = np.array(values)
            ends = np.isnan(found) & ~np.isnan(np.concatenate([[NAN], found[:-1]]))
            found.view(np.uint64)[ends] = np.float64(STALE).view(np.uint64)  # as Prometheus marks what is gone
            there = ends | ~np.isnan(np.array(values))
            columns = {"__name__": name, **{label: value.strip('"') for label, value in pairs.items()}}
            writer.write([(columns, times[there], found[there])])
        backend = PrometheusBackend(server.url)
        yield backend
        backend.close()


def pair_of(
    asked: PrometheusBackend, month: Month, indicator: Indicator, **fields: object
) -> tuple[float | None, float | None]:
    slo: SLO = an_slo("x", indicator, **fields)  # type: ignore[arg-type]
    pair = pair_over_past(slo)
    at = datetime.fromtimestamp(month.end, UTC)
    values = [[sample.value for sample in asked.query(expr, at)] for expr in (pair.all, pair.bad)]
    return tuple(found[0] if found else None for found in values)  # type: ignore[return-value]


def requests(job: str) -> RatioIndicator:
    selector = f'r_total{{job="{job}"}}'
    return RatioIndicator(query(selector), query(f'r_total{{job="{job}",code=~"5.."}}'), None)


def test_the_first_errors_of_a_new_series_count(asked: PrometheusBackend, month: Month) -> None:
    assert pair_of(asked, month, requests("a"))[1] == pytest.approx(3)


@pytest.mark.parametrize("job", ["b", "c"])
def test_counters_that_come_back_or_are_renamed_bring_no_errors_along(
    asked: PrometheusBackend, month: Month, job: str
) -> None:
    assert pair_of(asked, month, requests(job))[1] == pytest.approx(0)


def test_idle_is_zero_events_for_every_kind(asked: PrometheusBackend, month: Month) -> None:
    idle = requests("idle")
    latency = LatencyIndicator(query('l_bucket{job="idle",le="0.3"}'), query('l_count{job="idle"}'), Decimal("0.3"))
    raw = RawRatioIndicator(
        query('sum(rate(r_total{job="idle",code="500"}[5m])) / sum(rate(r_total{job="idle"}[5m]))'), is_failure=True
    )
    for of in (idle, latency, raw):
        assert pair_of(asked, month, of) == (0, 0)
        for target in (None, Decimal("0.9")):
            assert pair_of(asked, month, TimeslicesIndicator(of, 5 * MINUTE, target)) == (0, 0)


def test_what_is_missing_is_missing_for_every_kind(asked: PrometheusBackend, month: Month) -> None:
    gone = query('nowhere_total{job="x"}')
    bucket = LatencyIndicator(query('l_bucket{job="busy",le="0.3"}'), query('l_count{job="busy"}'), Decimal("0.3"))
    assert pair_of(asked, month, bucket)[1] is None
    for of in (
        RatioIndicator(gone, gone, None),
        RawRatioIndicator(gone, is_failure=True),
        BoolIndicator(gone),
        ThresholdIndicator(gone, Comparison.AT_MOST, Decimal(1)),
        TimeslicesIndicator(bucket, 5 * MINUTE, Decimal("0.9")),
    ):
        assert pair_of(asked, month, of) == (None, None)


def test_gauges_count_in_series_minutes(asked: PrometheusBackend, month: Month) -> None:
    assert pair_of(asked, month, BoolIndicator(query('up_and_down{job="a"}'))) == (10, 5)
    assert pair_of(asked, month, BoolIndicator(query('up_and_down{job="a"} offset 1m'))) == (10, 5)


@pytest.mark.parametrize(
    ("good_while", "threshold", "bad"),
    [
        (Comparison.AT_MOST, "7", 0), (Comparison.AT_MOST, "6.9", 5), (Comparison.BELOW, "7", 5),
        (Comparison.AT_LEAST, "3", 0), (Comparison.AT_LEAST, "3.1", 5), (Comparison.ABOVE, "3", 5),
    ],
)  # fmt: skip
def test_a_threshold_is_broken_by_the_worst_series(
    asked: PrometheusBackend, month: Month, good_while: Comparison, threshold: str, bad: float
) -> None:
    indicator = ThresholdIndicator(query("level"), good_while, Decimal(threshold))
    assert pair_of(asked, month, indicator) == (5, bad)


def test_a_raw_ratio_of_good_events_is_turned_over_and_kept_within_bounds(
    asked: PrometheusBackend, month: Month
) -> None:
    assert pair_of(asked, month, RawRatioIndicator(query('level{job="a"} / 10'), is_failure=False)) == (
        5, pytest.approx(1.5),
    )  # fmt: skip
    assert pair_of(asked, month, RawRatioIndicator(query('level{job="a"}'), is_failure=True)) == (5, 5)
    assert pair_of(asked, month, RawRatioIndicator(query('0 * level{job="a"} / 0'), is_failure=True)) == (0, 0)


def test_gauges_of_a_ratio_are_averaged(asked: PrometheusBackend, month: Month) -> None:
    ready, wanted = query('level{job="b"}'), query('level{job="a"}')
    assert pair_of(asked, month, RatioIndicator(wanted, None, ready, gauges=True)) == (35, 20)
