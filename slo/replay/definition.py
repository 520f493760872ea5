"""One definition of an SLO, with all that is needed to judge events by it."""

from dataclasses import dataclass

from controlplane.model.slo import SLO
from slo.replay.history import EventHistory
from slo.replay.periods import Periods
from slo.replay.policy import under_policy
from slo.replay.sliding import Flags


@dataclass(frozen=True, slots=True)
class Definition:
    """An SLO, the periods of its calendar window (None: it rolls), and when its service was up (None: nobody asks)."""

    slo: SLO
    periods: Periods | None = None
    up: Flags | None = None

    def seen(self, events: EventHistory) -> EventHistory:
        """What its rules would record of these events."""
        return under_policy(self.slo, events, self.up)
