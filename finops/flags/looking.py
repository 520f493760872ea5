"""What a store knows of its flags now, as far as it can be had."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.ports import Permanent, Transient
from finops.flags.hygiene import Seen
from finops.flags.model import DeclaredFlag, FlagEdit, FlagState, FlagUse
from finops.flags.ports import FlagStore

_AT_ONCE: Final = 20


def look(store: FlagStore, flags: Sequence[DeclaredFlag], since: datetime) -> Seen:
    """Values, uses and edits since then. A store that does not answer, and a flag that cannot be read, is a fault."""
    states: dict[str, FlagState] = {}
    faults: dict[str, str] = {}
    uses: dict[str, FlagUse] = {}
    edits: dict[str, Sequence[FlagEdit]] = {}
    try:
        for part in _parts(flags):
            found, refused = _states(store, part)
            readable = [flag for flag in part if flag.name not in refused]
            uses |= {use.flag: use for use in store.uses(readable)}
            edits |= _edits(store, [flag for flag in readable if found[flag.name].value is not None], since)
            states, faults = states | found, faults | refused
    except (Transient, Permanent) as error:
        return failed(flags, str(error))
    return Seen(states, uses, edits, store.capabilities.tells_evaluations, faults)


def failed(flags: Sequence[DeclaredFlag], fault: str) -> Seen:
    """Nothing is known of any of them."""
    uses: dict[str, FlagUse] = {}
    return Seen({}, uses, {}, faults={flag.name: fault for flag in flags})


def _parts(flags: Sequence[DeclaredFlag]) -> list[Sequence[DeclaredFlag]]:
    """A call of a store ends within seconds, and some ask for each flag by itself."""
    return [flags[start : start + _AT_ONCE] for start in range(0, len(flags), _AT_ONCE)]


def _states(store: FlagStore, flags: Sequence[DeclaredFlag]) -> tuple[dict[str, FlagState], dict[str, str]]:
    """All at once; where one of them is refused, one by one."""
    try:
        return dict(store.read(flags)), {}
    except Permanent:
        if len(flags) == 1:
            raise
    states: dict[str, FlagState] = {}
    faults: dict[str, str] = {}
    for flag in flags:
        try:
            states |= store.read([flag])
        except Permanent as error:
            faults[flag.name] = str(error)
    return states, faults


def _edits(store: FlagStore, flags: Sequence[DeclaredFlag], since: datetime) -> Mapping[str, Sequence[FlagEdit]]:
    if not store.capabilities.has_history:
        return {}
    return {flag.name: store.history(flag.name, since) for flag in flags}
