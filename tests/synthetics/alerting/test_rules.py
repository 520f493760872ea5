"""The alerts on checks, evaluated by promtool: when they fire, for whom, and what they say."""

import subprocess
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from controlplane.model.check import CheckKind
from controlplane.model.rule import AlertingRule, RecordingRule
from controlplane.rulefile import to_yaml
from synthetics.alerting.model import AlertedCheck, alerted, certificate_days
from synthetics.alerting.rules import rule_files
from synthetics.probes.modules import Assertion, AssertionKind
from tests.synthetics.alerting.checks import CASE, CORE, HEALTH, IS_HEALTH, TLS, UP, Fires, SomePath, run, the_file

PAGE, TICKET = {"severity": "page"}, {"severity": "ticket"}
OF_HEALTH = {"kind": "probe", "check": "gateway-health", "probe": "gateway-health", "service": "graphql-gateway",
             "owner": "team-edge", "team": "edge"}  # fmt: skip
OF_TLS = {"kind": "probe", "check": "gateway-tls", "probe": "gateway-tls"}
DAY = 86_400


def regions(**states: str) -> dict[str, str]:
    """The state of gateway-health in each region, as `state: values`."""
    return {
        f'flyball_check_region_state{{{IS_HEALTH},region="{region}",state="{state}"}}': "1x60"
        for region, state in states.items()
    }


def test_every_rule_passes_promtool_with_all_its_lint(promtool: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(to_yaml(the_file()))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yaml"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_check_that_is_down_everywhere_pages_at_once_and_says_where_since_when_and_why(
    promtool: str, tmp_path: Path
) -> None:
    series = {
        f'flyball_check_verdict{{{IS_HEALTH},verdict="global"}}': "0x4 1x4 0x5",
        f'flyball_check_verdict{{{IS_HEALTH},verdict="up"}}': "1x4 0x4 1x5",
        f"flyball_check_verdict_since_timestamp_seconds{{{IS_HEALTH}}}": "300x20",
        f'flyball_check_failure{{{IS_HEALTH},region="eu",reason="refused"}}': "_x5 1x5",
        **regions(eu="down", us="down", ap="down", cn="silent"),
    }
    words = {
        "summary": "gateway-health fails in 3 of 3 regions since 1970-01-01 00:05 UTC: refused",
        "description": "The probe gateway-health fails wherever it is run: people are affected, whatever region they "
        "are in. Run it from here to see where it breaks: flyball probe run gateway-health",
        "explain": "flyball probe run gateway-health",
        "runbook_url": "https://runbooks.example/gateway",
    }
    run(
        promtool, tmp_path, series,
        Fires("4m", "CheckDown"),
        Fires("5m", "CheckDown", [OF_HEALTH | PAGE]),
        Fires("6m", "CheckDown", [OF_HEALTH | PAGE], words),
        Fires("9m", "CheckDownInRegion"),
        Fires("10m", "CheckDown"),
    )  # fmt: skip


def test_two_replicas_that_say_the_same_are_one_alert(promtool: str, tmp_path: Path) -> None:
    series = {f'flyball_check_verdict{{{IS_HEALTH},verdict="global",instance="{it}"}}': "1x9" for it in "ab"}
    run(promtool, tmp_path, series, Fires("2m", "CheckDown", [OF_HEALTH | PAGE]))


def test_a_check_that_is_no_longer_declared_alerts_nobody(promtool: str, tmp_path: Path) -> None:
    series = {'flyball_check_verdict{kind="probe",check="gone",verdict="global"}': "1x9"}
    run(promtool, tmp_path, series, Fires("2m", "CheckDown"))


def test_without_reasons_and_runbook_it_says_less_and_leads_to_the_console(promtool: str, tmp_path: Path) -> None:
    series = {'flyball_check_verdict{kind="journey",check="core-flow",verdict="global"}': "1x9"}
    labels = {"kind": "journey", "check": "core-flow", "journey": "core-flow"} | PAGE
    words = {
        "summary": "core-flow fails in 0 of 0 regions",
        "description": "The journey core-flow fails wherever it is run: people are affected, whatever region they are "
        "in. Run it from here to see where it breaks: flyball journey run core-flow",
        "explain": "flyball journey run core-flow",
        "runbook_url": "https://flyball.example/checks",
    }
    run(promtool, tmp_path, series, Fires("2m", "CheckDown", [labels], words))


