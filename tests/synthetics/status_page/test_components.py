"""What a component's status is, of sources that agree, disagree, and say nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from controlplane import conventions as names
from controlplane.model.alert import Alert
from controlplane.model.check import CheckKind, Verdict, VerdictKind
from controlplane.model.public_status import ComponentStatus, Impact, IncidentStatus
from controlplane.model.status_record import IncidentRecord, Origin
from synthetics.status_page import components
from synthetics.status_page.components import (
    Known,
    Standing,
    impact_of,
    standing,
    worst_of_members,
    worst_of_sources,
)
from synthetics.status_page.model import Component, Sources, StatusPage, TierText
from tests.synthetics.status_page.paging import HOUR, MINUTE, NOW, a_page, a_verdict, an_alert

UP, DEGRADED, PARTIAL = ComponentStatus.OPERATIONAL, ComponentStatus.DEGRADED, ComponentStatus.PARTIAL
MAJOR, WORK, UNKNOWN = ComponentStatus.MAJOR, ComponentStatus.UNDER_MAINTENANCE, ComponentStatus.UNKNOWN
BOTH = Component("api", "API", sources=Sources(("reads",), ("gateway",), ("flow",)))
PAGE = a_page(regions=(("eu", "Europe"),))


def known(gateway: VerdictKind | None = None, flow: VerdictKind | None = None, *alerts: Alert, **more: object) -> Known:
    verdicts: list[Verdict] = []
    if gateway:
        verdicts.append(a_verdict("gateway", gateway))
    if flow:
        verdicts.append(a_verdict("flow", flow, CheckKind.JOURNEY))
    return Known({each.key: each for each in verdicts}, alerts, heard_at=NOW, **more)  # type: ignore[arg-type]


def found(of: Known, page: StatusPage = PAGE, component: Component = BOTH) -> Standing:
    return standing(page, component, of, NOW)


def a_maintenance(**changes: object) -> IncidentRecord:
    record = IncidentRecord(
        "shop", "m", "Work", Origin.DECLARED, IncidentStatus.IN_PROGRESS, Impact.MAINTENANCE, ("api",), NOW, NOW, NOW,
        announced_at=NOW - 2 * HOUR, scheduled_for=NOW - HOUR, scheduled_until=NOW + HOUR, is_excluded=True,
    )  # fmt: skip
    return replace(record, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gateway", "flow", "status"),
    [
        (VerdictKind.UP, VerdictKind.UP, UP),
        (VerdictKind.UP, VerdictKind.REGIONAL, PARTIAL),
        (VerdictKind.GLOBAL, VerdictKind.REGIONAL, MAJOR),
        (VerdictKind.UNKNOWN, VerdictKind.UP, UP),
        (VerdictKind.UNKNOWN, VerdictKind.GLOBAL, MAJOR),
    ],
)
def test_the_worst_that_is_known_counts(gateway: VerdictKind, flow: VerdictKind, status: ComponentStatus) -> None:
    assert found(known(gateway, flow)).status is status


def test_of_what_nothing_is_known_is_unknown_and_never_operational() -> None:
    checks = replace(BOTH, sources=Sources(probes=("gateway",), journeys=("flow",)))
    for each in (known(), known(VerdictKind.UNKNOWN, VerdictKind.UNKNOWN)):
        standing_ = found(each, component=checks)
        assert standing_.status is UNKNOWN
        assert standing_.basis == (components.BASIS_CHECKS_SILENT,)


def test_verdicts_are_not_believed_once_no_prober_reports() -> None:
    checks = replace(BOTH, sources=Sources(probes=("gateway",)))
    late = replace(known(VerdictKind.UP), heard_at=NOW - components.STALE_AFTER - timedelta(seconds=1))
    assert found(late, component=checks).status is UNKNOWN
    assert found(replace(late, heard_at=NOW - components.STALE_AFTER), component=checks).status is UP


@pytest.mark.parametrize(
    ("alert", "status"),
    [
        (an_alert(), DEGRADED),
        (an_alert(severity="ticket"), UP),
        (an_alert("other"), UP),
        (an_alert(severity="page", name="SomebodysOwnAlert"), DEGRADED),
    ],
)
def test_alerts_about_its_objectives_count_by_their_severity(alert: Alert, status: ComponentStatus) -> None:
    assert found(known(VerdictKind.UP, VerdictKind.UP, alert)).status is status


def test_what_an_alert_means_is_for_the_page_to_say() -> None:
    page = replace(PAGE, page_alert=PARTIAL, ticket_alert=DEGRADED)
    assert found(known(VerdictKind.UP, VerdictKind.UP, an_alert()), page).status is PARTIAL
    assert found(known(VerdictKind.UP, VerdictKind.UP, an_alert(severity="ticket")), page).status is DEGRADED
    silent = replace(PAGE, page_alert=None)
    assert found(known(VerdictKind.UP, VerdictKind.UP, an_alert()), silent).status is UP


def test_an_objective_without_data_is_unknown_which_makes_nothing_fail() -> None:
    only = replace(BOTH, sources=Sources(("reads",)))
    missing = an_alert(name=names.ALERT_NO_DATA)
    assert found(known(None, None, missing), component=only).status is UNKNOWN
    mixed = found(known(VerdictKind.UP, VerdictKind.UP, missing))
    assert mixed.status is UP
    assert components.BASIS_TRAFFIC_SILENT in mixed.basis
    for measured in (None, frozenset({"writes"})):
        blind = known(measured_slos=measured, tells_slos=True)
        assert found(blind, component=only).status is UNKNOWN
    assert found(known(measured_slos=frozenset({"reads"}), tells_slos=True), component=only).status is UP


def test_regions_are_told_by_their_public_names_or_not_at_all() -> None:
    checks = replace(BOTH, sources=Sources(probes=("gateway",)))
    assert found(known(VerdictKind.REGIONAL), component=checks).basis == (
        "Checks from outside fail in these regions: Europe.",
    )
    nameless = replace(PAGE, regions=(("us", "America"),))
    assert found(known(VerdictKind.REGIONAL), nameless, checks).basis == (components.BASIS_CHECKS_REGIONAL,)


def test_without_sources_it_is_what_people_say() -> None:
    manual = Component("api", "API")
    assert found(known(), component=manual).status is UP
    assert found(known(said={"api": PARTIAL}), component=manual).status is PARTIAL


def test_people_can_make_it_worse_and_not_better() -> None:
    said = {"api": DEGRADED}
    assert found(known(VerdictKind.UP, VerdictKind.UP, said=said)).status is DEGRADED
    assert found(known(VerdictKind.GLOBAL, VerdictKind.UP, said=said)).status is MAJOR


@pytest.mark.parametrize(
    ("gateway", "expects", "status"),
    [
        (VerdictKind.UP, MAJOR, WORK),
        (VerdictKind.GLOBAL, MAJOR, WORK),
        (VerdictKind.UNKNOWN, MAJOR, WORK),
        (VerdictKind.REGIONAL, DEGRADED, PARTIAL),
        (VerdictKind.GLOBAL, PARTIAL, MAJOR),
        (VerdictKind.UP, UP, WORK),
    ],
)
def test_announced_work_explains_as_much_as_it_said(
    gateway: VerdictKind, expects: ComponentStatus, status: ComponentStatus
) -> None:
    running = [a_maintenance(expects=expects)]
    only = replace(BOTH, sources=Sources(probes=("gateway",)))
    assert found(known(gateway, running=running), component=only).status is status


@pytest.mark.parametrize(
    "changes", [{"announced_at": NOW - HOUR}, {"announced_at": NOW}, {"is_excluded": False}]
)  # fmt: skip
def test_work_that_was_told_too_late_or_shall_count_explains_nothing(changes: dict[str, object]) -> None:
    only = replace(BOTH, sources=Sources(probes=("gateway",)))
    running = [a_maintenance(**changes)]
    assert found(known(VerdictKind.GLOBAL, running=running), component=only).status is MAJOR
    assert found(known(VerdictKind.UP, running=running), component=only).status is WORK
    assert found(known(VerdictKind.UNKNOWN, running=running), component=only).status is UNKNOWN


def test_work_on_others_and_what_people_say_is_not_explained() -> None:
    elsewhere = [a_maintenance(component_ids=("login",))]
    assert found(known(VerdictKind.GLOBAL, running=elsewhere)).status is MAJOR
    assert found(known(VerdictKind.UP, running=[a_maintenance()], said={"api": MAJOR})).status is MAJOR


@pytest.mark.parametrize(("tier", "text"), [(0, None), (1, None), (2, "two"), (3, "two"), (4, "four"), (6, "four")])
def test_the_highest_tier_that_is_reached_is_told(tier: int, text: str | None) -> None:
    page = replace(PAGE, tiers=(TierText(2, "two"), TierText(4, "four", ("api",)), TierText(3, "three", ("login",))))
    since = NOW - MINUTE
    reduced = found(known(tier=(tier, since) if tier else None), page).reduced
    assert (reduced.text if reduced else None) == text
    assert reduced is None or (reduced.tier, reduced.since) == (tier, since)


def test_the_order_is_as_documented() -> None:
    assert components.ORDER == (UP, WORK, DEGRADED, PARTIAL, MAJOR)
    assert worst_of_sources([]) is UNKNOWN
    assert worst_of_sources([UP, UNKNOWN]) is UP
    assert worst_of_members([UP, UNKNOWN]) is UNKNOWN
    assert worst_of_members([WORK, UNKNOWN]) is WORK
    assert worst_of_members([DEGRADED, MAJOR, UNKNOWN]) is MAJOR
    assert [impact_of(each) for each in (*components.ORDER, UNKNOWN)] == [
        Impact.NONE, Impact.MAINTENANCE, Impact.MINOR, Impact.MAJOR, Impact.CRITICAL, Impact.NONE,
    ]  # fmt: skip
