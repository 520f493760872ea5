"""Flags that another ladder has in force: what they are now is not what they were, and must not be kept as that."""

from collections.abc import Collection

from controlplane.ladder_ports import LadderLog
from finops.ladder.standing import SHADOW


def held_by_others(log: LadderLog, ladder: str, store: str, flags: Collection[str]) -> dict[str, str]:
    """Which of these flags of a store another ladder has changed, and which one; a ladder declared no more too."""
    return {
        change.flag: state.ladder
        for state in log.states()
        if state.ladder != ladder and not state.ladder.endswith(SHADOW) and state.store == store
        for applied in state.applied
        for change in applied.changes
        if change.flag in flags
    }


def in_words(held: dict[str, str]) -> str:
    """Whose they are, and the way out; empty for none."""
    if not held:
        return ""
    ladders = sorted(set(held.values()))
    way = " and ".join(f"flyball ladder step {name} --to 0" for name in ladders)
    return f"{', '.join(sorted(held))}: in force by ladder {', '.join(ladders)}. First: {way}"
