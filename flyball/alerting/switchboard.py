"""Flags that runbooks may change, in the flag stores of the workspace. Implements `alerts.ports.Switchboard`."""

from collections.abc import Callable
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent, Transient
from finops.flags.model import DeclaredFlag, FlagState, FlagType, FlagWrite, WriteNote
from finops.flags.ports import Conflict, FlagStore
from flyball.ladder.stores import DeclaredStores

ACTOR: Final = "flyball runbook"
_BOOLEANS: Final = {"true": True, "false": False}


class LadderSwitchboard:
    """Within the allow-lists of FlagStore documents, as ladders are. Raises what the stores raise."""

    def __init__(self, stores: DeclaredStores, make_id: Callable[[], str]) -> None:
        self._stores = stores
        self._make_id = make_id

    def read(self, store: str, flag: str) -> str:
        """Its value now, as text."""
        declared = self._flag(store, flag)
        with self._stores(store) as opened:
            return _text(_seen(opened.store, declared).value)

    def write(self, store: str, flag: str, value: str) -> None:
        """Set it and read it back."""
        declared = self._flag(store, flag)
        wanted = _parsed(declared, value)
        with self._stores(store) as opened:
            seen = _seen(opened.store, declared)
            note = WriteNote(ACTOR, f"runbook sets {flag}", self._make_id())
            try:
                opened.store.write([FlagWrite(seen, wanted)], note)
            except Conflict as error:
                raise Transient(f"somebody changed {flag} meanwhile: {error}") from error
            found = _seen(opened.store, declared).value
        if found != wanted:
            raise Transient(f"{flag} was set to {value}, and {store} says {_text(found)}")

    def _flag(self, store: str, flag: str) -> DeclaredFlag:
        declared = next((each for each in self._stores.declared() if each.name == store), None)
        if declared is None:
            raise Permanent(f"no FlagStore `{store}` is declared")
        found = next((each for each in declared.flags if each.name == flag), None)
        if found is None:
            raise Permanent(f"`{flag}` is not on the allow-list of the FlagStore `{store}`")
        return found


def _seen(store: FlagStore, flag: DeclaredFlag) -> FlagState:
    found = store.read([flag]).get(flag.name)
    if found is None or found.value is None:
        raise Permanent(f"the store has no flag `{flag.name}`")
    return found


def _parsed(flag: DeclaredFlag, text: str) -> FlagValue:
    try:
        match flag.type:
            case FlagType.BOOLEAN:
                return _BOOLEANS[text.strip().lower()]
            case FlagType.INTEGER:
                return int(text)
            case _:
                return text
    except (KeyError, ValueError):
        raise Permanent(f"`{text[:80]}` is no {flag.type.value}, which `{flag.name}` is") from None


def _text(value: FlagValue | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
