"""Alerts that keep others quiet, evaluated by Prometheus' own rule tests."""

import json
import subprocess
from pathlib import Path

from alerts.routing.own_rules import rule_files
from controlplane.rulefile import to_yaml

STATE = "flyball_check_region_state"


def states(**of: str) -> list[dict[str, str]]:
    """Series: each check `probe_region` in the state that it is said to be in, for an hour."""
    found = []
    for name, state in of.items():
        check, region = name.split("_")
        for each in ("up", "down", "flapping", "silent", "fault", "pending"):
            labels = f'kind="probe", check="{check}", region="{region}", state="{each}"'
            found.append({"series": f"{STATE}{{{labels}}}", "values": f"{int(each == state)}+0x60"})
    return found


def firing(tmp_path: Path, promtool: str, alert: str, series: list[dict[str, str]], expected: list[str]) -> None:
    """Assert that the alert fires for these regions or ladders after ten minutes, and for no others."""
    (file,) = rule_files(has_ladders=True, has_checks=True, external_url="https://flyball.example.com")
    (tmp_path / "rules.yml").write_text(to_yaml(file))
    label = "region" if alert == "RegionDown" else "ladder"
    query = f'count by ({label}) (ALERTS{{alertname="{alert}", alertstate="firing"}})'
    samples = [{"labels": f'{{{label}="{each}"}}', "value": 1} for each in expected]
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "1m",
                "input_series": series,
                "promql_expr_test": [{"expr": query, "eval_time": "10m", "exp_samples": samples}],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(json.dumps(test))
    done = subprocess.run([promtool, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_region_is_down_when_all_of_its_checks_are_and_others_work(tmp_path: Path, promtool: str) -> None:
    found = states(a_eu="down", b_eu="down", c_eu="silent", a_us="down", b_us="up", c_us="up")
    firing(tmp_path, promtool, "RegionDown", found, ["eu"])


def test_what_fails_everywhere_or_is_one_check_is_no_region_that_is_down(tmp_path: Path, promtool: str) -> None:
    firing(tmp_path, promtool, "RegionDown", states(a_eu="down", b_eu="down", a_us="down", b_us="down"), [])
    firing(tmp_path, promtool, "RegionDown", states(a_eu="down", a_us="up", b_us="up"), [])


def test_a_step_of_a_ladder_is_told_while_it_is_under_way_and_no_longer_than_an_hour(
    tmp_path: Path, promtool: str
) -> None:
    begun = "flyball_ladder_step_started_timestamp_seconds"
    series = [
        {"series": f'{begun}{{ladder="now", phase="acting"}}', "values": "60+0x60"},
        {"series": f'{begun}{{ladder="stuck", phase="acting"}}', "values": "-4000+0x60"},
    ]
    firing(tmp_path, promtool, "DownshiftInProgress", series, ["now"])


def test_there_is_no_file_without_ladders_and_checks() -> None:
    assert rule_files(has_ladders=False, has_checks=False) == ()
