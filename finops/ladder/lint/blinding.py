"""Tiers whose own flags switch off what drives the ladder: it would never come back, or not go on."""

from collections.abc import Iterator
from typing import Final

from finops.flags.model import DeclaredFlag
from finops.ladder.lint.examined import Examined, at_tier, called
from finops.ladder.lint.metrics_behind import Behind, behind, reads
from finops.ladder.model import Signal, Tier

RULE: Final = "ladder-blind"


def check(it: Examined) -> None:
    """Each flag that silences a metric against each signal that the ladder still needs while the flag is set."""
    seen: dict[str, tuple[Behind, ...]] = {}
    told: set[tuple[str, str]] = set()
    for tier in it.ladder.tiers:
        needed = _needed(it, tier)
        for flag in _silencing(it, tier):
            for signal in needed:
                sources = seen.setdefault(signal.name, behind(signal, it.ground))
                if (flag.name, signal.name) not in told and _tell(it, tier, flag, signal, sources):
                    told.add((flag.name, signal.name))


def _silencing(it: Examined, tier: Tier) -> Iterator[DeclaredFlag]:
    for name, value in tier.flags:
        flag = it.store.flag(name) if it.store is not None else None
        if flag is not None and flag.silences and value != flag.normal:
            yield flag


def _needed(it: Examined, tier: Tier) -> list[Signal]:
    """By what this tier is entered and left, and what leads on and back from those above, in the file's order."""
    ladder = it.ladder
    conditions = [condition for each, _, _, condition in it.conditions() if each.number >= tier.number]
    used = {each.signal for condition in conditions for each in condition.comparisons}
    if ladder.emergency is not None and ladder.emergency.tier > tier.number:
        used |= {each.signal for each in ladder.emergency.comparisons}
    if ladder.growth is not None and tier.number < ladder.top:
        used.add(ladder.growth.signal)
    return [signal for signal in ladder.signals if signal.name in used]


def _tell(it: Examined, tier: Tier, flag: DeclaredFlag, signal: Signal, sources: tuple[Behind, ...]) -> bool:
    for metric in flag.silences:
        source = next((each for each in sources if reads(each.promql, metric)), None)
        if source is None:
            continue
        via = f" ({source.via})" if source.via else ""
        message = (
            f"blinds the ladder: `{flag.name}` silences `{metric}`, from which signal `{signal.name}` is made{via}"
        )
        hint = f"drive {called(tier)} and those above it by a signal that goes on while the flag is set"
        it.report.error(*at_tier(tier.number), "flags", flag.name, message=message, hint=hint, rule=RULE, on_key=True)
        return True
    return False
