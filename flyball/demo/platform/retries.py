"""How hard clients try when they get errors: all at once, until they have learned to wait."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retries:
    """The traffic of a flow whose clients retry: a storm at the flow's capacity, then exponential back-off.

    `capacity` and `settled` are multiples of the flow's mean over the month, so they are the same at every hour: a
    storm is limited by what the servers can answer, not by how many clients there are. After `storm_seconds` the
    traffic halves every `halving_seconds`, down to `settled`.
    """

    capacity: float
    storm_seconds: float
    halving_seconds: float
    settled: float

    def mean(self, start: float, end: float) -> float:
        """The mean traffic between two moments, in seconds since it began; `end` must be after `start`."""
        return (self._sum(end) - self._sum(start)) / (end - start)

    def _sum(self, seconds: float) -> float:
        """The traffic so far, in seconds of the flow's mean."""
        waiting = self.halving_seconds * math.log2(self.capacity / self.settled)
        storm = min(seconds, self.storm_seconds)
        falling = min(max(seconds - self.storm_seconds, 0.0), waiting)
        calm = max(seconds - self.storm_seconds - waiting, 0.0)
        fallen = 1 - 2 ** (-falling / self.halving_seconds)
        return self.capacity * (storm + self.halving_seconds / math.log(2) * fallen) + self.settled * calm
