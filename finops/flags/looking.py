"""What a store knows of its flags now, as far as it can be had."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from controlplane.ports import Permanent, Transient
from finops.flags.hygiene import Seen
from finops.flags.model import DeclaredFlag, FlagEdit, FlagState, FlagUse
from finops.flags.ports import FlagStore


def look(store: FlagStore, flags: Sequence[DeclaredFlag], since: datetime) -> Seen:
    """Values, uses and edits since then. A store that does not answer, and a flag that cannot be read, is a fault."""
    try:
        states, faults = _states(store, flags)
        readable = [flag for flag in flags if flag.name not in faults]
        uses = {use.flag: use for use in store.uses(readable)}
        edits = _edits(store, [flag for flag in readable if states[flag.name].value is not None], since)
    except (Transient, Permanent) as error:
        return failed(flags, str(error))
    return Seen(states, uses, edits, store.capabilities.tells_evaluations, faults)


def failed(flags: Sequence[DeclaredFlag], fault: str) -> Seen:
    """Nothing is known of any of them."""
    uses: dict[str, FlagUse] = {}
    return Seen({}, uses, {}, faults={flag.name: fault for flag in flags})


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
