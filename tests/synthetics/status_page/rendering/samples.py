"""Snapshots of a made-up platform: a calm one, one with everything that a page can show, and large ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from controlplane.model.public_status import (
    AffectedComponent,
    ComponentStatus,
    Correction,
    Impact,
    IncidentStatus,
    PublicComponent,
    PublicGroup,
    PublicIncident,
    PublicPage,
    PublicSnapshot,
    PublicUpdate,
    Reduced,
    StatusSpan,
    Uptime,
    UptimeDay,
)

NOW = datetime(2026, 11, 30, 18, 21, 7, 250_000, tzinfo=UTC)
BORN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"
DAYS = 90
UP, DOWN, PARTIAL, SLOW, WORK, UNKNOWN = (
    ComponentStatus.OPERATIONAL,
    ComponentStatus.MAJOR,
    ComponentStatus.PARTIAL,
    ComponentStatus.DEGRADED,
    ComponentStatus.UNDER_MAINTENANCE,
    ComponentStatus.UNKNOWN,
)
WORSE = (SLOW, PARTIAL, DOWN)
WEIGHTS = {UP: Decimal(0), WORK: Decimal(0), SLOW: Decimal(0), PARTIAL: Decimal("0.3"), DOWN: Decimal(1)}
FOUND = """A change of the **payment gateway** was at fault; it is being taken back.

