"""Samples at which nothing can happen: the controller need not be asked about each of them.

A decision depends on the state, on which comparisons hold, and on waits that end. While a decision left the state as it
was, the same comparisons hold, and no wait ends, the next decision is the same; it is not made again. That is what
lets a month of samples take seconds; a simulation that asks every time makes the same moves (tests hold it to that).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from finops.ladder.controller import retry_wait
from finops.ladder.deciding import ControllerState
from finops.ladder.model import Ladder

_DAY: Final = timedelta(days=1)
_SOON: Final = timedelta(hours=1)
Signature = tuple[object, ...]
"""All that a decision takes from a sample: `finops.ladder.simulation.sight`."""


@dataclass(slots=True)
class Resting:
    """Since when and how nothing changes. `is_on`: off, every sample is decided."""

    ladder: Ladder
    is_on: bool = True
    _signature: Signature | None = None
    _until: datetime | None = None

    def may_rest(self, signature: Signature, at: datetime) -> bool:
        """Whether the decision at this moment would be the last one again."""
        return self.is_on and signature == self._signature and self._until is not None and at < self._until

    def decided(
        self,
        signature: Signature,
        before: ControllerState,
        after: ControllerState,
        at: datetime,
        waits: Iterable[datetime] = (),
    ) -> None:
        """A decision was made. It is a fixed point when it left the state as it was."""
        if replace(before, sampled_at=None, moves=after.moves) != replace(after, sampled_at=None):
            self._signature = None
            return
        self._signature = signature
        self._until = min((each for each in (*waits, *_waits(self.ladder, after)) if each > at), default=at + _DAY)

    def stirred(self) -> None:
        """Something else happened: a step ended, somebody approved."""
        self._signature = None


def _waits(ladder: Ladder, state: ControllerState) -> Iterator[datetime]:
    """Moments at which something may become possible, or be told, without any signal that changes."""
    if state.since is not None:
        yield state.since + ladder.limits.cool_down
        yield from (state.since + tier.dwell for tier in ladder.tiers)
    for moment in state.moves:
        yield moment + _DAY
    for number, since in state.entered.items():
        tier = ladder.tier(number)
        if tier is not None and tier.expires_after is not None:
            end = since + tier.expires_after
            yield end
            yield end - min(max(tier.expires_after / 10, _SOON), tier.expires_after / 2)  # people are told from then on
    for times, last in state.failures.values():
        yield last + retry_wait(ladder, times)
