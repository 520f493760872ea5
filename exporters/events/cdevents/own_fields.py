"""What we demand beyond the published schemas, as schemas: names that can be kept, and our own fields.

Our own fields stand in `customData.flyball`. Those that are known are checked; others are left alone, so that a sender
may be newer than the receiver.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from controlplane.delivery_names import CUSTOM
from exporters.events.cdevents.schemas import compiled

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

MAX_NAME: Final = 256
MAX_ADDRESS: Final = 1024
MOST_LISTED: Final = 2000
_LINE: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
_Schema = dict[str, Any]


def _line(most: int = MAX_NAME) -> _Schema:
    return {"type": "string", "maxLength": most, "pattern": _LINE}


_NAME: Final = _line()
_LONG: Final = _line(MAX_ADDRESS)
_TIME: Final = {"type": "string", "format": "date-time"}
_FLAG: Final = {"type": "boolean"}
_NAMES: Final = {"type": "array", "items": _NAME, "maxItems": MOST_LISTED}
_REFERENCES: Final = {"type": "array", "items": _LONG, "maxItems": MOST_LISTED}
FIELDS: Final[dict[str, dict[str, _Schema]]] = {
    "service": {
        "deployment": _NAME, "version": _NAME, "repository": _LONG, "revision": _NAME, "changes": _REFERENCES,
        "outcome": {"type": "string", "enum": ["succeeded", "failed"]}, "startedAt": _TIME, "undoes": _LONG,
        "remedies": _LONG, "unplanned": _FLAG, "run": _NAME, "url": _LONG,
    },
    "change": {
        "revision": _NAME, "firstCommitAt": _TIME, "openedAt": _TIME, "approvedAt": _TIME, "services": _NAMES,
        "reverts": _LONG, "hotfix": _FLAG, "remedies": _LONG, "title": _LONG, "url": _LONG, "labels": _NAMES,
        "branch": _NAME,
    },
    "artifact": {"repository": _LONG, "revision": _NAME},
    "incident": {
        "name": _NAME, "title": _LONG, "priority": _NAME, "deployment": _LONG, "url": _LONG, "counted": _FLAG,
        "startedAt": _TIME,
    },
}  # fmt: skip


def own_fields(subject: str) -> frozenset[str]:
    """Names of our own fields that events about such a subject (`service`, `change`, …) may have."""
    return frozenset(FIELDS.get(subject, {}))


@cache
def own_validator(subject: str) -> Draft202012Validator | None:
    """Checks the data of events about such a subject; None for a subject that has no own fields."""
    if subject not in FIELDS:
        return None
    reference = _object({"id": _NAME})
    content = _object(
        {
            "environment": reference,
            "service": reference,
            "artifactId": _LONG,
            "repository": _object({"id": _LONG, "source": _LONG}),
            "change": _object({"id": _LONG, "source": _LONG}),
        }
    )
    own = _object({CUSTOM: {"type": "object", **_object(FIELDS[subject])}})
    about = _object({"id": _LONG if subject == "artifact" else _NAME, "source": _LONG, "content": content})
    return compiled(_object({"subject": about, "customData": own}))


def _object(properties: dict[str, _Schema]) -> _Schema:
    return {"properties": properties}
