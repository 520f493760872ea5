"""An incident as the JSON that webhooks get, in the shape that Standard Webhooks recommends: type, timestamp, data."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from alerts.messages import words
from alerts.model import Link, Snapshot
from controlplane import conventions
from controlplane.model.alert import Alert
from controlplane.model.event import JSON
from controlplane.model.incident import IncidentState, PriceTag

MOST_BYTES: Final = 256 * 1024
_LONGEST_TEXT: Final = 2_000
_SHOWN: Final = 10
_BRIEF_TEXT: Final = 120
_BRIEF_URL: Final = 500
_BRIEF_ITEMS: Final = 20
_BRIEF_KEYS: Final = 40
_BRIEF_LABELS: Final = frozenset({"alertname", conventions.SEVERITY, conventions.SERVICE, conventions.SLO})
_BRIEF_ANNOTATIONS: Final = frozenset({conventions.SUMMARY, conventions.RUNBOOK_URL})
TYPES: Final = {
    IncidentState.OPEN: "incident.open",
    IncidentState.ACKNOWLEDGED: "incident.acknowledged",
    IncidentState.RESOLVED: "incident.resolved",
}


def encoded(snapshot: Snapshot) -> bytes:
    """The body; when labels and annotations make it larger than `MOST_BYTES`, without most of them."""
    whole = _as_bytes(body_of(snapshot))
    return whole if len(whole) <= MOST_BYTES else _as_bytes(_brief(body_of(snapshot, is_brief=True)))


def body_of(snapshot: Snapshot, *, is_brief: bool = False) -> dict[str, JSON]:
    """How it stands: receivers need nothing that came before."""
    incident = snapshot.incident
    return {
        "type": TYPES[incident.state],
        "timestamp": _stamp(snapshot.taken_at),
        "data": {
            "incident": _incident(snapshot, is_brief=is_brief),
            "alerts": [_alert(alert, is_brief=is_brief) for alert in snapshot.alerts],
            "price": _price(incident.price),
            "suspects": [
                {
                    "at": _stamp(each.at),
                    "kind": each.kind,
                    "subject": _text(each.subject),
                    "text": _text(each.text),
                    "score": str(each.score),
                    "reasons": [_text(reason) for reason in each.reasons[:_SHOWN]],
                }
                for each in incident.suspects[:_SHOWN]
            ],
            "links": [_link(each) for each in (*snapshot.runbooks, *snapshot.links)[:_SHOWN]],
        },
    }


def _incident(snapshot: Snapshot, *, is_brief: bool) -> dict[str, JSON]:
    incident = snapshot.incident
    return {
        "id": incident.id,
        "name": words.name_of(incident) or None,
        "version": incident.version,
        "title": _text(incident.title),
        "summary": _text(incident.summary),
        "priority": incident.priority.value,
        "state": incident.state.value,
        "isDrill": incident.is_drill,
        "service": incident.service,
        "labels": _pairs(incident.labels, _BRIEF_LABELS if is_brief else None),
        "roles": dict(incident.roles),
        "receivers": list(incident.receivers),
        "startedAt": _stamp(incident.started_at),
        "openedAt": _stamp(incident.opened_at),
        "acknowledgedAt": _maybe(incident.acknowledged_at),
        "acknowledgedBy": incident.acknowledged_by or None,
        "resolvedAt": _maybe(incident.resolved_at),
        "resolvedBy": incident.resolved_by or None,
        "resolution": _text(incident.resolution) or None,
        "alerts": snapshot.alert_count,
        "firing": snapshot.firing_count,
        "onCall": list(snapshot.on_call),
        "url": snapshot.page_url or None,
    }


def _alert(alert: Alert, *, is_brief: bool) -> dict[str, JSON]:
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status.value,
        "startsAt": _stamp(alert.starts_at),
        "endsAt": _maybe(alert.ends_at),
        "labels": _pairs(alert.labels, _BRIEF_LABELS if is_brief else None),
        "annotations": _pairs(alert.annotations, _BRIEF_ANNOTATIONS if is_brief else None),
        "generatorURL": _text(alert.generator_url),
    }


def _price(price: PriceTag | None) -> JSON:
    """None while nothing is known."""
    if price is None:
        return None
    return {
        "asOf": _stamp(price.as_of),
        "budgetBurned": [{"slo": slo, "share": str(share)} for slo, share in price.budget_burned],
        "extraSpend": [
            {"budget": budget, "amount": str(amount), "currency": currency}
            for budget, amount, currency in price.extra_spend
        ],
        "failedOperations": None if price.failed_operations is None else str(price.failed_operations),
        "note": price.note or None,
    }


def _link(link: Link) -> dict[str, JSON]:
    return {"text": _text(link.text), "url": _text(link.url)}


def _pairs(pairs: Mapping[str, str], names: frozenset[str] | None) -> dict[str, JSON]:
    """Those of these names, cut, or all as they are."""
    if names is None:
        return dict(pairs)
    return {name: _text(value) for name, value in pairs.items() if name in names}


def _brief(value: JSON, longest: int = _BRIEF_TEXT) -> JSON:
    """The same with all texts on one line and cut, and of many things the first. An address that is cut is none."""
    match value:
        case str() if longest == _BRIEF_URL and len(value) > longest:
            return None
        case str():
            return words.plain(value)[:longest]
        case list():
            return [_brief(each) for each in value[:_BRIEF_ITEMS]]
        case dict():
            kept = list(value)[:_BRIEF_KEYS]
            return {
                _plain_name(name): _brief(value[name], _BRIEF_URL if name == "url" else _BRIEF_TEXT) for name in kept
            }
        case _:
            return value


def _plain_name(name: str) -> str:
    return words.plain(name)[:_BRIEF_TEXT]


def _text(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"


def _as_bytes(body: JSON) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _maybe(at: datetime | None) -> str | None:
    return _stamp(at) if at else None
