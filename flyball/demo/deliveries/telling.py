"""CDEvents 0.5.1 as the platform's pipeline writes them, and how they reach the running Flyball."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import httpx

from controlplane.ports import Transient

SOURCE: Final = "/intelgraph/pipeline"
REPOSITORY: Final = "git.intelgraph.example/intelgraph/platform"
ENVIRONMENT: Final = "production"
_BATCH: Final = "application/cloudevents-batch+json"
_TIMEOUT_SECONDS: Final = 60
_AT_ONCE: Final = 500
CDEvent = dict[str, object]
Fields = dict[str, object]


def change_id(number: int) -> str:
    """How deployments name a change."""
    return f"{REPOSITORY}#{number}"


def merged(number: int, at: datetime, own: Fields) -> CDEvent:
    """A change came to the main branch."""
    content: Fields = {"repository": {"id": REPOSITORY}}
    return _event("change.merged.0.3.0", str(number), at, content, own)


def deployed(service: str, at: datetime, own: Fields, *, what: str = "deployed") -> CDEvent:
    """A service was put into production; `what`: `deployed`, `upgraded` or `rolledback`."""
    content: Fields = {
        "environment": {"id": ENVIRONMENT},
        "artifactId": f"pkg:generic/{service}@{own['version']}",
    }
    return _event(f"service.{what}.0.3.0", service, at, content, own)


def incident(id_: str, service: str, at: datetime, own: Fields, *, what: str = "detected") -> CDEvent:
    """An incident was `detected` or `resolved`."""
    content: Fields = {"environment": {"id": ENVIRONMENT}, "service": {"id": service}}
    return _event(f"incident.{what}.0.3.0", id_, at, content, own)


def send(console_url: str, token: str, events: Iterable[CDEvent]) -> int:
    """Post them in batches and return how many were accepted; raises `Transient` with the reason of a refusal."""
    headers = {"Content-Type": _BATCH, "Authorization": f"Bearer {token}"}
    wrapped, accepted = [_wrapped(event) for event in events], 0
    with httpx.Client(base_url=console_url, headers=headers, timeout=_TIMEOUT_SECONDS) as client:
        for first in range(0, len(wrapped), _AT_ONCE):
            try:
                response = client.post("/events", content=json.dumps(wrapped[first : first + _AT_ONCE]))
            except httpx.HTTPError as error:
                raise Transient(f"Flyball takes no events: {error}") from error
            if not response.is_success:
                raise Transient(f"Flyball takes no events: {response.status_code} {response.text[:300]}")
            accepted += int(response.json().get("accepted", 0))
    return accepted


def _event(kind: str, subject: str, at: datetime, content: Fields, own: Fields) -> CDEvent:
    """Sent again it has the same id."""
    type_, when = f"dev.cdevents.{kind}", f"{at:%Y-%m-%dT%H:%M:%SZ}"
    id_ = hashlib.sha256(f"{type_} {subject} {when}".encode()).hexdigest()[:32]
    context = {"specversion": "0.5.1", "id": id_, "source": SOURCE, "type": type_, "timestamp": when}
    return {
        "context": context,
        "subject": {"id": subject, "source": SOURCE, "content": content},
        "customData": {"flyball": own},
        "customDataContentType": "application/json",
    }


def _wrapped(event: CDEvent) -> Fields:
    """As a CloudEvent (CDEvents, cloudevents-binding.md)."""
    context, subject = event["context"], event["subject"]
    assert isinstance(context, dict)
    assert isinstance(subject, dict)
    return {
        "specversion": "1.0",
        "id": context["id"],
        "source": context["source"],
        "type": context["type"],
        "subject": subject["id"],
        "time": context["timestamp"],
        "datacontenttype": "application/json",
        "data": event,
    }