def test_a_check_that_fails_in_one_region_is_a_ticket_after_five_minutes(promtool: str, tmp_path: Path) -> None:
    series = {
        f'flyball_check_verdict{{{IS_HEALTH},verdict="regional"}}': "1x60",
        f'flyball_check_verdict{{{IS_HEALTH},verdict="global"}}': "0x60",
        f'flyball_check_failure{{{IS_HEALTH},region="eu",reason="dns"}}': "1x60",
        **regions(eu="down", us="up", ap="flapping"),
    }
    words = {
        "summary": "gateway-health fails in eu, and not everywhere: dns",
        "description": "Requests from eu fail; 1 of 3 regions say so. Look at what is that region's own: its ingress, "
        "its DNS answers, its certificate, its network.",
        "explain": "flyball probe run gateway-health",
        "runbook_url": "https://runbooks.example/gateway",
    }
    labels = OF_HEALTH | TICKET | {"region": "eu"}
    run(
        promtool, tmp_path, series,
        Fires("4m", "CheckDownInRegion"),
        Fires("6m", "CheckDownInRegion", [labels]),
        Fires("7m", "CheckDownInRegion", [labels], words),
        Fires("6m", "CheckDown"),
    )  # fmt: skip


def test_a_check_that_flaps_for_long_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    series = {f"flyball_check_flapping{{{IS_HEALTH}}}": "0x5 1x30"}
    run(
        promtool, tmp_path, series,
        Fires("20m", "CheckFlapping"),
        Fires("21m", "CheckFlapping", [OF_HEALTH | TICKET]),
    )  # fmt: skip


def last_run(check: str, values: str, region: str = "eu", kind: str = "probe") -> dict[str, str]:
    key = f'kind="{kind}",check="{check}",region="{region}"'
    return {f"flyball_check_last_run_timestamp_seconds{{{key}}}": values}


HEARD = {'flyball_region_last_report_timestamp_seconds{region="eu"}': "0+60x120"}


def test_a_check_that_does_not_run_any_more_is_a_ticket_after_three_intervals(promtool: str, tmp_path: Path) -> None:
    """Five minutes at least, and two more that rules and reports may take."""
    series = {**HEARD, **last_run("gateway-health", "0+60x10 600x60")}
    words = {
        "summary": "gateway-health has not run for 9m 0s in eu",
        "description": "Nothing is known of what this probe watches in eu: it is not up, and not down. Look whether "
        "the region's prober runs, whether it has the workspace's latest files, and whether the check names regions "
        "that exist.",
        "runbook_url": "https://runbooks.example/gateway",
    }
    labels = OF_HEALTH | TICKET | {"region": "eu"}
    file = the_file(HEALTH)
    run(
        promtool, tmp_path, series,
        Fires("17m", "CheckNotRun"),
        Fires("18m", "CheckNotRun", [labels]),
        Fires("19m", "CheckNotRun", [labels], words),
        file=file,
    )  # fmt: skip


def test_a_journey_that_runs_rarely_may_take_its_time(promtool: str, tmp_path: Path) -> None:
    series = {**HEARD, **UP, **last_run("hello-case", "60x120", kind="journey")}
    labels = {"kind": "journey", "check": "hello-case", "journey": "hello-case", "region": "eu"} | TICKET
    run(
        promtool, tmp_path, series,
        Fires("92m", "CheckNotRun"),
        Fires("94m", "CheckNotRun", [labels]),
        file=the_file(CASE),
    )  # fmt: skip


