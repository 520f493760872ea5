"""Alerts on checks under `promtool test rules`: series as their collectors write them, who fires, with what words."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import yaml

from controlplane.model.check import CheckKind
from controlplane.model.rule import AlertingRule, RuleFile
from controlplane.rulefile import to_yaml
from synthetics.alerting.model import AlertedCheck
from synthetics.alerting.rules import rule_files

CONSOLE = "https://flyball.example"
HEALTH = AlertedCheck(
    CheckKind.PROBE, "gateway-health", timedelta(seconds=30), "graphql-gateway", "team-edge",
    "https://runbooks.example/gateway", (("team", "edge"), ("service", "graphql-gateway")),
)  # fmt: skip
TLS = AlertedCheck(CheckKind.PROBE, "gateway-tls", timedelta(minutes=5), certificate_days=Decimal(30))
CORE = AlertedCheck(CheckKind.JOURNEY, "core-flow", timedelta(minutes=5))
CASE = AlertedCheck(CheckKind.JOURNEY, "hello-case", timedelta(minutes=30))
IS_HEALTH = 'kind="probe",check="gateway-health"'
UP = {'flyball_build_info{version="1"}': "1x120"}


@dataclass(frozen=True)
class SomePath:
    """A golden path, as far as alerts are concerned."""

    name: str = "core-flow"
    owner: str = "team-edge"
    runbook_url: str = ""


def the_file(*checks: AlertedCheck) -> RuleFile:
    """The rules of these checks (or of some), a golden path and a status page."""
    (file,) = rule_files(
        checks or (HEALTH, TLS, CORE, CASE),
        golden_paths=[SomePath()],
        has_status_page=True,
        external_url=CONSOLE,
    )
    return file


@dataclass(frozen=True)
class Fires:
    """Alerts of a name that fire at a time: their labels but the name, and of each what its templated words become."""

    at: str
    alert: str
    labels: Sequence[Mapping[str, str]] = ()
    words: Mapping[str, str] = field(default_factory=dict)


def run(promtool: str, folder: Path, series: Mapping[str, str], *fires: Fires, file: RuleFile | None = None) -> None:
    """One promtool run; fails with promtool's words. Labels are compared whole; words where some are given."""
    file = file or the_file()
    (folder / "rules.yaml").write_text(to_yaml(file))
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [_conditions(each) for each in fires if not each.words],
        "alert_rule_test": [_words(file, each) for each in fires if each.words],
    }
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "test.yaml").write_text(yaml.safe_dump(whole))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _conditions(fires: Fires) -> dict[str, object]:
    expr = f'ALERTS{{alertname="{fires.alert}",alertstate="firing"}}'
    always = {"__name__": "ALERTS", "alertname": fires.alert, "alertstate": "firing"}
    samples = [{"labels": _written(always | dict(each)), "value": 1} for each in fires.labels]
    return {"expr": expr, "eval_time": fires.at, "exp_samples": samples}


def _written(labels: Mapping[str, str]) -> str:
    rest = ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return f"{labels['__name__']}{{{rest}}}"


def _words(file: RuleFile, fires: Fires) -> dict[str, object]:
    (labels,) = fires.labels
    rule = next(
        rule
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, AlertingRule)
        and rule.alert == fires.alert
        and dict(rule.labels)["severity"] == labels["severity"]
    )
    fixed = {name: text for name, text in rule.annotations if "{{" not in text}
    expected = {"exp_labels": dict(labels), "exp_annotations": fixed | dict(fires.words)}
    return {"alertname": fires.alert, "eval_time": fires.at, "exp_alerts": [expected]}
