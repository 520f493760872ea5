"""What one decision goes by, put together once."""

from dataclasses import dataclass
from datetime import datetime

from finops.ladder.controller.judging import Judged
from finops.ladder.deciding import ControllerState, Given, Move, Note
from finops.ladder.model import Ladder, Tier


@dataclass(frozen=True, slots=True)
class Turn:
    """A ladder, its state with this sample counted, the world, and what the sample says."""

    ladder: Ladder
    state: ControllerState
    given: Given
    now: datetime
    judged: Judged
    is_contradictory: bool

    @property
    def tier(self) -> int:
        """The tier in force."""
        return self.state.tier

    @property
    def present(self) -> Tier | None:
        """The tier in force as declared, None at full service."""
        return self.ladder.tier(self.state.tier)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one reason to move comes to: a move, or why there is none."""

    move: Move | None = None
    notes: tuple[Note, ...] = ()
    asks: tuple[int, ...] = ()
