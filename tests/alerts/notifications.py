"""Bodies as Alertmanager sends them."""

import json
from typing import Any

ZERO = "0001-01-01T00:00:00Z"


def alert(number: int = 1, status: str = "firing", **changes: Any) -> dict[str, Any]:
    """One alert of a body."""
    return {
        "status": status,
        "labels": {"alertname": "SLOErrorBudgetBurn", "slo": f"checkout-{number}", "severity": "page"},
        "annotations": {"summary": "checkout burns", "runbook_url": "https://runbooks.example/checkout"},
        "startsAt": "2026-01-01T00:00:00.123456789Z",
        "endsAt": ZERO if status == "firing" else "2026-01-01T00:10:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": f"{number:016x}",
    } | changes


def notification(*alerts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A body, before it becomes JSON."""
    return {
        "version": "4",
        "groupKey": '{}:{slo="checkout"}',
        "truncatedAlerts": 0,
        "status": alerts[0].get("status") if alerts else "firing",
        "receiver": "flyball",
        "groupLabels": {"slo": "checkout"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": list(alerts),
    } | changes


def body(*alerts: dict[str, Any], **changes: Any) -> bytes:
    """A body."""
    return json.dumps(notification(*(alerts or (alert(),)), **changes)).encode()
