"""What is counted while a simulation runs: time in tiers, money, users, and what held the ladder."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.ladder.deciding import Because, Note
from finops.ladder.simulation.model import Held, Options, Point, Stretch
from finops.ladder.simulation.plant import hours

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
HOLDS: Final = frozenset(
    {
        Because.BRAKE,
        Because.NEEDS_APPROVAL,
        Because.GROWTH,
        Because.CAP,
        Because.RETRY_LATER,
        Because.LOCKED,
        Because.CONTRADICTION,
    }
)
"""What keeps a ladder from a move that its signals ask for, beside the waits that every move has."""
TOLD: Final = HOLDS | {Because.NO_DATA, Because.EXPIRES}


def minutes(length: timedelta) -> Decimal:
    """A length in minutes, exact."""
    return Decimal(length // timedelta(microseconds=1)) / 60_000_000


@dataclass(slots=True)
class Book:
    """Sums of a run. `saved` is by tier: what each adds to those below it."""

    options: Options
    time: dict[int, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    user_minutes: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    saved: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    spent: Decimal = _ZERO
    knows_spend: bool = False
    stretches: list[Stretch] = field(default_factory=list)

    def passed(self, tier: int, point: Point, savings: Mapping[int, Decimal], since: datetime, until: datetime) -> None:
        """Time went by in a tier, while one point stood."""
        length = until - since
        self._stretch(tier, since, until)
        self.time[tier] += length
        part = hours(length)
        if point.spend_per_hour is not None:
            self.knows_spend = True
            self.spent += point.spend_per_hour * part
        if not tier:
            return
        users = _ONE if point.users is None else point.users
        self.user_minutes[tier] += minutes(length) * users * self.options.weight(tier)
        for number, rate in savings.items():
            self.saved[number] += rate * part

    def _stretch(self, tier: int, since: datetime, until: datetime) -> None:
        if self.stretches and self.stretches[-1].tier == tier:
            self.stretches[-1] = Stretch(tier, self.stretches[-1].since, until)
        else:
            self.stretches.append(Stretch(tier, since, until))


@dataclass(slots=True)
class Holding:
    """What held the ladder, as stretches of time: one for each reason and tier while it goes on."""

    open: dict[tuple[Because, int], tuple[datetime, str]] = field(default_factory=dict)
    over: list[Held] = field(default_factory=list)

    def noted(self, notes: Sequence[Note], tier: int, at: datetime) -> None:
        """What a decision at a moment said, with `tier` in force."""
        said = {(note.because, note.tier): note.text for note in notes if _is_told(note, tier)}
        for key in [key for key in self.open if key not in said]:
            self._close(key, at)
        for key, text in said.items():
            self.open.setdefault(key, (at, text))

    def closed(self, at: datetime) -> tuple[Held, ...]:
        """All of them, in the order in which they began, when the history ends."""
        for key in list(self.open):
            self._close(key, at)
        return tuple(sorted(self.over, key=lambda held: (held.since, held.because.value, held.tier)))

    def _close(self, key: tuple[Because, int], at: datetime) -> None:
        since, text = self.open.pop(key)
        self.over.append(Held(key[0], key[1], text, since, at))


def _is_told(note: Note, tier: int) -> bool:
    if note.because is Because.BRAKE:
        return note.tier > tier  # one that releases a tier is the reason of a move
    return note.because in TOLD and (note.because is not Because.EXPIRES or note.is_alert)


def time_of(held: Sequence[Held], reasons: frozenset[Because]) -> Decimal:
    """Minutes in which any of the reasons held; what overlaps counts once."""
    length, until = timedelta(0), None
    for each in held:  # in the order in which they began
        if each.because not in reasons:
            continue
        if until is None or each.since > until:
            length += each.until - each.since
            until = each.until
        elif each.until > until:
            length += each.until - until
            until = each.until
    return minutes(length)
