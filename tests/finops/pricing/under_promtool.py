"""Runs the rules of a price map in `promtool test rules`, minute by minute from 1970 on."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from controlplane.rulefile import to_yaml
from finops.pricing.model import PriceMap
from finops.pricing.rules import rule_file


@dataclass(frozen=True)
class Check:
    """A PromQL expression and what it must give at a time: values by label set, as promtool writes both."""

    at: str
    expr: str
    samples: Mapping[str, float] = field(default_factory=dict)


def firing(at: str, alert: str, *label_sets: str) -> Check:
    """Exactly these alerts of a name fire."""
    expr = f'max by (price, service, model) (ALERTS{{alertname="{alert}",alertstate="firing"}})'
    return Check(at, expr, dict.fromkeys(label_sets, 1.0))


def run(promtool: str, folder: Path, price_map: PriceMap, series: Mapping[str, str], checks: Sequence[Check]) -> None:
    """One promtool run; fails with promtool's words."""
    file = rule_file(price_map)
    (folder / file.name).write_text(to_yaml(file))
    expected = [
        {
            "expr": check.expr,
            "eval_time": check.at,
            "exp_samples": [{"labels": labels, "value": value} for labels, value in check.samples.items()],
        }
        for check in checks
    ]
    test = {
        "rule_files": [file.name],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": expected,
            }
        ],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
