"""What the pages about downshift ladders show, read from the database in bounded time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from controlplane.model.ladder import StepRecord
from finops.ladder.standing import Standing, standing, standings
from flyball.web.gathering import Gathering, Scene
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState

if TYPE_CHECKING:
    from finops.ladder.model import Ladder

HISTORY: Final = timedelta(days=30)
_FRESH: Final = timedelta(seconds=2)
_MOST_STEPS: Final = 500


class LaddersState(Protocol):
    """The ladders that are applied: those of the last good files. Safe to use from several threads."""

    def ladders(self) -> "Sequence[Ladder]":
        """By name."""
        ...

    def why_stopped(self) -> str:
        """What has set the kill switch; empty while nothing has."""
        ...


@dataclass(frozen=True, slots=True)
class NoLadders:
    """A `LaddersState` without any."""

    def ladders(self) -> "Sequence[Ladder]":
        """None."""
        return ()

    def why_stopped(self) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class DeclaredLadders:
    """A `LaddersState` of what files declare."""

    declared: "Callable[[], Sequence[Ladder]]"
    stopped: Callable[[], str]

    def ladders(self) -> "Sequence[Ladder]":
        """By name."""
        return self.declared()

    def why_stopped(self) -> str:
        """What has set the kill switch; empty while nothing has."""
        return self.stopped()


@dataclass(frozen=True, slots=True)
class LadderPast:
    """One ladder as it stands, and its steps of the last days, newest first."""

    standing: Standing
    steps: tuple[StepRecord, ...]
    start: datetime
    end: datetime


class LadderGathering:
    """Asks, and remembers for a few seconds. Safe to share between threads."""

    def __init__(self, state: ConsoleState, ladders: LaddersState, gathering: Gathering) -> None:
        self._state = state
        self._ladders = ladders
        self._gathering = gathering
        self._all: Remembered[tuple[Standing, ...]] = Remembered(state.clock, fresh_for=_FRESH)
        self._pasts: Remembered[LadderPast] = Remembered(state.clock, fresh_for=_FRESH)

    def scene(self) -> Scene:
        """What every page of the console shows."""
        return self._gathering.scene()

    def why_stopped(self) -> str:
        """What has set the kill switch."""
        return self._ladders.why_stopped()

    def all(self) -> Reading[tuple[Standing, ...]]:
        """Every ladder that is declared, and those that are not any more and have a tier in force."""
        declared = {ladder.name: ladder for ladder in self._ladders.ladders()}
        return self._all.get(tuple(declared), lambda at: self._read(declared, at))

    def past(self, name: str) -> Reading[LadderPast]:
        """One ladder."""
        declared = {ladder.name: ladder for ladder in self._ladders.ladders()}
        return self._pasts.get(name, lambda at: self._read_past(name, declared.get(name), at))

    def _read(self, declared: "dict[str, Ladder]", now: datetime) -> tuple[Standing, ...]:
        with self._state.store.transaction(read_only=True) as transaction:
            return tuple(standings(transaction.ladders, declared, now))

    def _read_past(self, name: str, ladder: "Ladder | None", now: datetime) -> LadderPast:
        start = now - HISTORY
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.ladders
            return LadderPast(standing(log, name, ladder, now), tuple(log.steps(name, start, _MOST_STEPS)), start, now)
