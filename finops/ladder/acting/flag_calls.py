"""Calls of a flag store, each made only when it may be made, with errors of their own.

The database raises `Transient` as well; what a flag store raises must not be taken for that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.ladder import FlagValue, StepRecord
from controlplane.model.source import SourcePosition
from controlplane.ports import Permanent, Transient
from finops.flags.model import DeclaredFlag, FlagState, FlagType, FlagWrite, WriteNote
from finops.flags.ports import NotOneValue, OpenedStore
from finops.ladder.acting.hands import Seen

_SKEW: Final = timedelta(seconds=10)  # by how much a flag store's clock may differ from ours
_TYPES: Final = {bool: FlagType.BOOLEAN, int: FlagType.INTEGER, str: FlagType.STRING}
NOWHERE: Final = SourcePosition("", 1, 1)


class StoreDown(Exception):
    """The flag store does not answer now."""


class StoreRefused(Exception):
    """The flag store refused, and will again."""


class FlagUnclear(StoreRefused):
    """The flag store answers, and a flag gives no one value to everybody."""


class Stopped(Exception):
    """Nothing may be written now: the kill switch is set."""


@contextmanager
def calling() -> Iterator[None]:
    """Errors of a flag store as ours."""
    try:
        yield
    except Transient as error:
        raise StoreDown(str(error)) from error
    except NotOneValue as error:
        raise FlagUnclear(str(error)) from error
    except Permanent as error:
        raise StoreRefused(str(error)) from error


@dataclass(frozen=True, slots=True)
class FlagCalls:
    """A flag store as a step uses it, by its name. `declared` are the flags on its allow-list, by name.

    `ensure_leading` raises `LeaseLost`, `is_killed` tells why nothing may be written; both are asked right before every
    write.
    """

    name: str
    opened: OpenedStore
    declared: Mapping[str, DeclaredFlag]
    ensure_leading: Callable[[], None]
    is_killed: Callable[[], str]

    @property
    def visible_within(self) -> timedelta:
        """By when the store itself holds what it took."""
        return self.opened.store.capabilities.visible_within

    def read(self, flags: Mapping[str, FlagValue]) -> dict[str, FlagState]:
        """The present state of each; the values only tell the type of one that is no longer declared."""
        with calling():
            found = self.opened.store.read(self.descriptions(flags)) if flags else {}
        return {flag: found.get(flag, FlagState(flag, None)) for flag in flags}

    def read_each(self, flags: Mapping[str, FlagValue]) -> dict[str, FlagState]:
        """The same, with no value for a flag that has none for everybody."""
        try:
            return self.read(flags)
        except FlagUnclear:
            if len(flags) == 1:
                return {flag: FlagState(flag, None) for flag in flags}
        return {flag: state for flag in flags for state in self.read_each({flag: flags[flag]}).values()}

    def any_one(self) -> dict[str, FlagValue]:
        """One flag of the list, to see whether the store answers."""
        return {flag.name: flag.normal for flag in [*self.declared.values()][:1]}

    def look(self, flags: Mapping[str, FlagValue], since: datetime) -> dict[str, Seen]:
        """Flags together with what the store knows of who wrote them since then."""
        states = self.read(flags)
        can = self.opened.store.capabilities
        if can.marks_writes:
            return {flag: Seen(state, last_write=state.last_write) for flag, state in states.items()}
        if not can.has_history:
            return {flag: Seen(state) for flag, state in states.items()}
        with calling():
            edits = {flag: self.opened.store.history(flag, since - _SKEW) for flag in states}
        return {flag: Seen(state, edits=edits[flag]) for flag, state in states.items()}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """Set flags, in order. Raises `Conflict`, `Stopped`, `LeaseLost`, and what a store raises as ours."""
        if not writes:
            return
        self.ensure_leading()
        if why := self.is_killed():
            raise Stopped(why)
        with calling():
            self.opened.store.write(writes, note)

    def shown(self, flags: Mapping[str, FlagValue]) -> Mapping[str, FlagValue | None]:
        """What clients get now."""
        with calling():
            return self.opened.client.values(self.descriptions(flags)) if flags else {}

    def who(self, flag: str, since: datetime) -> str:
        """Who changed a flag last, as far as its store tells; empty where it does not, or not now."""
        if not self.opened.store.capabilities.has_history:
            return ""
        try:
            edits = self.opened.store.history(flag, since)
        except (Transient, Permanent):
            return ""
        return next((edit.by for edit in reversed(edits) if not edit.is_ours), "")

    def descriptions(self, flags: Mapping[str, FlagValue]) -> list[DeclaredFlag]:
        """Flags as the store wants them described; one that is no longer declared by what its value is."""
        return [self.declared.get(flag) or undeclared(flag, value) for flag, value in flags.items()]


def undeclared(flag: str, value: FlagValue) -> DeclaredFlag:
    """A flag that stood on the allow-list when we wrote it, and does not now."""
    return DeclaredFlag(flag, _TYPES[type(value)], value, "", NOWHERE)


def noted(step: StepRecord, id_: str) -> WriteNote:
    """What a write tells the store's own log."""
    return WriteNote(step.actor, f"ladder {step.ladder}: tier {step.from_tier} to {step.to_tier}: {step.reason}", id_)
