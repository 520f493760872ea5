"""Delivery events and facts for tests of the store."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from controlplane.model.delivery import Change, DeliveryEvent, DeliveryIncident, Deployment, DeploymentKind

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def happened(id_: str, *, says: str = "", entity: str = "change:git.example/shop#1", **other: str) -> DeliveryEvent:
    """A delivery event that says something."""
    body = f'{{"id":"{id_}","says":"{says}"}}'.encode()
    return DeliveryEvent(
        source=other.get("source", "/ci"),
        id=id_,
        type=other.get("type", "dev.cdevents.change.merged.0.2.0"),
        subject=other.get("subject", "1"),
        time=NOON + timedelta(seconds=int(other.get("after", "0"))),
        entity=entity,
        sender=other.get("sender", "cloudevents"),
        digest=sha256(body).digest(),
        body=body,
        trace_id=other.get("trace_id", ""),
    )


def deployed(id_: str, *, hours: float = 0, service: str = "shop", environment: str = "production") -> Deployment:
    """A deployment so many hours after noon."""
    at = NOON + timedelta(hours=hours)
    return Deployment(id_, service, environment, at, DeploymentKind.DEPLOYED)


def merged(id_: str, *, hours: float = 0, repository: str = "git.example/shop", revision: str = "") -> Change:
    """A change merged so many hours after noon."""
    return Change(id_, repository, NOON + timedelta(hours=hours), revision)


def broke(id_: str, *, hours: float = 0, lasts: float | None = None, service: str = "shop") -> DeliveryIncident:
    """An incident that began so many hours after noon and lasted so many; None: it goes on."""
    start = NOON + timedelta(hours=hours)
    end = None if lasts is None else start + timedelta(hours=lasts)
    return DeliveryIncident(id_, service, "production", start, end)
