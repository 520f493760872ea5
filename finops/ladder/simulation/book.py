"""What is counted while a simulation runs: time in tiers, money, users, and what held the ladder."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.ladder.deciding import Because, Note
from finops.ladder.simulation.model import Held, Options, Point, Stretch

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = 60_000_000  # microseconds
_HOUR: Final = 60 * _MINUTE
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
    return Decimal(length // _MICROSECOND) / _MINUTE


@dataclass(slots=True)
class Book:
    """Sums of a run, as figure × microseconds, so that only what is told is divided, and once."""

    options: Options
    time: dict[int, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    stretches: list[Stretch] = field(default_factory=list)
    _users: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    _saved: dict[int, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    _spent: Decimal | None = None

    def passed(self, tier: int, point: Point, savings: Mapping[int, Decimal], since: datetime, until: datetime) -> None:
        """Time went by in a tier, while one point stood."""
        length = until - since
        self._stretch(tier, since, until)
        self.time[tier] += length
        part = length // _MICROSECOND
        if point.spend_per_hour is not None:
            self._spent = (self._spent or _ZERO) + point.spend_per_hour * part
        if not tier:
            return
        users = _ONE if point.users is None else point.users
        self._users[tier] += users * part
        for number, rate in savings.items():
            self._saved[number] += rate * part

    @property
    def spent(self) -> Decimal | None:
        """Money without the ladder; None where nobody knows."""
        return None if self._spent is None else self._spent / _HOUR

    def saved(self, tier: int) -> Decimal:
        """Money that a tier saved, beyond those below it."""
        return self._saved[tier] / _HOUR

    def saved_in_all(self) -> Decimal:
        """Money that all tiers saved."""
        return sum(self._saved.values(), _ZERO) / _HOUR

    def user_minutes(self, tier: int) -> Decimal:
        """Minutes × users × the tier's weight."""
        return self._users[tier] * self.options.weight(tier) / _MINUTE

    def user_minutes_in_all(self) -> Decimal:
        """The same of all tiers."""
        return sum((each * self.options.weight(tier) for tier, each in self._users.items()), _ZERO) / _MINUTE

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
