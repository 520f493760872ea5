"""A drill that writes nothing: would every step up to a tier find its flags, and are the journeys green now?"""

from dataclasses import dataclass
from datetime import datetime

from controlplane.model.check import CheckResult
from controlplane.model.ladder import FlagValue, LadderState
from finops.ladder.acting import plan
from finops.ladder.acting.act import differing, shown
from finops.ladder.acting.flag_calls import StoreDown, StoreRefused, calling
from finops.ladder.acting.hands import same
from finops.ladder.acting.journal import kept
from finops.ladder.acting.stepper import Stepper
from finops.ladder.model import Ladder


@dataclass(frozen=True, slots=True)
class RehearsedFlag:
    """One change that a drill would make. `seen_by_clients` is what an application gets now."""

    tier: int
    flag: str
    present: FlagValue | None
    after: FlagValue
    seen_by_clients: FlagValue | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a drill up to `to_tier` would meet. `problems` would have stopped it; none: it may be ordered."""

    ladder: str
    from_tier: int
    to_tier: int
    flags: tuple[RehearsedFlag, ...]
    journeys: tuple[CheckResult, ...]
    problems: tuple[str, ...]


def rehearse(stepper: Stepper, ladder: Ladder, to_tier: int, now: datetime) -> Rehearsal:
    """Read, compare, walk the journeys of all those tiers. Writes neither into the flag store nor into the database."""
    state = stepper.journal(ladder.name, ladder, None).state()
    present = state.tier if state else 0
    problems = []
    flags: tuple[RehearsedFlag, ...] = ()
    if why := stepper.is_killed():
        problems.append(f"the kill switch is set: {why}")
    try:
        flags, found = _flags(stepper, ladder, state, to_tier)
        problems += [*found, *(each.problem for each in flags if each.problem)]
    except (StoreDown, StoreRefused) as error:
        problems.append(f"flag store {ladder.store}: {error}")
    names = tuple(dict.fromkeys(name for tier in ladder.tiers[present:to_tier] for name in tier.journeys))
    walked = tuple(stepper.journeys.run(names, now)) if names else ()
    problems += [f"journey {each.check}: {each.detail or each.reason}" for each in walked if each.outcome.value != "ok"]
    return Rehearsal(ladder.name, present, to_tier, flags, walked, tuple(problems))


def _flags(
    stepper: Stepper, ladder: Ladder, state: LadderState | None, to_tier: int
) -> tuple[tuple[RehearsedFlag, ...], list[str]]:
    changes = plan.changes_up(ladder, state.tier if state else 0, to_tier, kept(state))
    forced = plan.in_force(state)
    with calling(), stepper.open_store(ladder.store) as opened:
        calls = stepper.act(opened, ladder.store, stepper.journal(ladder.name, ladder, None)).flags
        wanted = {change.flag: change.after for change in changes}
        found = calls.read({**wanted, **forced})
        seen = calls.shown(wanted)
        declared = calls.declared
    changed = {flag: value for flag, value in forced.items() if not same(found[flag].value, value)}
    told = [differing(changed, {flag: found[flag].value for flag in changed})] if changed else []
    flags = []
    for change in changes:
        value = found[change.flag].value
        problem = ""
        if value is None:
            problem = f"flag store {ladder.store} has no flag {change.flag}"
        elif change.flag not in declared:
            problem = f"{change.flag} is not on the allow-list of flag store {ladder.store}"
        elif type(value) is not type(change.after):
            problem = f"flag {change.flag} is {shown(value)}, which is not of the type of {shown(change.after)}"
        flags.append(RehearsedFlag(change.tier, change.flag, value, change.after, seen.get(change.flag), problem))
    return tuple(flags), told
