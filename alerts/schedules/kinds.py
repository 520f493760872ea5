"""The kinds of documents that say who is on call."""

from typing import Final

from controlplane.conventions import API_VERSION
from controlplane.specfile import Kind, ModelAt

SCHEDULE: Final = Kind(API_VERSION, "Schedule", ModelAt("alerts.schedules.spec", "ScheduleDocument"))
KINDS: Final[tuple[Kind, ...]] = (SCHEDULE,)
