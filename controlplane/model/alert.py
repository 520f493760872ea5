"""Alerts as Alertmanager tells them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class AlertStatus(Enum):
    """Alertmanager's two states."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. It is the same alert as another when `fingerprint` and `starts_at` agree.

    `ends_at` is None while it fires.
    """

    fingerprint: str
    starts_at: datetime
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    ends_at: datetime | None = None
    generator_url: str = ""

    @property
    def key(self) -> tuple[str, datetime]:
        """What makes it one alert, however often it is delivered."""
        return self.fingerprint, self.starts_at


@dataclass(frozen=True, slots=True)
class AlertNotification:
    """One delivery of Alertmanager's webhook: a group of alerts for one receiver."""

    group_key: str
    receiver: str
    status: AlertStatus
    alerts: tuple[Alert, ...]
    truncated_alerts: int = 0
    external_url: str = ""


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert as the store keeps it: `first_received_at` and `last_received_at` are the store's own times."""

    alert: Alert
    first_received_at: datetime
    last_received_at: datetime
    deliveries: int
