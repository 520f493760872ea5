"""Statuspage's public API, version 2, as files: what its clients read (https://metastatuspage.com/api).

Times are UTC with milliseconds. Fields that Statuspage leaves empty are null here too, never absent. What we add
begins with `flyball_`. A component that nothing is known of has no word in Statuspage's language; it is told as
`degraded_performance`, the mildest word that does not say that it works, with `flyball_status: "unknown"` beside it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from controlplane.model.public_status import (
    ComponentStatus,
    Impact,
    PublicComponent,
    PublicGroup,
    PublicIncident,
    PublicSnapshot,
    PublicUpdate,
)
from synthetics.status_page.rendering import names, standing

Json = Mapping[str, object]
FOLDER: Final = "api/v2"
_DESCRIPTIONS: Final[Mapping[str, str]] = {  # Statuspage's own sentences: clients show and compare them
    "operational": "All Systems Operational",
    "under_maintenance": "Service Under Maintenance",
    "degraded_performance": "Partially Degraded Service",
    "partial_outage": "Partial System Outage",
    "major_outage": "Major Service Outage",
    "unknown": "Status Partly Unknown",
    "all_unknown": "Status Unknown",
    "reduced": "All Systems Operational",
}
_LISTED: Final = 50  # Statuspage lists as many
_RATIO_PLACES: Final = Decimal("0.000001")


def fresh_files(snapshot: PublicSnapshot) -> Iterator[tuple[str, bytes]]:
    """Those that clients ask for the present state; they say when they were made."""
    page = {"page": {**_page(snapshot), "flyball_checked_at": stamp(snapshot.at)}}
    status = {"status": _status(snapshot)}
    yield names.STATUS, encoded({**page, **status})
    yield names.SUMMARY, encoded({
        **page,
        "components": _components(snapshot),
        "incidents": [_incident(snapshot, each) for each in _open(snapshot)],
        "scheduled_maintenances": [_incident(snapshot, each) for each in standing.planned(snapshot)],
        **status,
    })  # fmt: skip


def leaf_files(snapshot: PublicSnapshot) -> Iterator[tuple[str, bytes]]:
    """All others; each changes only when what it tells of does."""
    page = {"page": _page(snapshot)}
    yield f"{FOLDER}/components.json", encoded({**page, "components": _components(snapshot)})
    for name, incidents in (("incidents", snapshot.incidents[:_LISTED]), ("incidents/unresolved", _open(snapshot))):
        yield f"{FOLDER}/{name}.json", encoded({**page, "incidents": [_incident(snapshot, it) for it in incidents]})
    for name, maintenances in (
        ("scheduled-maintenances", snapshot.maintenances[:_LISTED]),
        ("scheduled-maintenances/upcoming", [it for it in standing.planned(snapshot) if not standing.is_active(it)]),
        ("scheduled-maintenances/active", [it for it in standing.planned(snapshot) if standing.is_active(it)]),
    ):
        told = [_incident(snapshot, each) for each in maintenances]
        yield f"{FOLDER}/{name}.json", encoded({**page, "scheduled_maintenances": told})


def stamp(at: datetime) -> str:
    """`2026-11-30T18:21:07.250Z`."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def encoded(value: object) -> bytes:
    """Compact JSON, keys in their order."""
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def last_change(snapshot: PublicSnapshot) -> datetime:
    """When anything that the page tells of last changed; not when it was last rendered."""
    changes = [each.updated_at for each in snapshot.components] + [each.updated_at for each in snapshot.groups]
    changes += [each.updated_at for each in snapshot.incidents] + [each.updated_at for each in snapshot.maintenances]
    return max(changes, default=snapshot.at)


def _page(snapshot: PublicSnapshot) -> Json:
    page = snapshot.page
    return {
        "id": page.id,
        "name": page.name,
        "url": page.url.rstrip("/"),
        "time_zone": page.time_zone,
        "updated_at": stamp(last_change(snapshot)),
    }


def _status(snapshot: PublicSnapshot) -> Json:
    indicator, description = whole(snapshot.indicator, standing.headline(snapshot))
    return {"indicator": indicator, "description": description}


def whole(indicator: Impact, headline: standing.Headline) -> tuple[str, str]:
    """Indicator and description of the whole page; maintenance alone has no indicator."""
    told = Impact.NONE if indicator is Impact.MAINTENANCE else indicator
    return told.value, _DESCRIPTIONS[headline.key]


def _open(snapshot: PublicSnapshot) -> list[PublicIncident]:
    return [each for each in snapshot.incidents if not standing.is_over(each)]


