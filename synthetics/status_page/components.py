"""What a component's status is, from everything that is known of it. Pure.

The order, from best to worst: operational, under maintenance, degraded performance, partial outage, major outage. Of
sources that disagree the worst counts. A source that knows nothing neither helps nor harms: a component is unknown when
none of its sources knows anything. A group, whose members are different things, is unknown before it is operational.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.alert import Alert
from controlplane.model.check import CheckKind, RegionState, Verdict, VerdictKind
from controlplane.model.public_status import ComponentStatus, Impact, Reduced
from controlplane.model.status_record import IncidentRecord
from synthetics.status_page.model import Component, StatusPage, TierText

STALE_AFTER: Final = timedelta(minutes=10)  # without a report of any prober, what was judged says nothing
ORDER: Final = (
    ComponentStatus.OPERATIONAL,
    ComponentStatus.UNDER_MAINTENANCE,
    ComponentStatus.DEGRADED,
    ComponentStatus.PARTIAL,
    ComponentStatus.MAJOR,
)
FAILING: Final = frozenset(ORDER[2:])
BASIS_CHECKS_WELL: Final = "Checks from outside succeed."
BASIS_CHECKS_FAIL: Final = "Checks from outside fail everywhere."
BASIS_CHECKS_REGIONAL: Final = "Checks from outside fail in some regions."
BASIS_CHECKS_REGIONS: Final = "Checks from outside fail in these regions: {regions}."
BASIS_CHECKS_SILENT: Final = "Some checks from outside give no answer at the moment."
BASIS_TRAFFIC_WELL: Final = "Real traffic meets its objectives."
BASIS_TRAFFIC_BAD: Final = "Real traffic misses an objective."
BASIS_TRAFFIC_SILENT: Final = "Some measurements of real traffic are missing at the moment."
BASIS_MAINTENANCE: Final = "Maintenance is in progress."
BASIS_PEOPLE: Final = "Our team says so in an open incident."
BASIS_UNMEASURED: Final = "Nothing is measured here: this is what our team says."
BASIS: Final = (
    BASIS_CHECKS_WELL, BASIS_CHECKS_FAIL, BASIS_CHECKS_REGIONAL, BASIS_CHECKS_REGIONS, BASIS_CHECKS_SILENT,
    BASIS_TRAFFIC_WELL, BASIS_TRAFFIC_BAD, BASIS_TRAFFIC_SILENT, BASIS_MAINTENANCE, BASIS_PEOPLE, BASIS_UNMEASURED,
)  # fmt: skip
_IMPACTS: Final = {
    ComponentStatus.OPERATIONAL: Impact.NONE,
    ComponentStatus.UNDER_MAINTENANCE: Impact.MAINTENANCE,
    ComponentStatus.UNKNOWN: Impact.NONE,
    ComponentStatus.DEGRADED: Impact.MINOR,
    ComponentStatus.PARTIAL: Impact.MAJOR,
    ComponentStatus.MAJOR: Impact.CRITICAL,
}
_OF_VERDICTS: Final = {
    VerdictKind.UP: ComponentStatus.OPERATIONAL,
    VerdictKind.REGIONAL: ComponentStatus.PARTIAL,
    VerdictKind.GLOBAL: ComponentStatus.MAJOR,
    VerdictKind.UNKNOWN: ComponentStatus.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that a page is made from, at one moment.

    `heard_at`: when a prober reported last; None: no prober ever did. `measured_slos`: those with data now, None when
    nobody can tell; with `tells_slos` False nobody was asked, and only alerts tell. `running`: maintenances in whose
    time we are. `said`: what people say in open incidents, by component. `tier`: the ladder's, and since when.
    """

    verdicts: Mapping[tuple[str, str], Verdict]
    alerts: Sequence[Alert] = ()
    heard_at: datetime | None = None
    measured_slos: frozenset[str] | None = None
    tells_slos: bool = False
    running: Sequence[IncidentRecord] = ()
    said: Mapping[str, ComponentStatus] | None = None
    tier: tuple[int, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What is told of a component. `measured` leaves out maintenance and what people say."""

    status: ComponentStatus
    measured: ComponentStatus
    basis: tuple[str, ...]
    reduced: Reduced | None = None


def standings(page: StatusPage, known: Known, now: datetime) -> dict[str, Standing]:
    """What is told of each component, by its id, in the page's order."""
    return {component.id: standing(page, component, known, now) for component in page.components}


def standing(page: StatusPage, component: Component, known: Known, now: datetime) -> Standing:
    """What is told of one."""
    found = [*_checks(page, component, known, now), *_traffic(page, component, known)]
    measured = worst_of_sources(status for status, _ in found)
    basis = [text for _, text in found if text]
    said = (known.said or {}).get(component.id)
    if not component.sources.any:
        measured = ComponentStatus.OPERATIONAL
        basis.append(BASIS_UNMEASURED)
    status = measured
    running = [one for one in known.running if component.id in one.component_ids]
    if running:
        basis.append(BASIS_MAINTENANCE)
        status = _in_maintenance(measured, running)
    if said is not None:
        status = worst_of_sources((status, said))
        basis.append(BASIS_PEOPLE)
    return Standing(status, measured, tuple(dict.fromkeys(basis)), _reduced(page.tiers, component, known.tier))


def worst_of_sources(statuses: Iterable[ComponentStatus]) -> ComponentStatus:
    """The worst that any source knows; unknown when none knows anything."""
    known = [status for status in statuses if status is not ComponentStatus.UNKNOWN]
    return max(known, key=ORDER.index, default=ComponentStatus.UNKNOWN)


def worst_of_members(statuses: Iterable[ComponentStatus]) -> ComponentStatus:
    """Of a group, or of the page: unknown comes between operational and under maintenance."""
    found = list(statuses)
    worst = worst_of_sources(found)
    if ComponentStatus.UNKNOWN in found and worst is ComponentStatus.OPERATIONAL:
        return ComponentStatus.UNKNOWN
    return worst


def impact_of(status: ComponentStatus) -> Impact:
    """How bad that is for the page. What is not known changes no indicator; whoever shows it says that it is so."""
    return _IMPACTS[status]


def explains(maintenance: IncidentRecord, measured: ComponentStatus) -> bool:
    """Whether a maintenance accounts for what is measured: it was told before it began, and expected as much."""
    announced, begins = maintenance.announced_at, maintenance.scheduled_for
    was_told = announced is not None and begins is not None and announced < begins
    if not (was_told and maintenance.is_excluded):
        return False
    return measured is ComponentStatus.UNKNOWN or ORDER.index(measured) <= ORDER.index(maintenance.expects)


def _in_maintenance(measured: ComponentStatus, running: Sequence[IncidentRecord]) -> ComponentStatus:
    if any(explains(one, measured) for one in running):
        return ComponentStatus.UNDER_MAINTENANCE
    if measured is ComponentStatus.UNKNOWN:
        return measured  # what nobody knows must not count as measured
    return worst_of_sources((measured, ComponentStatus.UNDER_MAINTENANCE))


Found = tuple[ComponentStatus, str]


def _checks(page: StatusPage, component: Component, known: Known, now: datetime) -> Iterator[Found]:
    checks = [(CheckKind.PROBE.value, name) for name in component.sources.probes]
    checks += [(CheckKind.JOURNEY.value, name) for name in component.sources.journeys]
    is_stale = known.heard_at is not None and now - known.heard_at > STALE_AFTER
    for key in checks:
        verdict = known.verdicts.get(key)
        if verdict is None or is_stale:
            yield ComponentStatus.UNKNOWN, BASIS_CHECKS_SILENT
        else:
            yield _OF_VERDICTS[verdict.kind], _told(page, verdict)


def _told(page: StatusPage, verdict: Verdict) -> str:
    match verdict.kind:
        case VerdictKind.UP:
            return BASIS_CHECKS_WELL
        case VerdictKind.GLOBAL:
            return BASIS_CHECKS_FAIL
        case VerdictKind.UNKNOWN:
            return BASIS_CHECKS_SILENT
    public = dict(page.regions)
    down = [one.region for one in verdict.regions if one.state is RegionState.DOWN]
    if down and all(region in public for region in down):
        return BASIS_CHECKS_REGIONS.format(regions=", ".join(sorted(public[region] for region in down)))
    return BASIS_CHECKS_REGIONAL


def _traffic(page: StatusPage, component: Component, known: Known) -> Iterator[Found]:
    for slo in component.sources.slos:
        alerts = [alert for alert in known.alerts if alert.labels.get(names.SLO) == slo]
        told = [status for status in (_of_alert(page, alert) for alert in alerts) if status is not None]
        if told:
            yield max(told, key=ORDER.index), BASIS_TRAFFIC_BAD
        elif _is_missing(slo, alerts, known):
            yield ComponentStatus.UNKNOWN, BASIS_TRAFFIC_SILENT
        else:
            yield ComponentStatus.OPERATIONAL, BASIS_TRAFFIC_WELL


def _of_alert(page: StatusPage, alert: Alert) -> ComponentStatus | None:
    if alert.labels.get("alertname") == names.ALERT_NO_DATA:
        return None
    severity = alert.labels.get(names.SEVERITY)
    if severity == names.SEVERITY_PAGE:
        return page.page_alert
    return page.ticket_alert if severity == names.SEVERITY_TICKET else None


def _is_missing(slo: str, alerts: Sequence[Alert], known: Known) -> bool:
    if any(alert.labels.get("alertname") == names.ALERT_NO_DATA for alert in alerts):
        return True
    return known.tells_slos and (known.measured_slos is None or slo not in known.measured_slos)


def _reduced(texts: Sequence[TierText], component: Component, tier: tuple[int, datetime] | None) -> Reduced | None:
    """What the highest tier says that is reached and concerns the component: each adds to those before it."""
    if tier is None:
        return None
    reached, since = tier
    own = [one for one in texts if one.tier <= reached and (not one.components or component.id in one.components)]
    highest = max(own, key=lambda one: one.tier, default=None)
    return Reduced(reached, highest.text, since) if highest else None
