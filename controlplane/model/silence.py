"""What Alertmanager holds: silences, and alerts with what keeps them quiet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from controlplane.model.matcher import Matcher


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence as Alertmanager has it; `id` is empty for a new one."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


@dataclass(frozen=True, slots=True)
class HeldAlert:
    """An alert that Alertmanager holds: by which silences and alerts it is kept quiet, if it is."""

    fingerprint: str
    starts_at: datetime
    silenced_by: tuple[str, ...]
    inhibited_by: tuple[str, ...]
    muted_by: tuple[str, ...]  # time intervals; Alertmanager tells them from 0.28 on
    receivers: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