def _components(snapshot: PublicSnapshot) -> list[Json]:
    """By position; a group stands before its components."""
    groups = {each.id: each for each in snapshot.groups}
    found: list[tuple[tuple[int, int, int, str], Json]] = []
    for group in snapshot.groups:
        found.append(((group.position, 0, 0, group.id), _group(snapshot, group)))
    for each in snapshot.components:
        group_position = groups[each.group_id].position if each.group_id in groups else each.position
        found.append(((group_position, 1, each.position, each.id), _component(snapshot, each)))
    return [told for _, told in sorted(found, key=lambda each: each[0])]


def _component(snapshot: PublicSnapshot, each: PublicComponent) -> Json:
    added: dict[str, object] = {}
    if each.status is ComponentStatus.UNKNOWN:
        added["flyball_status"] = each.status.value
    if each.reduced:
        added["flyball_reduced"] = {"tier": each.reduced.tier, "text": each.reduced.text,
                                    "since": stamp(each.reduced.since)}  # fmt: skip
    if each.uptime:
        ratio = each.uptime.ratio
        added["flyball_uptime"] = {
            "days": len(each.uptime.days),
            "ratio": None if ratio is None else f"{ratio.quantize(_RATIO_PLACES, rounding=ROUND_FLOOR)}",
            "source": names.absolute(snapshot.page.url, names.uptime_data(each.id, "json")),
        }
    return {
        "id": each.id,
        "name": each.name,
        "status": status_word(each.status),
        "created_at": stamp(each.created_at),
        "updated_at": stamp(each.updated_at),
        "position": each.position,
        "description": each.description or None,
        "showcase": each.uptime is not None,
        "start_date": f"{each.created_at.astimezone(UTC):%Y-%m-%d}",
        "group_id": each.group_id,
        "page_id": snapshot.page.id,
        "group": False,
        "only_show_if_degraded": each.only_show_if_degraded,
        **added,
    }


def _group(snapshot: PublicSnapshot, each: PublicGroup) -> Json:
    added = {"flyball_status": each.status.value} if each.status is ComponentStatus.UNKNOWN else {}
    return {
        "id": each.id,
        "name": each.name,
        "status": status_word(each.status),
        "created_at": stamp(each.created_at),
        "updated_at": stamp(each.updated_at),
        "position": each.position,
        "description": each.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": snapshot.page.id,
        "group": True,
        "only_show_if_degraded": False,
        "components": list(each.component_ids),
        **added,
    }


def status_word(status: ComponentStatus) -> str:
    """Statuspage's word; see above for what is not known."""
    told: ComponentStatus = ComponentStatus.DEGRADED if status is ComponentStatus.UNKNOWN else status
    return told.value


def _incident(snapshot: PublicSnapshot, each: PublicIncident) -> Json:
    touched = [it for it in snapshot.components if it.id in each.component_ids]
    told: dict[str, object] = {
        "id": each.id,
        "name": each.name,
        "status": each.status.value,
        "created_at": stamp(each.created_at),
        "updated_at": stamp(each.updated_at),
        "monitoring_at": _or_null(each.monitoring_at),
        "resolved_at": _or_null(each.resolved_at),
        "impact": each.impact.value,
        "shortlink": names.absolute(snapshot.page.url, names.incident_page(each.id)),
        "started_at": stamp(each.started_at),
        "page_id": snapshot.page.id,
        "incident_updates": [_update(each.id, it) for it in each.updates],
        "components": [_component(snapshot, it) for it in touched],
    }
    if each.scheduled_for:
        told["scheduled_for"] = stamp(each.scheduled_for)
        told["scheduled_until"] = _or_null(each.scheduled_until)
    if each.next_update_by and not standing.is_over(each):
        told["flyball_next_update_by"] = stamp(each.next_update_by)
    return told


def _update(incident_id: str, each: PublicUpdate) -> Json:
    return {
        "id": each.id,
        "status": each.status.value,
        "body": each.body,
        "incident_id": incident_id,
        "created_at": stamp(each.created_at),
        "updated_at": stamp(each.updated_at),
        "display_at": stamp(each.display_at),
        "affected_components": _affected(each) or None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def _affected(each: PublicUpdate) -> Sequence[Json]:
    return [
        {"code": it.id, "name": it.name, "old_status": status_word(it.old), "new_status": status_word(it.new)}
        for it in each.affected
    ]


def _or_null(at: datetime | None) -> str | None:
    return stamp(at) if at else None
