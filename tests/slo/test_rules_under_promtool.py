"""What the generated rules do over time, in both modes: promtool evaluates them on synthetic counters.

promtool ignores a group's own interval. Pages come from the rolling pair and are tested at 1 minute; whatever is summed
from the ledger, which has one entry in 5 minutes, is tested at 5 minutes.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.model.slo import RatioIndicator
from slo.compiler import CompileOptions
from tests.slo.rules_under_promtool import PLAIN, SHARED, Check, Traffic, firing, outcome, pages, pieces, run, steady
from tests.slo.slos import an_slo, good_requests, latency, query, requests

both_modes = pytest.mark.parametrize("options", [PLAIN, SHARED], ids=["plain", "shared"])
plain_in_soak = pytest.mark.parametrize(  # three days of rules take promtool long: half of it is left to the campaigns
    "options", [pytest.param(PLAIN, marks=pytest.mark.soak), SHARED], ids=["plain", "shared"]
)

HOUR, DAY = 60, 1440
PER_MINUTE = 600  # 25.92 million requests in 30 days; at 99.9 % the budget is 25,920 bad events
PAGE, TICKET = "page", "ticket"
NEVER_NAN = ("slo:burn_rate:5m", "slo:burn_rate:30d", "slo:error_budget_remaining:ratio", "slo:error_budget:events")


@both_modes
def test_fast_burns_page_within_an_hour(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    shares = {"r3": 3, "r14-2": 14.2, "r14-7": 14.7, "r20": 20}
    traffic = {name: steady(PER_MINUTE, share / 1000, 75) for name, share in shares.items()}
    checks = [
        pages("40m"),  # 20×: 2 % of the budget are gone after 43 minutes
        pages("46m", "r20"),
        pages("54m", "r20"),
        pages("62m", "r14-7", "r20"),
        pages("75m", "r14-7", "r20"),  # 14.2×: too slow for this tier
    ]
    run(promtool, tmp_path, traffic, checks, interval="1m", options=options)


@both_modes
def test_medium_burns_page_within_six_hours(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    shares = {"r5-8": 5.8, "r6-2": 6.2, "r14-2": 14.2}
    traffic = {name: steady(PER_MINUTE, share / 1000, 375) for name, share in shares.items()}
    checks = [
        pages("2h20m"),
        pages("2h40m", "r14-2"),  # 5 % of the budget are gone after 2 h 32 min
        pages("5h30m", "r14-2"),
        pages("6h5m", "r14-2", "r6-2"),  # 5.8 h
        pages("6h15m", "r14-2", "r6-2"),
    ]
    run(promtool, tmp_path, traffic, checks, interval="1m", options=options)


@plain_in_soak
def test_slow_burns_become_tickets(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    shares = {"r0-95": 0.95, "r1-1": 1.1, "r2-9": 2.9, "r3-2": 3.2}
    traffic = {name: steady(PER_MINUTE, share / 1000, 3 * DAY) for name, share in shares.items()}
    checks = [
        firing("20h"),  # 3.2×: 10 % of the budget are gone after 22.5 h
        firing("23h30m", ("r3-2", TICKET)),
        firing("24h30m", ("r3-2", TICKET)),  # 2.9×: by the slower tier, 10 % after 24.8 h
        firing("26h", ("r2-9", TICKET), ("r3-2", TICKET)),
        firing("64h", ("r2-9", TICKET), ("r3-2", TICKET)),
        firing("67h", ("r1-1", TICKET), ("r2-9", TICKET), ("r3-2", TICKET)),  # 1.1× after 65.5 h
        firing("72h", ("r1-1", TICKET), ("r2-9", TICKET), ("r3-2", TICKET)),
    ]
    run(promtool, tmp_path, traffic, checks, interval="5m", options=options)


@both_modes
def test_incidents_page_within_a_minute_and_resolve(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    quiet = 2 * HOUR
    traffic = {
        # Everything fails for 10 minutes.
        "outage": Traffic(pieces((600, quiet), (0, 10), (600, 3 * HOUR)), pieces((0, quiet), (600, 10), (0, 3 * HOUR))),
        # One minute of errors, 0.9 % of the budget.
        "blip": Traffic(pieces((600, quiet), (360, 1), (600, 3 * HOUR)), pieces((0, quiet), (240, 1), (0, 3 * HOUR))),
        # The error series is born with the first error.
        "newborn": Traffic(pieces((600, 5 * HOUR)), f"_x{quiet} " + pieces((300, 60))),
        # No error was ever counted.
        "no-errors": Traffic(pieces((600, 5 * HOUR))),
        "no-traffic": Traffic(f"100x{5 * HOUR}", f"7x{5 * HOUR}"),
        # A restart sets both counters to zero.
        "reset": Traffic(pieces((600, quiet)) + f" 0+600x{2 * HOUR}", f"5000x{quiet - 1} 0x{2 * HOUR}"),
        # 40 requests an hour, one error in 50 hours: half the budget.
        "rare": Traffic(pieces((40 / 60, 5 * HOUR)), pieces((0, quiet), (1, 1), (0, 3 * HOUR))),
    }
    checks = [
        pages("1h59m"),
        pages("2h1m", "outage"),
        pages("2h4m", "newborn", "outage"),
        pages("2h10m", "newborn", "outage"),
        pages("2h45m", "newborn"),  # 30 minutes after the outage
        pages("4h"),
        Check("4h", 'slo:burn_rate:5m{slo="no-traffic"}'),
        Check("4h", 'slo:error_budget_remaining:ratio{slo="no-traffic"}'),
        Check("4h", 'slo:bad_events:1h{slo="no-errors"}', {_series("slo:bad_events:1h", "no-errors", options): 0}),
        *(Check("4h", f"{name} unless {name} >= -Inf") for name in NEVER_NAN),
    ]
    run(promtool, tmp_path, traffic, checks, interval="1m", options=options)


@both_modes
def test_the_budget_weighs_traffic_and_survives_a_gap(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    gap = Traffic(
        pieces((540, DAY)) + f" _x{2 * HOUR} {600 * DAY}+600x{DAY}",
        pieces((0.6, DAY)) + f" _x{2 * HOUR} {600 * DAY}+0.6x{DAY}",
    )
    # By day 1,000 requests a minute without errors, by night 100 with 1 %: 0.0909 % in all, of which 0.1 % are allowed.
    day_and_night = Traffic(
        pieces(*((1000, DAY // 2), (99, DAY // 2)) * 2), pieces(*((0, DAY // 2), (1, DAY // 2)) * 2)
    )
    traffic = {"gap": gap, "day-night": day_and_night, "steady": steady(PER_MINUTE, 0.0005, 2 * DAY)}
    checks = [
        _about("48h", 'slo:error_budget_remaining:ratio{slo="steady"}', 1 - 0.5 * 48 / 720, 0.0002),
        _about("48h", 'slo:burn_rate:30d{slo="day-night"}', 10 / 11, 0.005),
        _about("24h10m", 'slo:burn_rate:30d{slo="gap"}', 0.6 / 540.6 / 0.001, 0.003),
        _about("50h", 'slo:window_coverage:ratio{slo="gap"}', 48 / 720, 0.001),
        _about("50h", 'slo:burn_rate:30d{slo="gap"}', 1.2 / 1141.2 / 0.001, 0.003),
        _about("50h", 'slo:error_budget_remaining:ratio{slo="gap"}', 1 - 1.2 / 1141.2 / 0.001 * 48 / 720, 0.0005),
        Check("24h15m", 'max by (slo) (ALERTS{alertname="SLONoData",alertstate="firing"})'),
        Check("24h40m", 'max by (slo) (ALERTS{alertname="SLONoData",alertstate="firing"})', {'{slo="gap"}': 1}),
        Check("26h20m", 'max by (slo) (ALERTS{alertname="SLONoData",alertstate="firing"})'),
    ]
    run(promtool, tmp_path, traffic, checks, interval="5m", options=options)


def of_terms(job: str, pattern: str) -> RatioIndicator:
    """Errors as sums of which one term has no series."""
    counter = f'http_requests_total{{job="{job}",'
    return replace(requests(job), bad=query(pattern.replace("{}", counter).replace("}}", "}")))


@both_modes
def test_every_indicator_counts_the_same_errors(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    slos = [
        an_slo("counted", requests("counted")),
        an_slo("only-errors", requests("only-errors")),
        an_slo("by-good", good_requests("counted")),
        an_slo("good-missing", good_requests("only-errors")),
        an_slo("added", of_terms("counted", "sum ({}code='500'}}) + sum ({}code='503'}})")),
        an_slo("subtracted", of_terms("only-errors", "sum ({}}}) - sum ({}code!~'5..'}})")),
        an_slo("mistyped", latency("counted", le="0.33"), "0.95"),
        an_slo("nothing", requests("not-there")),
    ]
    traffic = {"counted": steady(PER_MINUTE, 0.25, HOUR), "only-errors": Traffic("", f"0+60x{HOUR}")}
    bad = 'round(max by (slo) (slo:sli_events:rolling5m{event="bad"}), 0.001)'
    checks = [
        Check(
            "30m",
            bad,
            {f'{{slo="{name}"}}': 750 for name in ("by-good", "counted", "added")}
            | {f'{{slo="{name}"}}': 300 for name in ("good-missing", "only-errors", "subtracted")},
        ),
        Check(
            "30m",
            'max by (slo, service) (ALERTS{alertname="SLONoData",alertstate="firing"})',
            {'{slo="mistyped", service="shop"}': 1, '{slo="nothing", service="shop"}': 1},
        ),
    ]
    run(promtool, tmp_path, traffic, checks, interval="1m", options=options, slos=slos)


@both_modes
def test_a_page_mutes_the_ticket_for_a_day(promtool: str, tmp_path: Path, options: CompileOptions) -> None:
    before, outage, after = 2 * HOUR, 30, 40 * HOUR
    # After the outage 2 % errors go on until the end: 20× the budget, which pages and would be a ticket, too.
    traffic = {
        "paged": Traffic(
            pieces((600, before), (0, outage), (599, after)), pieces((0, before), (600, outage), (1, after))
        )
    }
    checks = [
        firing("2h35m", ("paged", PAGE)),
        firing("20h"),
        firing("40h", ("paged", TICKET)),
    ]
    run(promtool, tmp_path, traffic, checks, interval="5m", options=options)


def test_both_modes_send_the_same_alert(promtool: str, tmp_path: Path) -> None:
    labels = (("note", 'say "hi" {{ $x }} \\ back\nnext'), ("team", "payments"))
    slo = an_slo(
        "checkout", requests("counted"), labels=labels, service="shop", runbook_url="https://wiki.example/{{x}}"
    )
    other = an_slo("other", requests("counted"), "0.5", labels=(("area", "eu"),))
    labels_sent = (
        '{alertname="SLOErrorBudgetBurn", note="say \\"hi\\" {{ $x }} \\\\ back\\nnext", service="shop",'
        ' severity="page", slo="checkout", team="payments"}'
    )
    # In which order promtool evaluates groups is chance, and it writes five ledger entries for one: digits vary.
    description = (
        r'description="Spent in the last hour: 14\.[67]\d% of the 30-day budget\. Left: 29\.3\d% '
        r"\(from 0\.7\d*% of the window\)\. At the rate of the last hour it is gone in (1h 5\d|2h \d)m \d+s\.\""
    )
    others = [
        'dashboard_url="https://flyball.example/slos/checkout"',
        'runbook_url="https://wiki.example/{{x}}"',
        'summary="checkout: the error budget burns 100.0 times too fast"',
        'worst="code=500 route=/pay 3600; "',
    ]
    traffic = {"counted": steady(PER_MINUTE, 0.1, 2 * HOUR)}
    nothing = {"alert_rule_test": [{"eval_time": "62m", "alertname": "SLOErrorBudgetBurn", "exp_alerts": []}]}
    for mode, options in (("plain", PLAIN), ("shared", SHARED)):
        folder = tmp_path / mode
        folder.mkdir()
        said = outcome(promtool, folder, traffic, nothing, interval="1m", options=options, slos=[slo, other])
        got = said.stdout + said.stderr
        assert got.count("Labels:{") == 1, got
        assert f"Labels:{labels_sent}" in got
        assert re.search(description, got), got
        assert all(other in got for other in others), got


@both_modes
def test_a_page_says_from_its_first_minute_on_what_was_spent(
    promtool: str, tmp_path: Path, options: CompileOptions
) -> None:
    calm = 2 * HOUR
    traffic = {"out": Traffic(pieces((600, calm), (0, 2)), pieces((0, calm), (600, 2)))}
    nothing = {"alert_rule_test": [{"eval_time": "2h1m", "alertname": "SLOErrorBudgetBurn", "exp_alerts": []}]}
    said = outcome(promtool, tmp_path, traffic, nothing, interval="1m", options=options)
    # One minute of 43,200 is 2.3 % of 0.1 %; the hour's own sum knows a fifth of it so far.
    got = said.stdout + said.stderr
    assert re.search(r"Spent in the last hour: 2\.3\d*% of the 30-day budget", got), got


def test_a_duplicate_breaks_no_shard(promtool: str, tmp_path: Path) -> None:
    traffic = {"twice": steady(PER_MINUTE, 0.1, HOUR), "once": steady(PER_MINUTE, 0.1, HOUR)}
    # What a changed service, a second replica or a federated copy leave behind; the rest of the rules doubles with it.
    extra = [
        'slo:info{slo="twice",shard="30d-000",service="before"}',
        'slo:error_budget:ratio{slo="twice",shard="30d-000",replica="b"}',
        'slo:sli_events:rolling5m{slo="twice",event="all",replica="b"}',
        'slo:sli_events:rolling5m{slo="twice",event="bad",replica="b"}',
    ]
    checks = [pages("30m", "once", "twice")]
    run(promtool, tmp_path, traffic, checks, interval="1m", options=SHARED, extra=dict.fromkeys(extra, "0.001x60"))


def _about(at: str, expr: str, value: float, tolerance: float) -> Check:
    """The value within a tolerance; the answer is one sample without labels."""
    return Check(at, f"count(abs({expr} - {value}) < {tolerance})", {"{}": 1})


def _series(name: str, slo: str, options: CompileOptions) -> str:
    shard = ', shard="30d-000"' if options is SHARED else ""
    return f'{name}{{slo="{slo}"{shard}}}'
