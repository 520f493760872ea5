"""Alertmanager's webhook, version 4: each alert with a service is an incident, from its start to its end.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. A group has no beginning of its own,
an alert has one: its fingerprint and start name it, whichever of several Alertmanagers tells of it and how often.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.conventions import SERVICE, SEVERITY
from controlplane.delivery_names import ENVIRONMENT
from controlplane.incident_names import DRILL, PRIORITY
from controlplane.model.event import JSON
from exporters.cloudevents.faults import Malformed, quoted
from exporters.events.translating import conventions, making
from exporters.events.translating.authenticity import check_token
from exporters.events.translating.reading import Node, root
from exporters.events.translators import Refusal

NAME: Final = "alertmanager"
VERSION: Final = "4"
DEPLOYMENT: Final = "flyball_deployment"  # an annotation: what caused it
_ALERTNAME: Final = "alertname"
_SILENT: Final = ("none", "info")  # severities that are no incident, the Watchdog's among them


class Alertmanager:
    """The translator."""

    name = NAME

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """By the token for events, as a bearer token or the password of basic authentication."""
        return check_token(headers, secrets, is_basic=True)

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """One event per alert that has a service and a severity that matters."""
        document = root(payload)
        version = document.text("version")
        if version != VERSION:
            raise Malformed("version", f"must be {VERSION}, not {quoted(version)}: is this Alertmanager's webhook?")
        return [event for alert in document.parts("alerts") for event in _incident(alert)]


def _incident(alert: Node) -> list[dict[str, JSON]]:
    labels = alert.part("labels")
    service, severity = labels.text(SERVICE), labels.text(SEVERITY)
    if not service or severity.lower() in _SILENT:
        return []
    started_at, is_over = alert.when("startsAt"), alert.needed("status") == "resolved"
    key = f"{alert.needed('fingerprint')}/{making.written(started_at)}"
    own: making.Own = {
        "name": labels.text(_ALERTNAME),
        "title": labels.text(_ALERTNAME),  # a summary may hold figures, which change from one telling to the next
        "priority": conventions.priority(labels.text(PRIORITY)) or conventions.priority(severity),
        "deployment": alert.part("annotations").text(DEPLOYMENT),
        "counted": labels.text(DRILL).lower() != "true",
        "startedAt": started_at,
    }
    at, word = (alert.when("endsAt"), making.RESOLVED) if is_over else (started_at, making.DETECTED)
    return [
        making.incident(
            word, id_=f"{key}/{'resolved' if is_over else 'firing'}", source=f"/{NAME}", at=at, key=key,
            service=service, environment=labels.text(ENVIRONMENT), own=own,
        )
    ]  # fmt: skip
