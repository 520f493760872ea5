"""CDEvents inside CloudEvents that tests send."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
AT = "2026-11-20T10:00:00Z"
CONTENTS: dict[str, dict[str, Any]] = {
    "service.deployed": {"environment": {"id": "production"}, "artifactId": "pkg:github/acme/shop@1f"},
    "service.rolledback": {"environment": {"id": "production"}, "artifactId": "pkg:github/acme/shop@0e"},
    "service.removed": {"environment": {"id": "production"}},
    "service.published": {"environment": {"id": "production"}},
    "change.merged": {"repository": {"id": "https://github.com/acme/shop.git"}},
    "change.reviewed": {"repository": {"id": "git@github.com:acme/shop.git"}},
    "artifact.packaged": {"change": {"id": "12"}},
    "incident.detected": {"environment": {"id": "production"}, "service": {"id": "checkout"}},
    "incident.resolved": {"environment": {"id": "production"}, "service": {"id": "checkout"}},
    "build.started": {},
}
VERSIONS = dict.fromkeys(CONTENTS, "0.3.0")


def sent(kind: str = "service.deployed", number: int | str = 1, /, *, subject: str = "checkout", at: str = AT,
         own: dict[str, Any] | None = None, content: dict[str, Any] | None = None, source: str = "/ci",
         about: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:  # fmt: skip
    """A valid event; `changes` are attributes of the CloudEvent, and a value of None takes one away."""
    type_, id_ = f"dev.cdevents.{kind}.{VERSIONS.get(kind, '0.3.0')}", f"e{number}"
    data: dict[str, Any] = {
        "context": {"specversion": "0.5.1", "id": id_, "source": source, "type": type_, "timestamp": at},
        "subject": {
            "id": subject,
            "content": deepcopy(CONTENTS[kind]) if content is None else content,
            **(about or {}),
        },
    }
    if own is not None:
        data |= {"customData": {"flyball": own}, "customDataContentType": "application/json"}
    event = {
        "specversion": "1.0", "id": id_, "source": source, "type": type_, "subject": subject, "time": at, "data": data,
        **changes,
    }  # fmt: skip
    return {name: value for name, value in event.items() if value is not None}


def body(*events: object) -> bytes:
    """A batch."""
    return json.dumps(events).encode()