def test_a_region_that_is_silent_is_told_once_and_not_for_each_of_its_checks(promtool: str, tmp_path: Path) -> None:
    series = {
        'flyball_region_last_report_timestamp_seconds{region="eu"}': "0+60x10 600x60",
        'flyball_region_last_report_timestamp_seconds{region="us"}': "0+60x70",
        **last_run("gateway-health", "0+60x10 600x60"),
        **last_run("gateway-health", "0+60x70", "us"),
        'flyball_region_self_check_success{region="eu"}': "0x70",
    }
    words = {"summary": "The prober in eu has been silent for 20m 0s"}
    run(
        promtool, tmp_path, series,
        Fires("15m", "ProberSilent"),
        Fires("16m", "ProberSilent", [{"region": "eu"} | TICKET]),
        Fires("30m", "ProberSilent", [{"region": "eu"} | TICKET], words),
        Fires("30m", "CheckNotRun"),
        Fires("30m", "ProberFault"),
        file=the_file(HEALTH),
    )  # fmt: skip


def test_a_region_that_was_never_heard_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    series = {
        'flyball_region_last_report_timestamp_seconds{region="eu"}': "0+60x70",
        **regions(eu="pending", us="pending"),
    }
    words = {"summary": "The prober in us has never reported"}
    run(
        promtool, tmp_path, series,
        Fires("6m", "ProberSilent"),
        Fires("7m", "ProberSilent", [{"region": "us"} | TICKET]),
        Fires("8m", "ProberSilent", [{"region": "us"} | TICKET], words),
    )  # fmt: skip


def test_when_every_region_is_silent_somebody_is_woken(promtool: str, tmp_path: Path) -> None:
    key = "flyball_region_last_report_timestamp_seconds"
    series = {f'{key}{{region="eu"}}': "0+60x10 600x60", f'{key}{{region="us"}}': "0+60x20 1200x60"}
    pages = [{"region": region} | PAGE for region in ("eu", "us")]
    run(
        promtool, tmp_path, series,
        Fires("22m", "ProberSilent", [{"region": "eu"} | TICKET]),
        Fires("27m", "ProberSilent", pages),
    )  # fmt: skip


def test_a_prober_that_does_not_reach_its_known_good_target_is_a_ticket(promtool: str, tmp_path: Path) -> None:
    series = {**HEARD, 'flyball_region_self_check_success{region="eu"}': "1x9 0x60"}
    run(
        promtool, tmp_path, series,
        Fires("14m", "ProberFault"),
        Fires("15m", "ProberFault", [{"region": "eu"} | TICKET], {"summary": "The prober in eu is at fault"}),
    )  # fmt: skip


def test_a_check_that_never_ran_is_a_ticket_when_it_is_declared_for_long_enough(promtool: str, tmp_path: Path) -> None:
    labels = {"kind": "journey", "check": "core-flow", "journey": "core-flow"} | TICKET
    words = {
        "summary": "core-flow never ran",
        "description": "Nothing is known of what this journey watches: it is not up, and not down. Look whether the "
        "region's prober runs, whether it has the workspace's latest files, and whether the check names regions that "
        "exist.",
        "runbook_url": "https://flyball.example/checks",
    }
    run(
        promtool, tmp_path, UP,
        Fires("16m", "CheckNotRun"),
        Fires("17m", "CheckNotRun", [labels]),
        Fires("18m", "CheckNotRun", [labels], words),
        file=the_file(CORE),
    )  # fmt: skip


def test_while_nobody_exposes_anything_no_check_is_said_never_to_have_run(promtool: str, tmp_path: Path) -> None:
    run(promtool, tmp_path, {}, Fires("40m", "CheckNotRun"), file=the_file(CORE, HEALTH))


def certificate(probe: str, days: float, region: str = "eu") -> dict[str, str]:
    """A certificate that ends so many days from the first minute."""
    return {f'probe_ssl_earliest_cert_expiry{{probe="{probe}",region="{region}"}}': f"{int(days * DAY)}x100"}


