"""What is right as an event, and probably not what its sender meant."""

from collections.abc import Iterable
from typing import Final

import orjson

from controlplane.delivery_names import CUSTOM
from controlplane.model.delivery import DeliveryEvent
from exporters.events.cdevents.own_fields import own_fields
from exporters.events.entity_of import own_of, subject_of

_MOST: Final = 10


def unread_fields(events: Iterable[DeliveryEvent]) -> list[str]:
    """Fields of ours that nobody knows, each once, at most ten: a name that was mistyped."""
    found: dict[str, None] = {}
    for event in events:
        if not event.is_known:
            continue
        known = own_fields(subject_of(event.type))
        for name in own_of(orjson.loads(event.body)["data"]):
            if name not in known:
                found[f"data.customData.{CUSTOM}.{name} is not read; known are {', '.join(sorted(known))}"] = None
        if len(found) >= _MOST:
            break
    return list(found)[:_MOST]