- new payments work again in Europe
- refunds wait"""
FORMULA = "uptime = 1 − (0.3 × partial outage + 1 × major outage) ÷ (measured time without announced maintenance)"


def ago(**parts: float) -> datetime:
    """A time before NOW, to the second."""
    return NOW.replace(microsecond=0) - timedelta(**parts)


def page(**changes: object) -> PublicPage:
    told = PublicPage(
        id="acme",
        name="Acme Cloud",
        url="https://status.acme.example",
        time_zone=ZONE,
        languages=("en", "de"),
        description="How the services of Acme Cloud are doing.",
        support_url="https://acme.example/support",
    )
    return replace(told, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Past:
    """How a component fared: spans of trouble, and what was corrected; all else was operational."""

    spans: tuple[StatusSpan, ...] = ()
    corrections: tuple[Correction, ...] = ()
    born: datetime = BORN
    weights: Mapping[ComponentStatus, Decimal] = field(default_factory=lambda: WEIGHTS)


def uptime(past: Past, now: datetime = NOW, days: int = DAYS, zone: str = ZONE) -> Uptime:
    """What the spans come to, day by day, counted in the plainest way there is."""
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    told = tuple(_day(past, today - timedelta(days=back), now, local) for back in reversed(range(days)))
    counted = sum(sum(day.seconds.values()) for day in told)
    return Uptime(told, _ratio(told, past.weights, counted), past.weights, FORMULA, past.spans, past.corrections)


def _ratio(days: Iterable[UptimeDay], weights: Mapping[ComponentStatus, Decimal], counted: int) -> Decimal | None:
    if not counted:
        return None
    down = sum((weights[status] * seconds for day in days for status, seconds in day.seconds.items()), Decimal(0))
    return 1 - down / counted


def _day(past: Past, day: date, now: datetime, local: ZoneInfo) -> UptimeDay:
    begin = datetime.combine(day, time(), local).astimezone(UTC)
    end = min(datetime.combine(day + timedelta(days=1), time(), local).astimezone(UTC), now.replace(microsecond=0))
    length = int((end - begin).total_seconds())
    seconds = dict.fromkeys(past.weights, 0)
    excluded = corrected = 0
    unmeasured = _overlap(begin, end, begin, past.born) if past.born > begin else 0
    for span in past.spans:
        inside = _overlap(begin, end, span.start, span.end)
        corrected += inside if span.is_corrected else 0
        if span.is_excluded:
            excluded += inside
        elif span.status is UNKNOWN:
            unmeasured += inside
        else:
            seconds[span.status] += inside
    seconds[UP] += length - excluded - unmeasured - sum(seconds.values())
    seconds = {status: held for status, held in seconds.items() if held}
    counted = sum(seconds.values())
    down = sum((past.weights[status] * held for status, held in seconds.items()), Decimal(0))
    order = list(ComponentStatus)
    return UptimeDay(
        day=day,
        length_seconds=length,
        seconds=seconds,
        excluded_seconds=excluded,
        unmeasured_seconds=unmeasured,
        corrected_seconds=corrected,
        ratio=1 - down / counted if counted else None,
        worst=max(seconds, key=order.index) if seconds else WORK if excluded else None,
    )


def _overlap(begin: datetime, end: datetime, start: datetime, until: datetime) -> int:
    return max(int((min(end, until) - max(begin, start)).total_seconds()), 0)


def component(
    name: str, status: ComponentStatus = UP, past: Past | None = None, *, position: int = 1, **changes: object
) -> PublicComponent:
    told = PublicComponent(
        id=name.lower().replace(" ", "-"),
        name=name,
        description="",
        status=status,
        position=position,
        created_at=BORN,
        updated_at=ago(hours=2),
        uptime=uptime(past or Past()),
        basis=("Checks from outside succeed.", "Real traffic meets its objectives."),
    )
    return replace(told, **changes)  # type: ignore[arg-type]


def update(
    number: int, status: IncidentStatus, body: str, at: datetime, affected: tuple[AffectedComponent, ...] = ()
) -> PublicUpdate:
    return PublicUpdate(f"u{number}", status, body, at, at, at, affected)


def span(status: ComponentStatus, start: datetime, length: timedelta, **flags: bool) -> StatusSpan:
    return StatusSpan(start, start + length, status, **flags)


def checkout_incident() -> PublicIncident:
    """Open, with a promise of the next update."""
    down = AffectedComponent("checkout", "Checkout", UP, DOWN)
    better = AffectedComponent("checkout", "Checkout", DOWN, PARTIAL)
    updates = (
        update(3, IncidentStatus.IDENTIFIED, FOUND, ago(minutes=9), (better,)),
        update(2, IncidentStatus.INVESTIGATING, "Payments by card still fail.", ago(minutes=24)),
        update(1, IncidentStatus.INVESTIGATING, "Payments fail for most customers.", ago(minutes=39), (down,)),
    )
    return PublicIncident(
        id="inc-2041",
        name="Payments by card fail",
        status=IncidentStatus.IDENTIFIED,
        impact=Impact.MAJOR,
        created_at=ago(minutes=39),
        updated_at=ago(minutes=9),
        started_at=ago(minutes=43),
        component_ids=("checkout",),
        updates=updates,
        next_update_by=ago(minutes=-6),
    )


def search_incident() -> PublicIncident:
    """Over since days."""
    start = ago(days=5, hours=3)
    slow, fine = AffectedComponent("search", "Search", UP, SLOW), AffectedComponent("search", "Search", SLOW, UP)
    first = start + timedelta(minutes=5)
    updates = (
        update(13, IncidentStatus.RESOLVED, "Search answers as fast as usual.", start + timedelta(minutes=67), (fine,)),
        update(12, IncidentStatus.MONITORING, "A larger index is in place.", start + timedelta(minutes=40)),
        update(11, IncidentStatus.INVESTIGATING, "Search takes several seconds.", first, (slow,)),
    )
    return PublicIncident(
        id="inc-2032",
        name="Search is slow",
        status=IncidentStatus.RESOLVED,
        impact=Impact.MINOR,
        created_at=start + timedelta(minutes=5),
        updated_at=start + timedelta(minutes=67),
        started_at=start,
        component_ids=("search",),
        updates=updates,
        monitoring_at=start + timedelta(minutes=40),
        resolved_at=start + timedelta(minutes=67),
    )


def old_incident() -> PublicIncident:
    """Of another month, with a review."""
    start = ago(days=47)
    updates = (
        update(23, IncidentStatus.POSTMORTEM, "## Why\n\nA certificate ran out.", start + timedelta(days=3)),
        update(22, IncidentStatus.RESOLVED, "The certificate is renewed.", start + timedelta(minutes=31)),
        update(21, IncidentStatus.IDENTIFIED, "Our certificate has run out.", start + timedelta(minutes=4)),
    )  # fmt: skip
    return PublicIncident(
        id="inc-1987",
        name="No connection to the API",
        status=IncidentStatus.POSTMORTEM,
        impact=Impact.CRITICAL,
        created_at=start + timedelta(minutes=4),
        updated_at=start + timedelta(days=3),
        started_at=start,
        component_ids=("public-api", "checkout"),
        updates=updates,
        resolved_at=start + timedelta(minutes=31),
    )


def maintenance(
    number: int, status: IncidentStatus, start: datetime, length: timedelta, resolved_at: datetime | None = None
) -> PublicIncident:
    created = start - timedelta(days=4)
    updated = (
        max(created, min(start, NOW.replace(microsecond=0))) if status is not IncidentStatus.SCHEDULED else created
    )
    return PublicIncident(
        id=f"mnt-{number}",
        name="Database upgrade" if number % 2 else "Move of the object store",
        status=status,
        impact=Impact.MAINTENANCE,
        created_at=created,
        updated_at=updated,
        started_at=start,
        component_ids=("reports",),
        updates=(update(number * 10, status, "Reports can be late; *nothing is lost*.", created),),
        scheduled_for=start,
        scheduled_until=start + length,
        resolved_at=resolved_at,
    )


def calm() -> PublicSnapshot:
    """Nothing is wrong, and little was."""
    slow = span(SLOW, search_incident().started_at, timedelta(minutes=67))
    components = (
        component("Website", position=1, group_id="apps"),
        component("Checkout", position=2, group_id="apps", description="Baskets, payments and refunds."),
        component("Search", UP, Past((slow,)), position=3, group_id="apps"),
        component("Public API", position=4, description="REST and GraphQL"),
        component("Reports", position=5),
    )
    return _joined(components, incidents=(search_incident(), old_incident()))


def everything() -> PublicSnapshot:
    """Every feature at once."""
    gap = span(UNKNOWN, ago(days=20), timedelta(hours=50))
    work = span(WORK, ago(days=12, hours=2), timedelta(hours=2), is_excluded=True)
    outage = checkout_incident()
    corrected = span(DOWN, ago(days=47), timedelta(minutes=31), is_corrected=True)
    correction = Correction(
        corrected.start, corrected.end, DOWN, "Probes did not see that clients refused the certificate", ago(days=44)
    )
    checkout = Past(
        (
            corrected,
            span(PARTIAL, ago(days=33), timedelta(minutes=12)),
            span(DOWN, outage.started_at, timedelta(minutes=34)),
            span(PARTIAL, ago(minutes=9), timedelta(minutes=9)),
        ),
        (correction,),
    )
    slow = span(SLOW, search_incident().started_at, timedelta(minutes=67))
    components = (
        component("Website", position=1, group_id="apps"),
        component("Checkout", PARTIAL, checkout, position=2, group_id="apps",
                  description="Baskets and payments.", names=(("de", "Kasse"),)),
        component("Search", UP, Past((slow,)), position=3, group_id="apps",
                  reduced=Reduced(2, "Suggestions while you type are off; results are complete.", ago(hours=3))),
        component("Public API", UP, Past((gap,)), position=4, description="REST and GraphQL"),
        component("Reports", WORK, Past((work,)), position=5),
        component("Mail", UNKNOWN, Past((span(UNKNOWN, ago(hours=7), timedelta(hours=7)),)), position=6),
        component("Beta", UP, Past(born=ago(days=3)), position=7, only_show_if_degraded=True),
        component("Assistant", SLOW, Past(born=ago(days=9)), position=8),
        component("Archive", position=9, uptime=None),
    )  # fmt: skip
    done = ago(days=12, hours=2)
    maintenances = (
        maintenance(71, IncidentStatus.SCHEDULED, ago(days=-3), timedelta(hours=2)),
        maintenance(70, IncidentStatus.IN_PROGRESS, ago(minutes=21), timedelta(hours=1)),
        maintenance(69, IncidentStatus.COMPLETED, done, timedelta(hours=2), done + timedelta(hours=2)),
        maintenance(68, IncidentStatus.COMPLETED, ago(days=-1), timedelta(hours=2), ago(hours=20)),  # called off
    )
    incidents = (checkout_incident(), search_incident(), old_incident())
    return _joined(components, incidents=incidents, maintenances=maintenances, indicator=Impact.MAJOR)


def large(count: int) -> PublicSnapshot:
    """Components with a busy past, in groups of ten."""
    components = []
    for number in range(count):
        spans = tuple(
            span(
                (SLOW, PARTIAL, DOWN)[(number + back) % 3],
                ago(days=back, hours=number % 9),
                timedelta(minutes=7 + back),
            )
            for back in range(number % 5 + 2, DAYS - 2, 11)
        )
        group = f"group-{number // 10}"
        components.append(component(f"Service {number}", UP, Past(spans), position=number, group_id=group))
    return _joined(tuple(components), incidents=(search_incident(), old_incident()))


def _joined(
    components: tuple[PublicComponent, ...],
    incidents: tuple[PublicIncident, ...] = (),
    maintenances: tuple[PublicIncident, ...] = (),
    indicator: Impact = Impact.NONE,
) -> PublicSnapshot:
    ids = list(dict.fromkeys(each.group_id for each in components if each.group_id))
    groups = tuple(_group(id_, [each for each in components if each.group_id == id_]) for id_ in ids)
    return PublicSnapshot(page(), NOW, indicator, components, groups, incidents, maintenances)


def _group(id_: str, members: list[PublicComponent]) -> PublicGroup:
    order = list(ComponentStatus)
    return PublicGroup(
        id=id_,
        name="Apps" if id_ == "apps" else f"Group {id_.rpartition('-')[2]}",
        description="What people use" if id_ == "apps" else "",
        status=max((each.status for each in members), key=order.index),
        position=min(each.position for each in members),
        component_ids=tuple(each.id for each in members),
        created_at=BORN,
        updated_at=ago(hours=2),
    )


def reduced() -> PublicSnapshot:
    """Calm, but for a ladder's tier."""
    told = calm()
    tier = Reduced(1, "Suggestions while you type are off; results are complete.", ago(hours=3))
    return replace(
        told, components=tuple(replace(it, reduced=tier) if it.id == "search" else it for it in told.components)
    )


def unknown() -> PublicSnapshot:
    """Nothing is known."""
    told = calm()
    lost = Past((span(UNKNOWN, ago(hours=7), timedelta(hours=7)),))
    parts = tuple(replace(each, status=UNKNOWN, uptime=uptime(lost)) for each in told.components)
    return replace(told, components=parts, groups=tuple(replace(each, status=UNKNOWN) for each in told.groups))


def under_maintenance() -> PublicSnapshot:
    """Work is under way, and more is planned."""
    told = calm()
    planned = (
        maintenance(71, IncidentStatus.SCHEDULED, ago(days=-3), timedelta(hours=2)),
        maintenance(70, IncidentStatus.IN_PROGRESS, ago(minutes=21), timedelta(hours=1)),
    )
    parts = tuple(replace(it, status=WORK) if it.id == "reports" else it for it in told.components)
    return replace(told, components=parts, maintenances=planned)
