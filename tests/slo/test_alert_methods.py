"""The burn-rate method against rules of the classic shape, minute by minute on the same series in promtool."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from controlplane.model.alerting import STANDARD_ALERTING, AlertMethod
from controlplane.rulefile import to_yaml
from slo.compiler import compile_rules
from tests.slo.rules_under_promtool import PLAIN, pieces, what_is_asked
from tests.slo.slos import an_slo, requests

BURN_RATE = replace(STANDARD_ALERTING, method=AlertMethod.BURN_RATE)
CLEAN, BURNING, AFTER = 370, 240, 36
PER_MINUTE = 600
SHARES = {"all": 1.0, "half": 0.5, "tenth": 0.1, "fiftieth": 0.02, "hundredth": 0.01, "tolerable": 0.005}
CLASSIC = ((("5m", "1h"), 14.4), (("30m", "6h"), 6))


def classic(job: str) -> dict[str, object]:
    """The page as Sloth writes it: the error ratio of both windows over a factor of the budget."""

    def ratio(window: str) -> str:
        errors, every = (
            f'sum(rate(http_requests_total{{job="{job}"{code}}}[{window}]))' for code in (',code="500"', "")
        )
        return f"({errors} / {every})"

    either = [" and ".join(f"{ratio(window)} > {factor} * 0.001" for window in windows) for windows, factor in CLASSIC]
    return {"alert": "Classic", "expr": f"({') or ('.join(either)})", "labels": {"slo": job}}


def series(job: str, share: float) -> Iterator[dict[str, str]]:
    errors = PER_MINUTE * share
    bad = pieces((0, CLEAN), (errors, BURNING), (0, AFTER))
    good = pieces((PER_MINUTE, CLEAN), (PER_MINUTE - errors, BURNING), (PER_MINUTE, AFTER))
    for code, values in (("500", bad), ("200", good)):
        yield {"series": f'http_requests_total{{job="{job}",code="{code}"}}', "values": values}


def edges(alert: str, edge: str) -> str:
    """When an alert began, or ended, to fire, by SLO; -1 when it never did."""
    fired = f'max by (slo) (timestamp(ALERTS{{alertname="{alert}",severity!="ticket",alertstate="firing"}}))'
    return f"max by (slo) ({edge}_over_time(({fired})[12h:1m]) or -1 + 0 * slo:info)"


def test_pages_of_the_burn_rate_method_fire_within_one_evaluation_of_classic_rules(
    promtool: str, tmp_path: Path
) -> None:
    slos = [an_slo(name, requests(name), alerting=BURN_RATE) for name in SHARES]
    group = {"name": "classic", "interval": "1m", "rules": [classic(name) for name in SHARES]}
    (tmp_path / "classic.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    end = f"{CLEAN + BURNING + AFTER - 1}m"
    apart = {
        edge: f"abs({edges('SLOErrorBudgetBurn', edge)} - {edges('Classic', edge)}) > bool 60"
        for edge in ("min", "max")
    }
    none_apart = [{"labels": f'{{slo="{name}"}}', "value": 0} for name in SHARES]
    fired = [{"labels": f'{{slo="{name}"}}', "value": 1} for name in SHARES if name != "tolerable"]
    checks = [
        *({"expr": expr, "eval_time": end, "exp_samples": none_apart} for expr in apart.values()),
        {"expr": f"({edges('SLOErrorBudgetBurn', 'min')} > 0) ^ 0", "eval_time": end, "exp_samples": fired},
    ]
    for file in compile_rules(slos, PLAIN):
        asked = what_is_asked(file, {"promql_expr_test": checks})
        (tmp_path / file.name).write_text(to_yaml(asked))
    test = {
        "rule_files": ["classic.yaml", *(f"slo-{name}.yaml" for name in SHARES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [each for name, share in SHARES.items() for each in series(name, share)],
                "promql_expr_test": checks,
            }
        ],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
