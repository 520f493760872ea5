"""An alert as it travels in events and outbox messages: plain JSON, times as ISO 8601 in UTC."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.event import JSON

TOLD_BY: Final = "told_by"  # annotation of alerts that never passed Alertmanager
US: Final = "flyball"


def marked_own(alert: Alert) -> Alert:
    """The alert, marked as one of ours: Alertmanager does not know it, and nobody asks Alertmanager about it."""
    return replace(alert, annotations={**alert.annotations, TOLD_BY: US})


def is_own(alert: Alert) -> bool:
    """Whether it never passed Alertmanager."""
    return alert.annotations.get(TOLD_BY) == US


def alert_id(alert: Alert) -> str:
    """What names it everywhere: fingerprint and start."""
    return f"{alert.fingerprint}@{alert.starts_at.isoformat()}"


def to_payload(alert: Alert) -> dict[str, JSON]:
    """The alert as JSON; `from_payload` reads it back."""
    return {
        "fingerprint": alert.fingerprint,
        "status": alert.status.value,
        "starts_at": alert.starts_at.isoformat(),
        "ends_at": alert.ends_at.isoformat() if alert.ends_at else None,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "generator_url": alert.generator_url,
    }


def from_payload(payload: Mapping[str, JSON]) -> Alert:
    """The alert that `to_payload` wrote. Raises ValueError when it is not one."""
    ends_at = payload.get("ends_at")
    try:
        return Alert(
            fingerprint=str(payload["fingerprint"]),
            starts_at=datetime.fromisoformat(str(payload["starts_at"])),
            status=AlertStatus(payload["status"]),
            labels=_texts(payload["labels"]),
            annotations=_texts(payload["annotations"]),
            ends_at=datetime.fromisoformat(str(ends_at)) if ends_at is not None else None,
            generator_url=str(payload["generator_url"]),
        )
    except KeyError as missing:
        raise ValueError(f"the payload lacks {missing}") from None


def _texts(value: JSON) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("labels and annotations must be objects")
    return {name: str(text) for name, text in value.items()}
