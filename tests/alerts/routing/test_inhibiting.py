"""Which alerts keep which others quiet."""

from alerts.routing.inhibiting import inhibitions_of, inhibitor_of
from alerts.routing.model import Route
from controlplane.model.inhibition import Inhibition

ROOT = Route(
    "default",
    group_by=("service", "cluster"),
    inhibitions=(Inhibition(('alertname="DatabaseDown"',), ('service=~"api|web"',), ("region",)),),
)
REDUCED = Inhibition(
    ('alertname="ServiceReducedOnPurpose"', 'ladder="platform"', 'tier=~"[2-9]|[1-9][0-9]+"'),
    ('alertname="CacheMisses"',),
    (),
)
RULES = inhibitions_of(ROOT, [REDUCED])
PAGE = {"alertname": "Disk", "service": "api", "severity": "page", "instance": "a"}


def muting(alert: dict[str, str], *firing: dict[str, str]) -> str | None:
    """The name of the alert that mutes it."""
    found = inhibitor_of(alert, firing, RULES)
    return None if found is None else firing[found.by]["alertname"]


def test_a_page_keeps_the_ticket_of_the_same_matter_quiet() -> None:
    ticket = PAGE | {"severity": "ticket"}
    assert muting(ticket, PAGE) == "Disk"
    assert muting(PAGE, ticket) is None
    assert muting(ticket, PAGE | {"instance": "b"}) is None
    assert muting(ticket, PAGE | {"service": "web"}) is None
    assert muting(ticket | {"cluster": "x"}, PAGE) is None  # the root groups by it: other incidents
    assert muting(PAGE | {"severity": "warning"}, PAGE | {"severity": "error"}) == "Disk"
    assert muting(PAGE | {"severity": "warning"}, PAGE | {"severity": "critical"}) == "Disk"


def test_alerts_that_are_about_no_service_keep_nothing_quiet_by_their_severity() -> None:
    assert muting({"alertname": "A", "severity": "ticket"}, {"alertname": "A", "severity": "page"}) is None


def test_slos_have_rules_of_their_own() -> None:
    burn = {"alertname": "SLOErrorBudgetBurn", "service": "api", "slo": "x", "tenant": "a"}
    assert muting(burn | {"severity": "ticket"}, burn | {"severity": "page", "tenant": "b"}) is None


def test_a_higher_priority_keeps_a_lower_one_quiet() -> None:
    assert muting(PAGE | {"priority": "P3"}, PAGE | {"priority": "P0"}) == "Disk"
    assert muting(PAGE | {"priority": "P0"}, PAGE | {"priority": "P3"}) is None


def test_a_region_that_is_down_explains_its_tickets_and_a_silent_one_its_checks() -> None:
    ticket = {"alertname": "KafkaLag", "severity": "ticket", "region": "eu"}
    down = {"alertname": "RegionDown", "severity": "page", "region": "eu"}
    assert muting(ticket, down) == "RegionDown"
    assert muting(ticket | {"severity": "page"}, down) is None
    assert muting(ticket | {"region": "us"}, down) is None
    late = {"alertname": "CheckNotRun", "severity": "ticket", "region": "eu", "check": "login", "kind": "probe"}
    assert muting(late, {"alertname": "ProberSilent", "region": "eu"}) == "ProberSilent"
    assert muting(late, {"alertname": "ProberSilent", "region": "us"}) is None


def test_a_check_that_fails_everywhere_explains_that_it_fails_in_a_region() -> None:
    regional = {"alertname": "CheckDownInRegion", "region": "eu", "check": "login", "kind": "probe"}
    down = {"alertname": "CheckDown", "check": "login", "kind": "probe"}
    assert muting(regional, down) == "CheckDown"
    assert muting(regional, down | {"check": "search"}) is None


def test_what_a_tier_explains_is_quiet_while_it_is_in_force_and_on_the_way_to_it() -> None:
    misses = {"alertname": "CacheMisses"}
    assert muting(misses, {"alertname": "ServiceReducedOnPurpose", "ladder": "platform", "tier": "3"})
    assert not muting(misses, {"alertname": "ServiceReducedOnPurpose", "ladder": "platform", "tier": "1"})
    assert muting(misses, {"alertname": "DownshiftInProgress", "ladder": "platform"}) == "DownshiftInProgress"
    assert not muting(misses, {"alertname": "DownshiftInProgress", "ladder": "other"})


def test_the_workspace_adds_its_own() -> None:
    assert muting({"alertname": "A", "service": "api"}, {"alertname": "DatabaseDown"}) == "DatabaseDown"
    assert muting({"alertname": "A", "service": "api", "region": "eu"}, {"alertname": "DatabaseDown"}) is None


def test_an_alert_that_is_source_and_target_of_a_rule_mutes_no_other_such_alert() -> None:
    rule = Inhibition(('severity=~"page|ticket"',), ('severity="ticket"',), ())
    ticket = {"severity": "ticket"}
    assert inhibitor_of(ticket, [ticket], [rule]) is None
    assert inhibitor_of(ticket, [ticket, {"severity": "page"}], [rule]) is not None
