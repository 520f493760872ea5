import os
import subprocess
from decimal import Decimal
from pathlib import Path

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.model.rule import AlertingRule, RecordingRule
from controlplane.model.slo import SLO, RatioIndicator
from controlplane.rulefile import to_yaml
from flyball.demo import servers
from slo.compiler import SHARD_SIZE, CompileOptions, compile_rules, shards
from slo.indicators.indicator import pair_over_past, rolling_records, worst_contributors
from slo.passes.alerts import literal
from tests.slo.slos import an_slo, good_requests, latency, query, requests

GOLDEN = Path(__file__).parent / "golden"
OPTIONS = CompileOptions("https://flyball.example", "https://wiki.example/{service}/{slo}")
SLOS = [
    an_slo("checkout", requests("checkout")),
    an_slo("search-latency", latency("search"), "0.95", 28, labels=(("team", "search"),), worst_by=("operation",)),
    an_slo("sign-in", good_requests("auth"), "0.99", 7, service="auth", runbook_url="https://runbooks.example/auth"),
]
AWKWARD = 'it\'s "x" {{ .Nope }} `y` \\ 100%\nnext: line'


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("FLYBALL_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("index", range(3), ids=[slo.name for slo in SLOS])
def test_golden_rules_of_one_slo(index: int) -> None:
    (file,) = compile_rules([SLOS[index]], OPTIONS)
    golden(file.name, to_yaml(file))


def test_golden_rules_of_a_shard() -> None:
    several = [SLOS[0], an_slo("pay", good_requests("pay"), "0.9995", labels=(("team", "payments"),))]
    (file,) = compile_rules(several, CompileOptions("https://flyball.example", shared_above=1))
    golden(file.name, to_yaml(file))


@pytest.mark.parametrize("shared_above", [0, 1000], ids=["shared", "plain"])
def test_promtool_finds_nothing_to_say_and_prometheus_loads_it(
    promtool: str, tmp_path: Path, shared_above: int
) -> None:
    awkward = RatioIndicator(query('x{a="`{{"}'), query("x{a=~`.*\"'}}`}"), None)
    slos = [
        *SLOS,
        an_slo("awkward", awkward, labels=(("note", AWKWARD),), service=AWKWARD, runbook_url=f"https://x/{AWKWARD}"),
        *(
            an_slo(f"days-{days}".replace(".", "-"), requests("x"), "0.9", days)
            for days in (1 / 24, 0.25, 1, 2, 90, 365)
        ),
    ]
    files = compile_rules(slos, CompileOptions("https://flyball.example/'", shared_above=shared_above))
    paths = [tmp_path / file.name for file in files]
    for path, file in zip(paths, files, strict=True):
        path.write_text(to_yaml(file))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", *paths], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with servers.prometheus(tmp_path / "prometheus", rule_globs=[f"{tmp_path}/*.yaml"]) as server:
        assert servers.answers(f"{server.url}/-/ready")


def test_the_order_of_slos_does_not_matter() -> None:
    for options in (OPTIONS, CompileOptions(shared_above=0)):
        assert compile_rules(SLOS, options) == compile_rules(reversed(SLOS), options)


def test_rules_are_shared_only_above_the_limit() -> None:
    assert len(compile_rules(SLOS, CompileOptions(shared_above=3))) == 3
    names = [file.name for file in compile_rules(SLOS, CompileOptions(shared_above=2))]
    assert names == ["slo-shard-7d-000.yaml", "slo-shard-28d-000.yaml", "slo-shard-30d-000.yaml"]


def _many(count: int, days: float = 30) -> list[SLO]:
    return [an_slo(f"slo-{index}", requests("x"), days=days) for index in range(count)]


def test_shards_are_of_even_size_and_smaller_for_long_windows() -> None:
    sizes = [len(members) for _, members in shards(_many(3 * SHARD_SIZE))]
    assert len(sizes) == 3
    assert max(sizes) < 1.2 * SHARD_SIZE
    yearly = [len(members) for _, members in shards(_many(100, days=365))]
    assert max(yearly) * 365 / 30 * 8640 * 2 < 50_000_000


def test_an_slo_keeps_its_shard_while_their_number_stays() -> None:
    before = {slo.name: shard for shard, members in shards(_many(900)) for slo in members}
    after = {slo.name: shard for shard, members in shards(_many(990)) for slo in members}
    assert all(after[name] == shard for name, shard in before.items())


def test_the_history_carries_the_same_labels_in_both_modes() -> None:
    for options in (OPTIONS, CompileOptions(shared_above=0)):
        for file in compile_rules([SLOS[0]], options):
            rules = [rule for group in file.groups for rule in group.rules if isinstance(rule, RecordingRule)]
            (ledger,) = [rule for rule in rules if rule.record == "slo:sli_events:ledger5m"]
            assert {key for key, _ in ledger.labels} <= {"slo"}
            rolling = [rule for rule in rules if rule.record == "slo:sli_events:rolling5m"]
            assert [dict(rule.labels) for rule in rolling] == [
                {"slo": "checkout", "event": "all"},
                {"slo": "checkout", "event": "bad"},
            ]


@given(st.decimals(Decimal("0.5"), Decimal("0.99999"), places=5))
@settings(max_examples=50)
def test_no_float_leaks_into_the_rules(objective: Decimal) -> None:
    (file,) = compile_rules([an_slo("x", requests("x"), str(objective))], OPTIONS)
    budget = [
        rule.expr
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, RecordingRule) and rule.record == "slo:error_budget:ratio"
    ]
    written = budget[0].removeprefix("vector(").removesuffix(")")
    assert Decimal(written) == 1 - objective
    assert len(written) <= len("0.00001")


def test_thresholds_scale_with_the_window() -> None:
    (file,) = compile_rules([an_slo("x", requests("x"), days=7)], OPTIONS)
    (page, ticket) = [
        rule
        for group in file.groups
        for rule in group.rules
        if isinstance(rule, AlertingRule) and rule.alert == "SLOErrorBudgetBurn"
    ]
    assert 'burn_rate:5m{slo="x"} > 3.36 ' in page.expr
    assert 'burn_rate:30m{slo="x"} > 1.4 ' in page.expr
    assert 'burn_rate:2h{slo="x"} > 1 ' in ticket.expr  # 0.7 keeps the objective
    assert 'burn_rate:6h{slo="x"} > 1 ' in ticket.expr


def test_runbooks_come_from_the_slo_then_the_template_then_the_console() -> None:
    links = OPTIONS.links
    assert links.runbook(SLOS[2]) == "https://runbooks.example/auth"
    assert links.runbook(SLOS[0]) == "https://wiki.example/shop/checkout"
    assert CompileOptions("https://f/").links.runbook(SLOS[0]) == "https://f/slos/checkout#runbook"
    assert CompileOptions().links.runbook(SLOS[0]) == ""


def test_worst_contributors_leave_out_what_is_fixed() -> None:
    assert worst_contributors(SLOS[0]) == (
        "topk(3, sum by (code, route, handler, path, operation, status)"
        ' (increase(http_requests_total{job="checkout",code=~"5.."}[1h])) > 0)'
    )
    assert "sum by (operation)" in worst_contributors(SLOS[1])
    assert "le" not in worst_contributors(SLOS[1]).split("(increase")[0].split("by (")[1]


def test_the_pair_can_be_asked_without_recorded_series() -> None:
    for slo in SLOS:
        assert "slo:" in list(rolling_records(slo))[-1].expr
        alone = pair_over_past(slo).bad
        assert "slo:" not in alone
        promql_parser.parse(alone)


def test_an_owner_label_of_the_user_is_the_owner_everywhere() -> None:
    slo = an_slo("x", requests("x"), owner="ann", labels=(("owner", "bob"),))
    for options in (OPTIONS, CompileOptions(shared_above=0)):
        (file,) = compile_rules([slo], options)
        rules = [rule for group in file.groups for rule in group.rules]
        (info,) = [rule for rule in rules if isinstance(rule, RecordingRule) and rule.record == "slo:info"]
        assert dict(info.labels)["owner"] == "bob"


def test_a_users_braces_are_no_template() -> None:
    assert literal("a {{ b }}") == 'a {{ "{{" }} b }}'
