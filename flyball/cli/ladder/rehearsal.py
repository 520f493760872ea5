"""`flyball ladder drill --dry-run`: what a drill would change, and whether its journeys are green, without a write."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail, one_or_exit, values_or_exit
from flyball.cli.ladder.opening import now, printed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from controlplane.model.check import CheckResult
    from controlplane.model.event import JSON
    from controlplane.model.ladder import FlagValue, LadderState
    from controlplane.store import SqlStore
    from finops.flags.model import DeclaredStore, FlagState
    from finops.ladder.model import Ladder, Tier
    from finops.ladder.orders import Target


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One flag of a drill: what it is, and what its tier would make of it. `problem` says why that would fail."""

    tier: int
    flag: str
    present: "FlagValue | None"
    after: "FlagValue"
    problem: str = ""


def rehearse(store: "SqlStore", target: "Target", folder: Path, to: int, *, as_json: bool) -> None:
    """Read every flag up to a tier and walk the journeys of the tiers; ends with 1 when a drill would fail now."""
    from finops.ladder.orders import check_rehearsal

    ladder = target.ladder
    with store.transaction(read_only=True) as transaction:
        state = transaction.ladders.state(target.name)
    check_rehearsal(target, state, to)
    assert ladder is not None
    tiers = ladder.tiers[state.tier if state else 0 : to]
    flags = _flags(ladder, state, tiers, folder)
    journeys = _journeys(folder, list(dict.fromkeys(name for tier in tiers for name in tier.journeys)))
    failed = any(each.problem for each in flags) or any(result.outcome.value != "ok" for result in journeys)
    printed(_data(target.name, to, flags, journeys), _text(flags, journeys), as_json=as_json)
    if failed:
        raise typer.Exit(ExitCode.PROBLEMS)


def _flags(ladder: "Ladder", state: "LadderState | None", tiers: "tuple[Tier, ...]", folder: Path) -> "list[Rehearsed]":
    declared = _declared_store(folder, ladder.store)
    seen = _read(declared, folder, sorted({flag for tier in ladder.tiers for flag, _ in tier.flags}))
    ours = {change.flag: change.after for each in (state.applied if state else ()) for change in each.changes}
    problems = {
        flag: _problem(flag, seen, ours) for flag in {flag for tier in tiers for flag, _ in tier.flags} | set(ours)
    }
    rows = [
        Rehearsed(tier.number, flag, seen[flag].value if flag in seen else None, value, problems[flag])
        for tier in tiers
        for flag, value in tier.flags
    ]
    shown = {row.flag for row in rows}
    return rows + [
        Rehearsed(0, flag, seen[flag].value if flag in seen else None, value, problems[flag])
        for flag, value in ours.items()
        if problems[flag] and flag not in shown
    ]


def _problem(flag: str, seen: "Mapping[str, FlagState]", ours: "Mapping[str, FlagValue]") -> str:
    found = seen[flag].value if flag in seen else None
    if found is None:
        return "the store has no such flag"
    if flag in ours and (type(found), found) != (type(ours[flag]), ours[flag]):
        return f"somebody changed it: the ladder had set {_shown(ours[flag])}"
    return ""


def _declared_store(folder: Path, name: str) -> "DeclaredStore":
    from finops.flags.declared import declared
    from finops.flags.kinds import KINDS

    return one_or_exit({each.name: each for each in values_or_exit(folder, declared, KINDS)}, name, "FlagStore")


def _read(declared: "DeclaredStore", folder: Path, flags: list[str]) -> "Mapping[str, FlagState]":
    from controlplane.adapters.clock import SystemClock
    from controlplane.ports import Permanent, Transient
    from finops.flags.adapters.opening import open_declared
    from flyball.settings import variables_of

    names = {value for _, value in declared.options if value.isupper()}
    known = [flag for name in flags if (flag := declared.flag(name)) is not None]
    try:
        opened = open_declared(declared, folder=folder, variables=variables_of(names), clock=SystemClock())
        try:
            return opened.store.read(known)
        finally:
            opened.close()
    except (Transient, Permanent) as error:
        fail(f"flyball ladder: {error}", ExitCode.OUTSIDE)


def _journeys(folder: Path, names: list[str]) -> "list[CheckResult]":
    from secrets import token_bytes

    from controlplane.adapters.clock import SystemClock
    from controlplane.specfile import Declared
    from flyball.cli.settings import settings_or_exit
    from flyball.ladder.journeys import DeclaredJourneys
    from flyball.synthetics.declared import KINDS, checks_of
    from flyball.synthetics.region_checks import RegionChecks

    if not names:
        return []
    checks = settings_or_exit(folder).checks
    (declared,) = values_or_exit(
        folder, lambda documents: Declared((checks_of(documents)[0],), checks_of(documents)[1]), KINDS
    )
    maker = RegionChecks(checks.region, folder, checks.directory / "artifacts", token_bytes)
    return DeclaredJourneys(lambda: declared, maker, SystemClock()).run(names, now())


def _text(flags: list[Rehearsed], journeys: "list[CheckResult]") -> str:
    from finops.ladder.lines import table

    rows = [
        (str(each.tier or "in force"), each.flag, _shown(each.present), _shown(each.after), each.problem or "ok")
        for each in flags
    ]
    lines = ["Nothing is written. A drill would set:", *table(("TIER", "FLAG", "IS", "WOULD BE", ""), rows)]
    if journeys:
        said = [(each.check, each.outcome.value, f"{each.duration_seconds:.1f} s", each.detail) for each in journeys]
        lines += ["", "Its journeys, walked now:", *table(("JOURNEY", "IS", "TOOK", ""), said)]
    return "\n".join(lines)


def _data(name: str, to: int, flags: list[Rehearsed], journeys: "list[CheckResult]") -> "dict[str, JSON]":
    return {
        "ladder": name,
        "to": to,
        "flags": [
            {"tier": each.tier, "flag": each.flag, "is": each.present, "would_be": each.after, "problem": each.problem}
            for each in flags
        ],
        "journeys": [
            {"journey": each.check, "outcome": each.outcome.value, "reason": each.reason, "detail": each.detail}
            for each in journeys
        ],
    }


def _shown(value: "FlagValue | None") -> str:
    return "absent" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
