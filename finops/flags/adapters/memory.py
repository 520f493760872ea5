"""Flags of one process, gone with it: for trying out, and for tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Clock, Permanent
from finops.flags.comparing import due, fits, same, shown
from finops.flags.model import Capabilities, DeclaredFlag, FlagEdit, FlagState, FlagUse, FlagWrite, WriteNote

_MOST_EDITS: Final = 10_000


class MemoryFlags:
    """Implements `FlagStore`, and as `MemoryClient` reads it `FlagClient`. Threads may share it."""

    capabilities: Final = Capabilities(
        is_atomic=True,
        compares=True,
        has_history=True,
        tells_evaluations=True,
        marks_writes=True,
        visible_within=timedelta(0),
    )

    def __init__(self, values: Mapping[str, FlagValue], clock: Clock) -> None:
        at = clock.now()
        self._clock = clock
        self._lock = Lock()
        self._states = {flag: FlagState(flag, value, "1") for flag, value in values.items()}
        self._edits: list[FlagEdit] = []
        self._uses = {flag: FlagUse(flag, created_at=at) for flag in values}

    def read(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagState]:
        """As the port says."""
        with self._lock:
            return {flag.name: self._declared_state(flag) for flag in flags}

    def write(self, writes: Sequence[FlagWrite], note: WriteNote) -> None:
        """As the port says; all of them or none."""
        with self._lock:
            missing = [write.seen.flag for write in writes if write.seen.flag not in self._states]
            if missing:
                raise Permanent(f"memory holds no flag {', '.join(missing)}")
            now = {write.seen.flag: self._states[write.seen.flag] for write in writes}
            for write in due(writes, now):
                self._set(write.seen.flag, write.value, note.actor, note)

    def edit(self, flag: str, value: FlagValue, by: str) -> None:
        """Somebody else changes a flag, as people do in a store's own console."""
        with self._lock:
            if not same(self._state(flag).value, value):
                self._set(flag, value, by, None)

    def history(self, flag: str, since: datetime) -> list[FlagEdit]:
        """As the port says; the last ten thousand changes are remembered."""
        with self._lock:
            return [edit for edit in self._edits if edit.flag == flag and edit.at >= since]

    def uses(self, flags: Sequence[DeclaredFlag]) -> list[FlagUse]:
        """As the port says; a client's reading is an evaluation."""
        with self._lock:
            return [self._uses.get(flag.name, FlagUse(flag.name, note="not in the store")) for flag in flags]

    def evaluate(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """What applications get."""
        with self._lock:
            at = self._clock.now()
            for flag in flags:
                if flag.name in self._uses:
                    self._uses[flag.name] = replace(self._uses[flag.name], last_evaluated=at)
            return {flag.name: self._state(flag.name).value for flag in flags}

    def close(self) -> None:
        """Nothing to give back: the values stay."""

    def _declared_state(self, flag: DeclaredFlag) -> FlagState:
        state = self._state(flag.name)
        if state.value is not None and not fits(flag, state.value):
            raise Permanent(f"flag {flag.name} is declared as {flag.type.value}, and is {shown(state.value)} in memory")
        return state

    def _state(self, flag: str) -> FlagState:
        return self._states.get(flag, FlagState(flag, None))

    def _set(self, flag: str, value: FlagValue, by: str, note: WriteNote | None) -> None:
        at, before = self._clock.now(), self._state(flag)
        last_write = before.last_write if note is None else note.id
        self._states[flag] = FlagState(flag, value, str(int(before.version or "0") + 1), last_write)
        self._uses.setdefault(flag, FlagUse(flag, created_at=at))
        self._edits = [*self._edits[-_MOST_EDITS:], FlagEdit(flag, at, by, value, is_ours=note is not None)]


class MemoryClient:
    """Implements `FlagClient`: an application in the same process."""

    def __init__(self, flags: MemoryFlags) -> None:
        self._flags = flags

    def values(self, flags: Sequence[DeclaredFlag]) -> Mapping[str, FlagValue | None]:
        """As the port says."""
        return self._flags.evaluate(flags)

    def close(self) -> None:
        """Nothing to stop."""
