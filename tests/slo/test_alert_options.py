"""Rules with each option of an SLO's alerts and data policy: as text, and as Prometheus and vmalert take them."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.alerting import (
    STANDARD_ALERTING,
    STANDARD_TIERS,
    Alerting,
    AlertMethod,
    AlertText,
    Tier,
    Urgency,
)
from controlplane.model.rule import AlertingRule, RecordingRule
from controlplane.model.slo import SLO, Absent, DataPolicy, NoTraffic
from controlplane.rulefile import to_yaml
from slo.compiler import CompileOptions, compile_rules
from tests.slo.slos import an_slo, latency, requests

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = CompileOptions("https://flyball.example")
HOUR = timedelta(hours=1)
OWN_TIERS = (
    Tier(Urgency.PAGE, Decimal("0.03"), timedelta(minutes=10), 2 * HOUR, (2 * HOUR,), hold=timedelta(minutes=2)),
    Tier(Urgency.PAGE, Decimal("0.1"), HOUR, 12 * HOUR, (12 * HOUR,)),
    Tier(Urgency.TICKET, Decimal("0.2"), 36 * HOUR, 120 * HOUR, (120 * HOUR,), burn_rate=Decimal("1.2")),
)
TEXT = AlertText(
    labels=(("notify", "phone"), ("team", "{{ $labels.slo }}")),
    annotations=(("help", "call {{ $labels.service }}"), ("odd", "{{ nope }}"), ("summary", "it burns")),
    severity="critical",
    name="Burning",
)
SLOS = [
    an_slo("burn-rate", requests("shop"), alerting=replace(STANDARD_ALERTING, method=AlertMethod.BURN_RATE)),
    an_slo(
        "own-tiers", requests("shop"), "0.99", labels=(("team", "shop"),),
        alerting=Alerting(OWN_TIERS, fewest_bad_events=Decimal(10), page=TEXT),
    ),
    an_slo("no-alerts", requests("shop"), alerting=Alerting(()), policy=DataPolicy(absent=Absent.IGNORE)),
    an_slo(
        "grouped", latency("shop"), groups=("tenant", "region"),
        policy=DataPolicy(NoTraffic.BAD, Absent.PAGE, 2 * HOUR, 'up{job="shop"}'),
    ),
]  # fmt: skip


def alerts(slo: SLO) -> list[AlertingRule]:
    (file,) = compile_rules([slo], OPTIONS)
    return [rule for group in file.groups for rule in group.rules if isinstance(rule, AlertingRule)]


def recorded(slo: SLO) -> set[str]:
    (file,) = compile_rules([slo], OPTIONS)
    return {rule.record for group in file.groups for rule in group.rules if isinstance(rule, RecordingRule)}


@pytest.mark.parametrize("slo", SLOS, ids=[slo.name for slo in SLOS])
def test_golden_rules_with_options(slo: SLO) -> None:
    (file,) = compile_rules([slo], OPTIONS)
    path, text = GOLDEN / file.name, to_yaml(file)
    if os.environ.get("FLYBALL_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


def test_promtool_and_vmalert_take_them_without_a_word(promtool: str, tmp_path: Path) -> None:
    many = [*SLOS, *(replace(slo, name=f"{slo.name}-b", alerting=SLOS[0].alerting) for slo in SLOS)]
    for file in compile_rules(many, OPTIONS):
        (tmp_path / file.name).write_text(to_yaml(file))
    paths = sorted(tmp_path.glob("*.yaml"))
    _agrees([promtool, "check", "rules", "--lint=all", "--lint-fatal", *map(str, paths)])
    _agrees(["vmalert", "-dryRun", f"-rule={tmp_path}/*.yaml"])


def _agrees(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_window_that_an_alert_reads_is_recorded_with_its_coverage() -> None:
    for slo in SLOS:
        names = recorded(slo)
        for rule in alerts(slo):
            read = {word.split("{")[0].strip("(") for word in rule.expr.split() if word.strip("(").startswith("slo:")}
            assert read <= names, rule.expr
    for window in ("10m", "2h", "1h", "12h", "36h", "5d"):
        assert f"slo:window_coverage:{window}" in recorded(SLOS[1])


def test_tiers_that_must_last_are_told_apart() -> None:
    pages = [rule for rule in alerts(SLOS[1]) if dict(rule.labels)["severity"] == "critical"]
    assert [(rule.hold, dict(rule.labels)["tier"]) for rule in pages] == [
        (timedelta(0), "page-12h"),
        (timedelta(minutes=2), "page-2h"),
    ]


def test_no_tier_of_an_urgency_is_no_alert_of_it() -> None:
    assert alerts(SLOS[2]) == []
    tickets = an_slo("t", requests("t"), alerting=Alerting(STANDARD_TIERS[2:]))
    assert [dict(rule.labels)["severity"] for rule in alerts(tickets)] == ["ticket", "ticket"]
    assert "ALERTS" not in alerts(tickets)[0].expr  # no page that could mute it


def test_what_users_say_is_added_and_what_prometheus_would_refuse_is_plain_text() -> None:
    page = alerts(SLOS[1])[0]
    assert page.alert == "Burning"
    labels, words = dict(page.labels), dict(page.annotations)
    assert (labels["notify"], labels["team"], labels["service"]) == ("phone", "{{ $labels.slo }}", "shop")
    assert words["summary"] == "it burns"
    assert words["odd"] == '{{ "{{" }} nope }}'
    assert words["explain"] == "flyball slo explain own-tiers"


def test_labels_of_a_group_come_from_the_series_and_say_whose_budget_burns() -> None:
    (page, *_) = alerts(replace(SLOS[3], labels=(("tenant", "all"), ("team", "x"))))
    assert "tenant" not in dict(page.labels)
    assert dict(page.annotations)["explain"].endswith(
        "--group tenant={{ $labels.tenant }} --group region={{ $labels.region }}"
    )
    group = "tenant={{ $labels.tenant }}, region={{ $labels.region }}"
    assert dict(page.annotations)["summary"].startswith(f"grouped {group}: the error budget burns ")


@pytest.mark.parametrize(
    ("policy", "every"),
    [
        (DataPolicy(), timedelta(minutes=5)),
        (DataPolicy(absent_after=timedelta(minutes=2)), timedelta(minutes=1)),
        (DataPolicy(absent=Absent.PAGE), timedelta(minutes=1)),
    ],
)
def test_who_wants_to_know_soon_that_data_is_missing_is_not_told_at_the_next_fifth_minute(
    policy: DataPolicy, every: timedelta
) -> None:
    files = compile_rules([replace(an_slo("shop", requests("shop")), policy=policy)], OPTIONS)
    assert [
        group.interval
        for file in files
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, AlertingRule) and rule.alert == "SLONoData"
    ] == [every]
