"""What is kept while the database is away."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from alerts.delivery.showing import Shown
from alerts.told import from_payload, to_payload
from controlplane.model.alert import AlertNotification, AlertStatus
from controlplane.model.event import JSON


@dataclass(frozen=True, slots=True)
class Left:
    """A page that left for one channel, or was begun there: `shown` is what is outside, whole or not."""

    incident: str
    channel: str
    at: datetime
    shown: Shown


@dataclass(frozen=True, slots=True)
class Spooled:
    """A notification that the database did not take. `id` follows from what it says, so that a repeated one is one."""

    id: str
    received_at: datetime
    notification: AlertNotification
    left: tuple[Left, ...] = ()

    def with_left(self, left: Left) -> "Spooled":
        """The same, with this in the place of what was known of its incident and channel."""
        others = (each for each in self.left if (each.incident, each.channel) != (left.incident, left.channel))
        return replace(self, left=(*others, left))


class SpoolStore(Protocol):
    """Where they are kept. Errors: `Transient` when the disk does not give them."""

    def put(self, spooled: Spooled) -> None:
        """Keep it in the place of the one of its id; on return it survives a crash, unless the disk took nothing.

        Raises `Permanent` when full.
        """
        ...

    def all(self) -> Sequence[Spooled]:
        """All, in the order in which they were received. What cannot be read is left out."""
        ...

    def forget(self, spooled: str) -> None:
        """Remove the one of that id, if it is there."""
        ...

    def count(self) -> int:
        """How many are kept; cheap."""
        ...


@dataclass(frozen=True, slots=True)
class SpoolRan:
    """What a turn did: notifications kept before it, pages that left, notifications that the database took."""

    kept: int = 0
    left: int = 0
    handed_in: int = 0


def spooled_of(notification: AlertNotification, received_at: datetime) -> Spooled:
    """The notification, to be kept."""
    said = [[each.fingerprint, each.starts_at.isoformat(), each.status.value] for each in notification.alerts]
    material = json.dumps([notification.receiver, notification.group_key, sorted(said)])
    return Spooled(hashlib.sha256(material.encode()).hexdigest()[:32], received_at, notification)


def to_json(spooled: Spooled) -> dict[str, JSON]:
    """As it is kept; `from_json` reads it back."""
    notification = spooled.notification
    return {
        "id": spooled.id,
        "received_at": spooled.received_at.isoformat(),
        "group_key": notification.group_key,
        "receiver": notification.receiver,
        "status": notification.status.value,
        "alerts": [to_payload(each) for each in notification.alerts],
        "truncated_alerts": notification.truncated_alerts,
        "external_url": notification.external_url,
        "left": [_left_json(each) for each in spooled.left],
    }


def from_json(kept: Mapping[str, JSON]) -> Spooled:
    """What `to_json` wrote. Raises ValueError when it is not that."""
    try:
        alerts, left = kept["alerts"], kept["left"]
        if not isinstance(alerts, list) or not isinstance(left, list):
            raise ValueError("`alerts` and `left` must be lists")
        notification = AlertNotification(
            group_key=str(kept["group_key"]),
            receiver=str(kept["receiver"]),
            status=AlertStatus(kept["status"]),
            alerts=tuple(from_payload(_object(each)) for each in alerts),
            truncated_alerts=int(str(kept["truncated_alerts"])),
            external_url=str(kept["external_url"]),
        )
        received_at = datetime.fromisoformat(str(kept["received_at"]))
        return Spooled(str(kept["id"]), received_at, notification, tuple(_left_of(_object(each)) for each in left))
    except KeyError as missing:
        raise ValueError(f"it lacks {missing}") from None


def _left_json(left: Left) -> dict[str, JSON]:
    shown = left.shown
    return {
        "incident": left.incident,
        "channel": left.channel,
        "at": left.at.isoformat(),
        "outside_id": shown.outside_id,
        "place": shown.place,
        "url": shown.url,
        "is_closed": shown.is_closed,
        "is_whole": shown.is_whole,
        "data": dict(shown.data),
    }


def _left_of(kept: Mapping[str, JSON]) -> Left:
    shown = Shown(
        outside_id=str(kept["outside_id"]),
        place=str(kept["place"]),
        url=str(kept["url"]),
        is_closed=bool(kept["is_closed"]),
        is_whole=bool(kept["is_whole"]),
        data=_object(kept["data"]),
    )
    return Left(str(kept["incident"]), str(kept["channel"]), datetime.fromisoformat(str(kept["at"])), shown)


def _object(value: JSON) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise ValueError("an object is missing")
    return value
