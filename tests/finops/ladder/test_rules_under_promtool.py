"""Ladders' alerts in `promtool test rules`: when they fire, for whom, and what they say."""

import subprocess
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import yaml

from controlplane.rulefile import to_yaml
from finops.ladder.model import Ladder
from finops.ladder.rules import rule_files
from tests.finops.ladder.ladders import a_ladder, a_tier

TIER = 'flyball_ladder_tier{ladder="intelgraph",instance="a"}'
JUDGED = 'flyball_ladder_sample_timestamp_seconds{ladder="intelgraph"}'
ALWAYS = {JUDGED: "0+60x200", TIER: "0x200"}
LADDER = a_ladder(
    tiers=(a_tier(1, "observe", expires_after=timedelta(hours=2)), a_tier(2, "throttle")),
    labels=(("team", "platform"), ("tier", "not ours")),
    runbook_url="https://runbooks.example/ladder",
)


def outcome(promtool: str, folder: Path, series: Mapping[str, str], checks: Sequence[object], of: Ladder) -> str:
    """What promtool says of checks; empty when all hold."""
    (file,) = rule_files([of])
    (folder / file.name).write_text(to_yaml(file))
    keys = {"alertname": "alert_rule_test", "expr": "promql_expr_test"}
    told: dict[str, list[object]] = {}
    for check in checks:
        assert isinstance(check, dict)
        told.setdefault(keys["alertname" if "alertname" in check else "expr"], []).append(check)
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {
        "rule_files": [file.name],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": inputs, **told}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(test))
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def firing(at: str, *alerts: str) -> dict[str, object]:
    """Exactly these fire, each as `name severity tier-or-signal`."""
    expr = 'max by (alertname, severity, told) (label_join(ALERTS{alertstate="firing"}, "told", "", "tier", "signal"))'
    samples = []
    for alert in alerts:
        name, severity, *told = alert.split(" ", 2)
        about = f', told="{told[0]}"' if told else ""
        samples.append({"labels": f'{{alertname="{name}", severity="{severity}"{about}}}', "value": 1})
    return {"expr": expr, "eval_time": at, "exp_samples": samples}


def test_the_rules_are_what_prometheus_takes_and_nothing_stands_twice(promtool: str, tmp_path: Path) -> None:
    (file,) = rule_files([LADDER])
    (tmp_path / file.name).write_text(to_yaml(file))
    done = subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", file.name], cwd=tmp_path)
    assert done.returncode == 0
    assert file.name == "finops-ladder-intelgraph.yaml"


def test_the_tier_in_force_is_told_to_nobody_and_outlives_who_exports_it(promtool: str, tmp_path: Path) -> None:
    series = ALWAYS | {
        TIER: "0x9 1x9 2x9 3x9 0x9 2x9 _x200",
        TIER.replace('"a"', '"b"'): "0x9 1x9 2x9 3x9 0x9 _x200",
        JUDGED: "0+60x300",
    }
    reduced = "ServiceReducedOnPurpose info"
    checks = [
        firing("5m"), firing("15m", f"{reduced} 1"), firing("25m", f"{reduced} 2"), firing("35m", f"{reduced} 3"),
        firing("45m"), firing("55m", f"{reduced} 2"), firing("100m", f"{reduced} 2"), firing("125m"),
    ]  # fmt: skip
    assert outcome(promtool, tmp_path, series, checks, LADDER) == ""


def test_a_reading_that_is_not_good_is_told_after_five_minutes(promtool: str, tmp_path: Path) -> None:
    good = 'flyball_ladder_signal_good{ladder="intelgraph",signal="llm-burn"}'
    series = ALWAYS | {good: "1x10 0x3 1x10 0x20"}
    checks = [firing("14m"), firing("22m"), firing("31m", "LadderWithoutData ticket llm-burn")]
    assert outcome(promtool, tmp_path, series, checks, LADDER) == ""


def test_a_ladder_that_nobody_judges_is_told(promtool: str, tmp_path: Path) -> None:
    series = {TIER: "0x200", JUDGED: "0+60x10 600x30 _x60"}
    checks = [firing("9m"), firing("21m", "LadderNotJudged ticket"), firing("70m", "LadderNotJudged ticket")]
    assert outcome(promtool, tmp_path, series, checks, LADDER) == ""


def test_what_an_approval_is_asked_for_says(promtool: str, tmp_path: Path) -> None:
    series = ALWAYS | {'flyball_ladder_waits_for_approval{ladder="intelgraph",tier="2"}': "_x4 1x20"}
    told = {
        "alertname": "LadderAsksForApproval",
        "eval_time": "10m",
        "exp_alerts": [
            {
                "exp_labels": {"ladder": "intelgraph", "tier": "2", "severity": "ticket", "team": "platform"},
                "exp_annotations": {
                    "summary": "IntelGraph asks for approval of tier 2",
                    "description": "Spend asks for the step, and it may not be made without you. Read why: flyball"
                    " ladder explain intelgraph. Allow it: flyball ladder approve intelgraph --tier 2 --for 4h --why"
                    ' "…". Do nothing, and service stays as it is while money goes on.',
                    "explain": "flyball ladder explain intelgraph",
                    "runbook_url": "https://runbooks.example/ladder",
                },
            }
        ],
    }
    assert outcome(promtool, tmp_path, series, [firing("3m"), told], LADDER) == ""


def test_a_store_that_is_down_pages_and_mutes_the_step_that_waits_for_it(promtool: str, tmp_path: Path) -> None:
    series = ALWAYS | {
        'flyball_ladder_flag_store_down_timestamp_seconds{ladder="intelgraph"}': "_x9 600x30 _x60",
        'flyball_ladder_step_started_timestamp_seconds{ladder="intelgraph",phase="writing"}': "_x9 540x50 _x40",
    }
    checks = [
        firing("10m"), firing("12m", "FlagStoreDown page"), firing("39m", "FlagStoreDown page"),
        firing("50m", "LadderStepStuck page"), firing("70m"),
    ]  # fmt: skip
    assert outcome(promtool, tmp_path, series, checks, LADDER) == ""


def test_steps_undone_edits_by_people_and_tiers_that_do_not_pay_are_told(promtool: str, tmp_path: Path) -> None:
    series = ALWAYS | {
        'flyball_ladder_step_failed_timestamp_seconds{ladder="intelgraph"}': "_x9 600x100",
        'flyball_ladder_yielded_flags{ladder="intelgraph"}': "0x49 2x10 0x100",
        'flyball_ladder_tier_saves_nothing{ladder="intelgraph",tier="1",currency="USD"}': "0x69 1x100",
    }
    checks = [
        firing("8m"), firing("12m", "LadderStepFailed page"), firing("45m"),
        firing("55m", "LadderYieldedToPerson ticket"), firing("80m"), firing("110m", "LadderTierSavesNothing ticket 1"),
    ]  # fmt: skip
    assert outcome(promtool, tmp_path, series, checks, LADDER) == ""


def test_a_tier_that_expires_is_told_before_and_until_somebody_extends_it(promtool: str, tmp_path: Path) -> None:
    expires = 'flyball_ladder_tier_expires_timestamp_seconds{ladder="intelgraph",tier="1"}'
    series = {JUDGED: "0+60x400", TIER: "0x400", expires: "7200x150 18000x200"}
    checks = [firing("59m"), firing("61m", "LadderTierExpires ticket 1"), firing("149m", "LadderTierExpires ticket 1")]
    assert outcome(promtool, tmp_path, series, [*checks, firing("155m")], LADDER) == ""


def test_a_tier_that_a_shadow_ladder_cannot_leave_is_told(promtool: str, tmp_path: Path) -> None:
    info = 'flyball_ladder_info{ladder="intelgraph",mode="shadow",flag_store="platform",owner="o"}'
    series = ALWAYS | {TIER: "0x4 1x100", info: "1x200"}
    checks = [firing("3m"), firing("12m", "LadderTierStranded ticket", "ServiceReducedOnPurpose info 1")]
    assert outcome(promtool, tmp_path, series, checks, LADDER) == ""