def test_a_certificate_that_ends_soon_is_a_ticket_by_the_days_of_its_probe(promtool: str, tmp_path: Path) -> None:
    """Without an assertion 21 days; a probe that fails below 30 is told a week before that."""
    key = {"probe": "other", "kind": "probe", "check": "other"}
    other = AlertedCheck(CheckKind.PROBE, "other", timedelta(minutes=5))
    series = {
        **certificate("gateway-health", 21.01),
        **certificate("gateway-tls", 36.9),
        **certificate("other", 20.9),
        **certificate("other", 90, "us"),
        **certificate("undeclared", 1),
    }
    words = {
        "summary": "gateway-tls: the certificate ends in 36d 21h 24m 0s",
        "description": "After that browsers and clients refuse to connect. Automatic renewal has not replaced it: look "
        "at its log and its DNS or HTTP challenge. flyball probe run gateway-tls shows the chain.",
        "explain": "flyball probe run gateway-tls",
        "runbook_url": "https://flyball.example/checks",
    }
    file = the_file(HEALTH, TLS, other)
    run(promtool, tmp_path, series, Fires("11m", "CertificateExpires", [OF_TLS | TICKET, key | TICKET]), file=file)
    run(promtool, tmp_path, certificate("gateway-tls", 36.9),
        Fires("12m", "CertificateExpires", [OF_TLS | TICKET], words), file=file)  # fmt: skip


def test_a_certificate_that_ends_in_three_days_pages_and_one_that_ended_says_so(promtool: str, tmp_path: Path) -> None:
    series = certificate("gateway-tls", 2.99)
    run(promtool, tmp_path, series, Fires("11m", "CertificateExpires", [OF_TLS | PAGE]))
    words = {
        "summary": "gateway-tls: the certificate has ended",
        "description": "After that browsers and clients refuse to connect. Automatic renewal has not replaced it: look "
        "at its log and its DNS or HTTP challenge. flyball probe run gateway-tls shows the chain.",
        "explain": "flyball probe run gateway-tls",
        "runbook_url": "https://flyball.example/checks",
    }
    run(promtool, tmp_path, certificate("gateway-tls", 0),
        Fires("12m", "CertificateExpires", [OF_TLS | PAGE], words))  # fmt: skip


OVERDUE = 'flyball_status_update_overdue_seconds{status_page="public",incident="i1"}'


def test_an_update_that_is_overdue_is_a_ticket_and_pages_after_a_quarter_of_an_hour(
    promtool: str, tmp_path: Path
) -> None:
    labels = {"status_page": "public", "incident": "i1"}
    words = {
        "summary": "public: the update on i1 is overdue by 3m 0s",
        "description": "The page promised customers another update about i1 by then. A draft waits: publish it, even "
        "when it only says that you are still looking. flyball status drafts public shows it.",
        "explain": "flyball status drafts public",
        "dashboard_url": "https://flyball.example/status/public",
    }
    run(
        promtool, tmp_path, {OVERDUE: "0x4 60+60x60"},
        Fires("4m", "StatusUpdateOverdue"),
        Fires("7m", "StatusUpdateOverdue", [labels | TICKET], words),
        Fires("19m", "StatusUpdateOverdue", [labels | TICKET]),
        Fires("20m", "StatusUpdateOverdue", [labels | PAGE]),
    )  # fmt: skip


@pytest.mark.parametrize(("incidents", "severity"), [("0x60", TICKET), ("1x60", PAGE), (None, TICKET)])
def test_a_page_that_is_not_published_any_more_pages_while_an_incident_is_open(
    promtool: str, tmp_path: Path, incidents: str | None, severity: dict[str, str]
) -> None:
    series = {'flyball_status_published_timestamp_seconds{status_page="public"}': "0+60x10 600x60"}
    series |= {'flyball_status_incidents{status_page="public"}': incidents} if incidents else {}
    run(
        promtool, tmp_path, series,
        Fires("20m", "StatusPageStale"),
        Fires("21m", "StatusPageStale", [{"status_page": "public"} | severity]),
        Fires("25m", "StatusPageStale", [{"status_page": "public"} | severity],
              {"dashboard_url": "https://flyball.example/status/public",
               "summary": "public was last published 15m 0s ago",
               "description": "Readers see how things were then. Look whether the directory or bucket can be written, "
               "whether its disk is full, and what the control plane logs. flyball status build public -o DIR writes "
               "the page by hand."}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "summary", "begins"),
    [
        (
            "coverage_hole",
            "core-flow: its SLOs burn and no check sees it",
            "Users meet errors that our journeys and probes do not: find which requests fail, and add a step or a "
            "probe that sees them.",
        ),
        (
            "dns_or_region",
            "core-flow: checks fail and its SLOs are calm",
            "Requests may not arrive at all: look at DNS, certificates, the load balancer and the region's ingress, "
            "and compare traffic with yesterday's.",
        ),
    ],
)
def test_a_contradiction_on_a_golden_path_is_a_ticket(
    promtool: str, tmp_path: Path, kind: str, summary: str, begins: str
) -> None:
    series = {f'flyball_golden_path_disagreement{{golden_path="core-flow",kind="{kind}"}}': "0x4 1x9"}
    labels = {"golden_path": "core-flow", "kind": kind, "owner": "team-edge"} | TICKET
    words = {"summary": summary, "description": begins, "runbook_url": "https://flyball.example/golden-paths"}
    run(
        promtool, tmp_path, series,
        Fires("4m", "GoldenPathDisagreement"),
        Fires("5m", "GoldenPathDisagreement", [labels], words),
    )  # fmt: skip


