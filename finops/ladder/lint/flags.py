"""Flags of tiers: on the allow-list, of the right type, and different from what they are already."""

from collections.abc import Iterable, Sequence
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.specfile import did_you_mean
from finops.flags.model import DeclaredFlag, DeclaredStore
from finops.flags.values import EXPECTED, described, hint_for, shown, typed
from finops.ladder.lint.examined import Examined, Path, at_tier, called
from finops.ladder.model import Mode, Tier

RULE: Final = "ladder-flag"
SHARED: Final = "ladder-shared-flag"


def check(it: Examined) -> None:
    """Every flag of every tier. Without a store nothing is known of them."""
    if it.store is None:
        return
    given: dict[str, tuple[FlagValue, Tier]] = {}
    for tier, part in zip(it.ladder.tiers, it.spec.tiers, strict=True):
        for name, written in part.flags.items():
            at = (*at_tier(tier.number), "flags", name)
            flag = it.store.flag(name)
            if flag is None:
                _not_allowed(it, at, name, it.store)
                continue
            value = typed(flag.type, written)
            if value is None:
                message = f"`{name}` is a flag of type {flag.type.value}: it takes {EXPECTED[flag.type]}"
                message += f", not {described(written)}"
                it.report.error(*at, message=message, hint=hint_for(flag.type, written), rule=RULE)
                continue
            _idle(it, at, flag, value, given.get(name))
            given[name] = (value, tier)
    _kept(it, it.store)


def _not_allowed(it: Examined, at: Path, name: str, store: DeclaredStore) -> None:
    known = [flag.name for flag in store.flags]
    meant = did_you_mean(name, known)
    message = f"the flag `{name[:100]}` is not on the list of FlagStore `{store.name}`"
    message += f", did you mean `{meant}`?" if meant else ""
    hint = "" if meant else "a ladder changes no flag that its store does not list: add it there"
    it.report.error(*at, message=message, hint=hint, rule=RULE, on_key=True)


def _idle(it: Examined, at: Path, flag: DeclaredFlag, value: FlagValue, before: tuple[FlagValue, Tier] | None) -> None:
    if before is not None and value == before[0]:
        message = f"does nothing: {called(before[1])} sets `{flag.name}` to {shown(value)} already"
        it.report.warning(*at, message=message, hint="a tier adds to those below it: remove it", rule=RULE)
    elif value == flag.normal and before is None:
        message = f"does nothing: {shown(value)} is what `{flag.name}` is at full service"
        it.report.error(*at, message=message, hint="write the value that reduces the service", rule=RULE)
    elif value == flag.normal and before is not None:
        message = f"gives back what {called(before[1])} took: {shown(value)} is `{flag.name}` at full service"
        it.report.warning(*at, message=message, hint="a tier adds to those below it", rule=RULE)


def _kept(it: Examined, store: DeclaredStore) -> None:
    if store.type == "memory" and it.ladder.mode is not Mode.SHADOW:
        message = f"FlagStore `{store.name}` is in memory: no application reads it, and its flags go with the process"
        it.report.warning("spec", "flagStore", message=message, hint="use flagd, unleash or another store", rule=RULE)


def check_shared(all_of_them: Sequence[Examined]) -> None:
    """No flag belongs to two ladders: each would take the other's change for a person's."""
    first: dict[tuple[str, str], Examined] = {}
    for it in all_of_them:
        for name, at in _written(it):
            other = first.setdefault((it.ladder.store, name), it)
            if other is not it:
                message = f"ladder `{other.ladder.name}` writes the flag `{name}`, too"
                hint = f"one flag belongs to one ladder; the other one stands at {other.ladder.source}"
                it.report.error(*at, message=message, hint=hint, rule=SHARED, on_key=True)


def _written(it: Examined) -> Iterable[tuple[str, Path]]:
    """Each flag of a ladder, and where it is written first."""
    found: dict[str, Path] = {}
    for tier in it.ladder.tiers:
        for name, _ in tier.flags:
            found.setdefault(name, (*at_tier(tier.number), "flags", name))
    return found.items()
