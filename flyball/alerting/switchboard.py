"""Flags that runbooks may change: those on the allow-lists of the workspace's FlagStores.

Implements `alerts.ports.Switchboard`. A ladder takes a change for a person's: it yields the flag.
"""

from collections.abc import Callable, Sequence
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent, Transient
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagState, FlagType, FlagWrite, WriteNote
from finops.flags.ports import Conflict, FlagStore, OpenStore
from finops.flags.values import EXPECTED, shown, typed

ABSENT: Final = "absent"
NOTE: Final = WriteNote("flyball runbook", "a step of a runbook")
_BOOLEANS: Final = {"true": True, "false": False}


class FlagSwitchboard:
    """`stores` are those of the last good files, `open_store` opens one. `is_killed` tells why none may be written."""

    def __init__(
        self,
        open_store: OpenStore,
        stores: Callable[[], Sequence[DeclaredStore]],
        is_killed: Callable[[], str] = lambda: "",
    ) -> None:
        self._open_store = open_store
        self._stores = stores
        self._is_killed = is_killed

    def read(self, store: str, flag: str) -> str:
        """Its value now, as text; `absent` where the store has no such flag."""
        declared = self._declared(store, flag)
        with self._open_store(store) as opened:
            return _text(_state(opened.store, declared).value)

    def write(self, store: str, flag: str, value: str) -> None:
        """Set it, and read it back from the store."""
        declared = self._declared(store, flag)
        wanted = _value(declared, value)
        if why := self._is_killed():
            raise Permanent(f"flags are not written: {why}")
        with self._open_store(store) as opened:
            seen = _state(opened.store, declared)
            if type(seen.value) is type(wanted) and seen.value == wanted:
                return
            try:
                opened.store.write([FlagWrite(seen, wanted)], NOTE)
            except Conflict as conflict:
                raise Permanent(f"somebody changed {flag} meanwhile: {conflict}") from None
            found = _state(opened.store, declared).value
        if type(found) is not type(wanted) or found != wanted:
            raise Transient(f"{flag} in {store} was written as {value}, and reads {_text(found)}")

    def _declared(self, store: str, flag: str) -> DeclaredFlag:
        known = next((each for each in self._stores() if each.name == store), None)
        if known is None:
            raise Permanent(f"no FlagStore `{store}` is declared")
        found = known.flag(flag)
        if found is None:
            raise Permanent(f"the flag `{flag}` is not on the allow-list of FlagStore {store}")
        return found


def _state(store: FlagStore, flag: DeclaredFlag) -> FlagState:
    return store.read([flag]).get(flag.name, FlagState(flag.name, None))


def _value(flag: DeclaredFlag, text: str) -> FlagValue:
    written: bool | str = _BOOLEANS.get(text, text) if flag.type is FlagType.BOOLEAN else text
    value = typed(flag.type, written)
    if value is None:
        raise Permanent(f"the flag {flag.name} takes {EXPECTED[flag.type]}, not `{text[:80]}`")
    return value


def _text(value: FlagValue | None) -> str:
    return ABSENT if value is None else shown(value)
