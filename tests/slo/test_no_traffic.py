"""What idle time, time without traffic and series that are gone count as, in promtool, minute by minute."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from controlplane.model.rule import AlertingRule, RuleFile
from controlplane.model.slo import SLO, Absent, BoolIndicator, DataPolicy, NoTraffic, RawRatioIndicator
from controlplane.rulefile import to_yaml
from slo.compiler import compile_rules
from tests.slo.rules_under_promtool import PLAIN
from tests.slo.slos import an_slo, good_requests, latency, query, requests

UP = 'up{job="shop"}'
BUSY, QUIET = "0+60x20", "1200x40"  # 60 a minute for 20 minutes; then nothing new for 40
COUNTERS = {
    'http_requests_total{job="shop",code="200",tenant="a"}': f"{BUSY} {QUIET}",
    'http_request_duration_seconds_bucket{job="shop",le="0.3"}': f"{BUSY} {QUIET}",
    'http_request_duration_seconds_count{job="shop"}': f"{BUSY} {QUIET}",
    'http_errors_total{job="shop"}': "0x60",
}
# Without traffic 0 ÷ 0, which is NaN.
RAW = RawRatioIndicator(
    query('sum(rate(http_errors_total{job="shop"}[5m])) / sum(rate(http_requests_total{job="shop"}[5m]))'),
    is_failure=True,
)


def check(expr: str, at: str, samples: Mapping[str, float]) -> dict[str, object]:
    found = [{"labels": labels, "value": value} for labels, value in samples.items()]
    return {"expr": expr, "eval_time": at, "exp_samples": found}


def fails(
    promtool: str, folder: Path, slos: list[SLO], series: Mapping[str, str], checks: list[dict[str, object]]
) -> str:
    """What promtool has against the checks; empty when they hold."""
    files = [_without_totals(file) for file in compile_rules(slos, PLAIN)]
    for file in files:
        (folder / file.name).write_text(to_yaml(file))
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {
        "rule_files": [file.name for file in files],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": checks}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _without_totals(file: RuleFile) -> RuleFile:
    kept = ("rolling5m", "measured5m", "ledger5m", "slice", "info")
    return replace(
        file,
        groups=tuple(
            replace(
                group,
                rules=tuple(
                    rule
                    for rule in group.rules
                    if (rule.alert == "SLONoData" if isinstance(rule, AlertingRule) else rule.record.endswith(kept))
                ),
            )
            for group in file.groups
        ),
    )


def pair(slo: str, at: str, every: float, bad: float, tolerance: float = 1) -> list[dict[str, object]]:
    """All and bad events of the last five minutes are these, about."""
    return [
        check(
            f'max by (slo) (abs(slo:sli_events:rolling5m{{slo="{slo}",event="{event}"}} - {value})) < bool {tolerance}',
            at,
            {f'{{slo="{slo}"}}': 1},
        )
        for event, value in (("all", every), ("bad", bad))
    ]


@pytest.mark.parametrize("policy", list(NoTraffic), ids=lambda it: it.value)
def test_time_without_traffic_counts_as_it_was_asked_for(promtool: str, tmp_path: Path, policy: NoTraffic) -> None:
    data = DataPolicy(no_traffic=policy)
    slos = [
        an_slo("ratio", requests("shop"), policy=data),
        an_slo("good", good_requests("shop"), policy=data),
        an_slo("latency", latency("shop"), policy=data),
        an_slo("raw", RAW, policy=data),
        an_slo("gauge", BoolIndicator(query('probe_success{job="shop"}')), policy=data),
    ]
    filled, bad = policy is not NoTraffic.EXCLUDED, policy is NoTraffic.BAD
    checks = [*pair("gauge", "15m", 5, 0), *pair("gauge", "45m", 5, 0)]
    for name, busy, weight in (("ratio", 300, 263), ("good", 300, 263), ("latency", 300, 263), ("raw", 5, 5)):
        events = weight if filled else 0
        checks += [*pair(name, "15m", busy, 0), *pair(name, "45m", events, events if bad else 0, tolerance=30)]
    series = COUNTERS | {'probe_success{job="shop"}': "1x60"}
    assert fails(promtool, tmp_path, slos, series, checks) == ""


def test_while_up_says_so_absence_is_idle_time_and_nobody_is_told(promtool: str, tmp_path: Path) -> None:
    slos = [
        an_slo("idle", requests("shop"), policy=DataPolicy(up=UP)),
        an_slo("idle-latency", latency("shop"), policy=DataPolicy(up=UP)),
        an_slo("idle-bad", requests("shop"), policy=DataPolicy(NoTraffic.BAD, up=UP)),
        an_slo("idle-groups", requests("shop"), groups=("tenant",), policy=DataPolicy(up=UP)),
        an_slo("gone", requests("shop")),
        an_slo("paged", requests("shop"), policy=DataPolicy(absent=Absent.PAGE)),
        an_slo("ignored", requests("shop"), policy=DataPolicy(absent=Absent.IGNORE)),
    ]
    series = {name: values.replace(QUIET, "stale") for name, values in COUNTERS.items()} | {UP: "1x59 0x60"}
    firing = 'max by (slo, severity) (ALERTS{alertname="SLONoData",alertstate="firing"})'
    told = {'{slo="gone", severity="ticket"}': 1, '{slo="paged", severity="page"}': 1}
    late = {f'{{slo="{name}", severity="ticket"}}': 1 for name in ("idle", "idle-latency", "idle-bad", "idle-groups")}
    checks = [
        *pair("idle", "45m", 0, 0),
        *pair("idle-latency", "45m", 0, 0),
        *pair("idle-bad", "45m", 260, 260, tolerance=45),
        check('sum by (tenant) (slo:sli_events:rolling5m{slo="idle-groups"}) + 1', "45m", {'{tenant="a"}': 1}),
        check('slo:sli_events:rolling5m{slo="gone"}', "45m", {}),
        check(firing, "38m", {}),
        check(firing, "45m", told),
        check(firing, "80m", told | late),  # not up for more than 15 minutes
    ]
    assert fails(promtool, tmp_path, slos, series, checks) == ""


def test_one_value_of_a_group_that_is_gone_is_a_ticket_and_all_of_them_what_was_asked_for(
    promtool: str, tmp_path: Path
) -> None:
    slos = [an_slo("tenants", requests("shop"), groups=("tenant",), policy=DataPolicy(absent=Absent.PAGE))]
    series = {
        'http_requests_total{job="shop",code="200",tenant="a"}': "0+60x20 stale",
        'http_requests_total{job="shop",code="200",tenant="b"}': "0+60x60 stale",
    }
    firing = 'max by (tenant, severity, absent) (ALERTS{alertname="SLONoData",alertstate="firing"})'
    checks = [
        check(firing, "38m", {}),
        check(firing, "45m", {'{tenant="a", severity="ticket", absent="group"}': 1}),
        check(firing, "85m", {'{severity="page"}': 1}),
    ]
    assert fails(promtool, tmp_path, slos, series, checks) == ""
