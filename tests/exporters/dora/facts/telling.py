"""Events for tests, as they are stored."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from controlplane.model.delivery import DeliveryEvent

AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHOP = "github.com/acme/shop"
HASH = "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c"
SUBJECTS = {
    "deployed": "service", "upgraded": "service", "rolledback": "service", "removed": "service",
    "created": "change", "reviewed": "change", "merged": "change", "abandoned": "change",
    "packaged": "artifact", "published": "artifact",
    "detected": "incident", "reported": "incident", "resolved": "incident",
}  # fmt: skip


def event(
    entity: str,
    predicate: str,
    at: datetime = AT,
    *,
    id_: str = "",
    source: str = "/ci",
    subject: object = "checkout",
    content: object = None,
    own: object = None,
    trace_id: str = "",
) -> DeliveryEvent:
    """A CDEvent about the entity; without an `id_` one that follows from what it says."""
    data = {"subject": {"id": subject, "content": content}, "customData": {"flyball": own}}
    said = json.dumps([entity, predicate, at.isoformat(), data], default=str)
    digest = hashlib.sha256(said.encode()).digest()
    return DeliveryEvent(
        source=source,
        id=id_ or digest.hex()[:16],
        type=f"dev.cdevents.{SUBJECTS[predicate]}.{predicate}.0.2.0",
        subject=str(subject),
        time=at,
        entity=entity,
        sender="cloudevents",
        digest=digest,
        body=json.dumps({"specversion": "1.0", "data": data}).encode(),
        trace_id=trace_id,
    )


def deployed(
    key: str = "d1",
    predicate: str = "deployed",
    minutes: float = 0,
    *,
    service: object = "checkout",
    environment: object = "production",
    artifact: object = "",
    **own: object,
) -> DeliveryEvent:
    """Of a deployment."""
    content: Mapping[str, object] = {"environment": {"id": environment}, "artifactId": artifact}
    at = AT + minutes * MINUTE
    return event(f"deployment:/ci#{key}", predicate, at, subject=service, content=content, own=own)


def change(
    number: str = "7",
    predicate: str = "merged",
    minutes: float = 0,
    *,
    repository: str = SHOP,
    description: str = "",
    **own: object,
) -> DeliveryEvent:
    """Of a change."""
    content = {"repository": {"id": repository}, "description": description}
    at = AT + minutes * MINUTE
    return event(f"change:{repository}#{number}", predicate, at, subject=number, content=content, own=own)


def incident(
    key: str = "i1",
    predicate: str = "detected",
    minutes: float = 0,
    *,
    service: object = "checkout",
    environment: object = "production",
    **own: object,
) -> DeliveryEvent:
    """Of an incident."""
    content = {"service": {"id": service}, "environment": {"id": environment}, "description": "slow"}
    return event(
        f"incident:/pd#{key}", predicate, AT + minutes * MINUTE, source="/pd", subject=key, content=content, own=own
    )


def packaged(purl: str, *, change_id: str = "", source: str = "", **own: object) -> DeliveryEvent:
    """Of an artifact."""
    content = {"change": {"id": change_id, "source": source}}
    return event(f"artifact:{purl}", "packaged", AT, subject=purl, content=content, own=own)
