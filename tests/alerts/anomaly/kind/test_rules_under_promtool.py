"""Alerts of detectors in `promtool test rules`: when they fire, with which labels, and what they say."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import yaml

from alerts.anomaly.model import AnomalyDetector, CostQuery, Direction, Grouping
from alerts.anomaly.rules import rule_files
from controlplane.model.rule import AlertingRule
from controlplane.model.spend import Ledger
from controlplane.rulefile import to_yaml
from tests.alerts.anomaly.kind.detectors import a_detector

FIGURES = {"y": "812", "yhat": "430.25", "yhat_lower": "310", "yhat_upper": "56000", "anomaly_score": "3.1"}


def outcome(
    promtool: str,
    folder: Path,
    detectors: Sequence[AnomalyDetector],
    series: Mapping[str, str],
    checks: Mapping[str, Sequence[Mapping[str, object]]],
) -> str:
    """What promtool says of checks (`time alert` and its alerts); empty when all hold."""
    (file,) = rule_files(detectors, external_url="https://flyball.example/")
    (folder / file.name).write_text(to_yaml(file))
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    tests = [
        {"eval_time": at.split()[0], "alertname": at.split()[1], "exp_alerts": list(alerts)}
        for at, alerts in checks.items()
    ]
    test = {
        "rule_files": [file.name],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, "alert_rule_test": tests}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def alert(labels: str, **annotations: str) -> dict[str, dict[str, str]]:
    """An alert with labels `a=b c=d`."""
    return {"exp_labels": dict(each.split("=", 1) for each in labels.split()), "exp_annotations": annotations}


def test_an_open_anomaly_is_told_with_its_series_figures_and_commands(promtool: str, tmp_path: Path) -> None:
    labels = 'detector="traffic",exported_job="api",job="flyball",service="it\'s"'
    series = {
        f'anomaly_open{{{labels},output="point"}}': "0 0 1 1 1 0x20",
        'anomaly_open{detector="traffic",job="flyball",service="other",output="point"}': "0x30",
        'flyball_anomaly_series{detector="traffic"}': "2x30",
        'anomaly_scored_timestamp_seconds{detector="traffic",job="flyball"}': "0+60x30",
    } | {f"{name}{{{labels}}}": f"{value}x30" for name, value in FIGURES.items()}
    told = alert(
        "detector=traffic exported_job=api job=flyball service=it's output=point severity=page team=gateway",
        summary="Traffic of the gateway job=api service=it's is unusual",
        description="It is 812; expected 430.2, usual 310 to 56000. Score 3.1: above 1 is anomalous.",
        explain="flyball anomaly explain traffic --series '{job=\"api\",service=\"it'\\''s\"}'",
        dashboard_url="https://flyball.example/anomalies/traffic",
        runbook_url="https://runbooks.example/traffic",
    )
    checks = {
        "1m AnomalyDetected": [],
        "2m AnomalyDetected": [told],
        "8m AnomalyDetected": [told],  # kept for 5 minutes: restarts end no anomaly
        "10m AnomalyDetected": [],
        "20m AnomalyDetectorStale": [],
    }
    assert outcome(promtool, tmp_path, [a_detector()], series, checks) == ""


def test_money_is_told_in_its_currency_and_what_goes_on_says_so(promtool: str, tmp_path: Path) -> None:
    bill = a_detector("bill", query="", cost=CostQuery(Ledger.BILLED, ("service",), None, "EUR"), labels={})
    own = 'currency="EUR",detector="bill",service="it\'s; rm \\\\ \\"x\\" é"'
    series = {
        f'anomaly_open{{{own},output="sustained"}}': "1x9",
        f"y{{{own}}}": "1234567.8x9",
        f"yhat{{{own}}}": "0.000123x9",
        f"yhat_upper{{{own}}}": "-5x9",
        f"yhat_lower{{{own}}}": "-1234567x9",
        f"anomaly_sustained_score{{{own}}}": "2x9",
        f"anomaly_score{{{own}}}": "0.5x9",
        'flyball_anomaly_series{detector="bill"}': "1x9",
    }
    told = alert(
        "currency=EUR detector=bill service=it's;_rm output=sustained severity=page",
        summary='Traffic of the gateway currency=EUR service=it\'s; rm \\ "x" é is unusual',
        description="It has been off for a while, and is now 1234568 EUR; expected 0.000123, usual -1234567 to -5."
        " Score 2: above 1 is anomalous.",
        explain="flyball cost explain --ledger billed --where 'service=it'\\''s; rm \\ \"x\" é'",
        dashboard_url="https://flyball.example/anomalies/bill",
        runbook_url="https://runbooks.example/traffic",
    )
    told["exp_labels"] = {**told["exp_labels"], "service": 'it\'s; rm \\ "x" é'}
    assert outcome(promtool, tmp_path, [bill], series, {"2m AnomalyDetected": [told]}) == ""


def test_a_group_is_told_once_and_only_members_of_calm_groups_beside_it(promtool: str, tmp_path: Path) -> None:
    grouped = a_detector(grouping=Grouping(("region",)), direction=Direction.ABOVE, labels={}, runbook_url="")
    own = 'detector="traffic",region="eu"'
    series = {
        f'anomaly_open{{{own},group="1",output="point"}}': "1x20",
        'anomaly_open{detector="traffic",region="us",group="1",output="point"}': "0x20",
        'anomaly_open{detector="traffic",region="us",service="a",output="point"}': "1x20",
        **{f'anomaly_open{{{own},service="{name}",output="point"}}': "1x20" for name in ("a", "b")},
        **{f'anomaly_score{{{own},service="{name}"}}': f"{score}x20" for name, score in (("a", 2), ("b", 9.125))},
        **{f'{name}{{{own},group="1"}}': f"{value}x20" for name, value in FIGURES.items()},
        'flyball_anomaly_series{detector="traffic"}': "2x30",
    }
    links = {"dashboard_url": "https://flyball.example/anomalies/traffic"}
    group = alert(
        "detector=traffic group=1 region=eu output=point severity=page",
        summary="Traffic of the gateway region=eu is unusual as a whole",
        description="It is 812; expected 430.2, usual at most 56000. Score 3.1: above 1 is anomalous. Farthest off of"
        " its members, by score: region=eu service=b (9.12) region=eu service=a (2).",
        explain="flyball anomaly episodes traffic --open",
        **links,
    )
    member = alert(
        "detector=traffic region=us service=a output=point severity=page",
        summary="Traffic of the gateway region=us service=a is unusual",
        description="It is ?; expected ?, usual at most ?. Score ?: above 1 is anomalous.",
        explain='flyball anomaly explain traffic --series \'{region="us",service="a"}\'',
        **links,
    )
    assert outcome(promtool, tmp_path, [grouped], series, {"2m AnomalyDetected": [group, member]}) == ""


def test_storms_are_one_alert_gaps_wait_and_who_does_not_look_is_told(promtool: str, tmp_path: Path) -> None:
    many = a_detector("many", severity="ticket", labels={"tier": "{{x"}, runbook_url="", display_name="{{ $value }}")
    blind = a_detector("blind", severity="info", labels={}, runbook_url="", step=timedelta(hours=1))
    series = {
        **{
            f'anomaly_open{{detector="many",service="s{number}",output="point"}}': ("1x5 0x30", "1x35")[number == 50]
            for number in range(51)
        },
        **{f'anomaly_score{{detector="many",service="s{number}"}}': f"{number}x35" for number in range(45, 51)},
        'anomaly_gap{detector="many",service="s1"}': "1x35",
        'anomaly_scored_timestamp_seconds{detector="many"}': "0x40",
        'flyball_anomaly_series{detector="many"}': "51x40",
    }
    links = {
        "explain": "flyball anomaly show many",
        "dashboard_url": "https://flyball.example/anomalies/many",
    }
    storm = alert(
        "detector=many output=point series=all severity=ticket tier={{x",
        summary="{{ $value }}: 51 series are unusual at once",
        description="This alert stands for all of them: look for what they have in common. Farthest off:"
        " service=s50 (50) service=s49 (49) service=s48 (48) service=s47 (47) service=s46 (46).",
        explain="flyball anomaly episodes many --open",
        dashboard_url=links["dashboard_url"],
    )
    gap = alert(
        "detector=many service=s1 severity=ticket tier={{x",
        summary="{{ $value }} service=s1 has no samples any more",
        description="Samples that used to come do not come any more: whether it is as usual cannot be told until they"
        " do. Look at what is measured first, then at its exporter.",
        explain="flyball anomaly explain many --series '{service=\"s1\"}'",
        dashboard_url=links["dashboard_url"],
    )
    stale = alert(
        "detector=many severity=ticket tier={{x",
        summary="{{ $value }}: nobody looks for what is unusual",
        description="The newest step that was scored is 36m 0s old; a step is 5 min long. Its samples cannot be read,"
        " or no worker takes its turn. Until then nothing that is unusual is told.",
        **links,
    )
    unknown = alert(
        "detector=blind severity=info",
        summary="Traffic of the gateway: nobody looks for what is unusual",
        description="Nothing is known of it: `flyball up` does not run, or has not loaded this detector."
        " Until then nothing that is unusual is told.",
        explain="flyball anomaly show blind",
        dashboard_url="https://flyball.example/anomalies/blind",
    )
    last = alert(
        "detector=many output=point service=s50 severity=ticket tier={{x",
        summary="{{ $value }} service=s50 is unusual",
        description="It is ?; expected ?, usual ? to ?. Score 50: above 1 is anomalous.",
        explain="flyball anomaly explain many --series '{service=\"s50\"}'",
        dashboard_url=links["dashboard_url"],
    )
    checks = {
        "0m AnomalyDetected": [storm],
        "3m AnomalyDetected": [storm],
        "9m AnomalyDetected": [storm],  # few are left: they do not take turns with it
        "25m AnomalyDetected": [last],
        "14m AnomalySeriesMissing": [],
        "15m AnomalySeriesMissing": [gap],
        "34m AnomalyDetectorStale": [unknown],
        "36m AnomalyDetectorStale": [stale, unknown],
    }
    assert outcome(promtool, tmp_path, [many, blind], series, checks) == ""


def test_prometheus_takes_the_rules_and_they_are_the_same_in_any_order(promtool: str, tmp_path: Path) -> None:
    detectors = [a_detector(), a_detector("a", grouping=Grouping(), most_series=10)]
    (file,) = rule_files(detectors)
    (tmp_path / file.name).write_text(to_yaml(file))
    command = [promtool, "check", "rules", "--lint=all", "--lint-fatal", file.name]
    assert subprocess.run(command, cwd=tmp_path).returncode == 0
    assert rule_files(detectors[::-1]) == (file,)
    assert rule_files([]) == ()
    rules = [rule for group in file.groups for rule in group.rules if isinstance(rule, AlertingRule)]
    assert {name for rule in rules for name, _ in rule.annotations} >= {"summary", "description", "explain"}
    assert not any(name == "dashboard_url" for rule in rules for name, _ in rule.annotations)