def test_nothing_is_written_where_nothing_is_declared() -> None:
    assert rule_files([]) == ()


def test_only_what_is_declared_has_rules() -> None:
    def groups(**more: object) -> list[str]:
        (file,) = rule_files(**{"alerted": (), **more})  # type: ignore[arg-type]
        return [group.name for group in file.groups]

    assert groups(has_status_page=True) == ["synthetics:status-pages"]
    assert groups(golden_paths=[SomePath()]) == ["synthetics:declared", "synthetics:golden-paths"]
    assert groups(alerted=[CORE]) == ["synthetics:declared", "synthetics:checks", "synthetics:regions"]
    (file,) = rule_files([CORE])
    assert "CertificateExpires" not in to_yaml(file)


def test_the_order_of_the_files_changes_nothing() -> None:
    assert to_yaml(the_file(CORE, TLS, HEALTH)) == to_yaml(the_file(HEALTH, CORE, TLS))


def test_the_number_of_alerts_does_not_grow_with_the_checks() -> None:
    def alerts(count: int) -> int:
        checks = [AlertedCheck(CheckKind.PROBE, f"p{n}", timedelta(seconds=30)) for n in range(count)]
        return sum(isinstance(rule, AlertingRule) for group in the_file(*checks).groups for rule in group.rules)

    assert alerts(1) == alerts(100) == 14


def test_labels_of_ours_cannot_be_overwritten() -> None:
    check = AlertedCheck(CheckKind.PROBE, "a", timedelta(minutes=1), labels=(("severity", "x"), ("check", "b")))
    (info,) = [
        rule
        for group in the_file(check).groups
        for rule in group.rules
        if isinstance(rule, RecordingRule) and rule.record == "check:info"
    ]
    assert dict(info.labels) == {"kind": "probe", "check": "a", "probe": "a"}


def test_the_strictest_certificate_assertion_of_a_probe_counts() -> None:
    def days(count: int) -> Assertion:
        return Assertion(AssertionKind.CERTIFICATE, least_days=Decimal(count))

    assert certificate_days([days(7), days(30), Assertion(AssertionKind.STATUS, statuses=("200",))]) == 30
    assert certificate_days([Assertion(AssertionKind.STATUS)]) is None


class AProbe:
    name, owner, runbook_url = "gateway-tls", "team-edge", ""
    labels = (("service", "graphql-gateway"),)
    interval = timedelta(minutes=5)
    assertions = (Assertion(AssertionKind.CERTIFICATE, least_days=Decimal(14)),)


class AJourney:
    name, owner, runbook_url, labels = "core-flow", "", "", ()
    every = timedelta(minutes=5)


def test_what_alerts_need_is_taken_from_probes_and_journeys() -> None:
    probe, journey = alerted([AProbe()], [AJourney()])  # type: ignore[list-item]
    assert (probe.kind, probe.service, probe.told_days) == (CheckKind.PROBE, "graphql-gateway", Decimal(21))
    assert (journey.kind, journey.late_after) == (CheckKind.JOURNEY, timedelta(minutes=15))
