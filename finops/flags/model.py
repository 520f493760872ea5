"""Flags as values: what is declared of them, what a store says, and what a store can do."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from controlplane.model.ladder import FlagValue
from controlplane.model.source import SourcePosition


class FlagType(Enum):
    """What values a flag takes."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class DeclaredFlag:
    """A flag that a ladder may change: it stands on its store's allow-list. No other flag is ever touched.

    `normal` is its value at full service, for reports; a step down restores what was there, not this. `expires` is the
    day after which the flag should be gone. `silences` names metrics that stop or thin out while it is not normal.
    """

    name: str
    type: FlagType
    normal: FlagValue
    owner: str
    source: SourcePosition
    description: str = ""
    expires: date | None = None
    silences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeclaredStore:
    """A FlagStore document: which store, where, and its allow-list by flag.

    `options` are the keys of its type's part, as the type's adapter reads them; names of environment variables that
    hold secrets stand there, never the secrets.
    """

    name: str
    type: str  # flagd | unleash | launchdarkly | ofrep | webhook | memory
    options: tuple[tuple[str, str], ...]
    flags: tuple[DeclaredFlag, ...]
    source: SourcePosition

    def option(self, key: str, default: str = "") -> str:
        """One option."""
        return dict(self.options).get(key, default)

    def flag(self, name: str) -> DeclaredFlag | None:
        """The flag of that name, None when it is not on the allow-list."""
        return next((each for each in self.flags if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store can do.

    `is_atomic`: several flags at once or none of them. `compares`: it refuses a write when the flag is not as expected
    any more. `has_history`: it tells who changed a flag, and when. `tells_evaluations`: when a flag was asked for last.
    `can_write`: False of a store that is only read. `marks_writes`: reading tells which write of ours came last.
    `visible_within`: by when its clients see a change.
    """

    is_atomic: bool = False
    compares: bool = False
    has_history: bool = False
    tells_evaluations: bool = False
    can_write: bool = True
    marks_writes: bool = False
    visible_within: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class FlagState:
    """A flag as its store has it. `value` None: the store has no such flag. `version` means something to the store.

    `last_write` is the id of the note of our last write to it, even where somebody changed it since; empty when there
    was none, or when the store does not tell. It says after a crash whose a value is.
    """

    flag: str
    value: FlagValue | None
    version: str = ""
    last_write: str = ""


@dataclass(frozen=True, slots=True)
class FlagWrite:
    """Set a flag that was seen in this state to a value."""

    seen: FlagState
    value: FlagValue


@dataclass(frozen=True, slots=True)
class FlagEdit:
    """A change that a store's history tells of; `value` None where it does not say which."""

    flag: str
    at: datetime
    by: str
    value: FlagValue | None = None
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class WriteNote:
    """What a write tells the store's own log: who, why, and an id that a repeated write has again."""

    actor: str
    reason: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class FlagUse:
    """When a flag was evaluated last, as far as its store tells."""

    flag: str
    last_evaluated: datetime | None = None
    created_at: datetime | None = None
    is_archived: bool = False
    note: str = field(default="")
