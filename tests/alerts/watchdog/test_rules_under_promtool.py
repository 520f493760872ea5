"""Alerts about alerting in `promtool test rules`: when they fire, and for whom."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from alerts.watchdog.rules import FILE, rule_files
from controlplane import incident_names
from controlplane.model.rule import AlertingRule
from controlplane.rulefile import to_yaml

QUIET = {
    'flyball_schedule_covered{schedule="sre"}': "1x100",
    "flyball_outbox_dead_letters": "2x100",
    'flyball_postmortem_actions{state="overdue"}': "0x100",
    "flyball_spool_pages": "0x100",
    "flyball_watchdog_last_seen_timestamp_seconds": "0+60x100",
    'flyball_heartbeats_total{outcome="sent"}': "0+2x100",
    'flyball_heartbeats_total{outcome="withheld"}': "3x100",
}


def outcome(promtool: str, folder: Path, series: Mapping[str, str], checks: Sequence[dict[str, object]]) -> str:
    """What promtool says of checks; empty when all hold."""
    (file,) = rule_files()
    (folder / file.name).write_text(to_yaml(file))
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {
        "rule_files": [file.name],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": list(checks)}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def firing(at: str, *alerts: str) -> dict[str, object]:
    """Exactly these fire beside the Watchdog, each as `name severity channel-or-schedule`."""
    told_of = 'label_join(ALERTS{alertstate="firing"}, "told", "", "channel", "schedule")'
    expr = f"max by (alertname, severity, told) ({told_of})"
    samples: list[dict[str, object]] = []
    for alert in ("Watchdog none", *alerts):
        name, severity, *told = alert.split(" ", 2)
        about = f', told="{told[0]}"' if told else ""
        samples.append({"labels": f'{{alertname="{name}", severity="{severity}"{about}}}', "value": 1})
    return {"expr": expr, "eval_time": at, "exp_samples": samples}


def test_prometheus_takes_the_rules_and_each_alert_of_ours_is_among_them(promtool: str, tmp_path: Path) -> None:
    (file,) = rule_files(runbook_url="https://runbooks.example/flyball", labels=[("team", "sre"), ("channel", "no")])
    (tmp_path / FILE).write_text(to_yaml(file))
    assert (
        subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", FILE], cwd=tmp_path).returncode == 0
    )
    rules = [rule for group in file.groups for rule in group.rules if isinstance(rule, AlertingRule)]
    ours = {value for name, value in vars(incident_names).items() if name.startswith("ALERT_")}
    of_routing = {incident_names.ALERT_REGION_DOWN, incident_names.ALERT_DOWNSHIFT}
    assert {rule.alert for rule in rules} == ours - of_routing
    assert all(("runbook_url", "https://runbooks.example/flyball") in rule.annotations for rule in rules)
    assert all(dict(rule.labels) == {"severity": dict(rule.labels)["severity"], "team": "sre"} for rule in rules)


def test_only_the_watchdog_fires_while_all_is_well_and_while_nothing_is_known(promtool: str, tmp_path: Path) -> None:
    checks = [firing("0m"), firing("1m"), firing("50m")]
    assert outcome(promtool, tmp_path, QUIET, checks) == ""
    assert outcome(promtool, tmp_path, {}, checks) == ""


def test_a_watchdog_that_stays_away_pages(promtool: str, tmp_path: Path) -> None:
    series = QUIET | {"flyball_watchdog_last_seen_timestamp_seconds": "0+60x10 600x10 1260+60x20"}
    checks = [firing("15m"), firing("18m", "WatchdogSilent page"), firing("23m")]
    assert outcome(promtool, tmp_path, series, checks) == ""


def test_new_dead_letters_page_and_old_ones_do_not(promtool: str, tmp_path: Path) -> None:
    series = QUIET | {"flyball_outbox_dead_letters": "2x20 3x60"}
    checks = [firing("20m"), firing("21m", "MessagesGivenUp page"), firing("37m")]
    assert outcome(promtool, tmp_path, series, checks) == ""


def test_what_waits_is_told_apart_from_what_fails(promtool: str, tmp_path: Path) -> None:
    series = QUIET | {
        'flyball_outbox_oldest_timestamp_seconds{channel="slack:#ops"}': "0x30",
        'flyball_outbox_oldest_timestamp_seconds{channel="slack:#down"}': "0x30",
        'flyball_channel_failing_timestamp_seconds{channel="slack:#down"}': "0x30",
        'flyball_outbox_oldest_timestamp_seconds{channel="pagerduty:sre"}': "0x30",
        'flyball_channel_failing_timestamp_seconds{channel="pagerduty:sre"}': "0x30",
    }
    told = ("MessagesWaiting ticket slack:#ops", "ChannelDown ticket slack:#down", "ChannelDown page pagerduty:sre")
    assert outcome(promtool, tmp_path, series, [firing("5m"), firing("6m", *told)]) == ""


def test_a_gap_on_call_a_heart_that_stopped_late_actions_and_spooled_pages_are_told(
    promtool: str, tmp_path: Path
) -> None:
    series = QUIET | {
        'flyball_schedule_covered{schedule="sre"}': "1x9 0x30",
        "flyball_spool_pages": "0x9 1x30",
        'flyball_postmortem_actions{state="overdue"}': "0x9 3x30",
        'flyball_heartbeats_total{outcome="sent"}': "0+2x9 18x30",
        'flyball_heartbeats_total{outcome="withheld"}': "3x9 3+2x30",
    }
    told = ("NobodyOnCall page sre", "PagesInLocalSpool page", "PostmortemActionOverdue ticket")
    checks = [firing("9m"), firing("12m", *told), firing("20m", *told, "HeartbeatFailing ticket")]
    assert outcome(promtool, tmp_path, series, checks) == ""
