"""Two manifests to a plan: which SLOs come, go and change, what that means, and what it costs.

Manifests are compared as texts, so that of 10,000 SLOs only those that differ are looked at.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.model.slo import SLO
from controlplane.model.source import SourcePosition
from slo.compiler import CompileOptions, is_usual, rule_file, shard_size
from slo.manifest import slo_of
from slo.passes import Subject
from slo.plan.changes import Change, changes
from slo.plan.cost import NO_COST, Cost, Samples, cost_of, rolling_expression, total
from slo.plan.history import Ask, HistoryBreak, breaks, by_name, consequences, renamed

MOST_COSTED: Final = 400  # more changes than that are costed by the mean of so many


class Kind(Enum):
    """What happens to an SLO."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class SLOChange:
    """One SLO. `earlier_name` is set when it is renamed; `position` is None when the files no longer have it."""

    kind: Kind
    name: str
    service: str
    earlier_name: str = ""
    position: SourcePosition | None = None
    details: tuple[Change, ...] = ()
    consequences: tuple[str, ...] = ()
    breaks: tuple[HistoryBreak, ...] = ()
    before: Cost = NO_COST
    after: Cost = NO_COST
    slo: SLO | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Side:
    """The SLOs of one side as lines, whether the workspace is so large that they share rules, how many of each window
    may.
    """

    lines: Sequence[str]
    shared: bool
    sharing: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change. `costed` is how many of the changes the costs were estimated from, all of them as a rule."""

    changes: tuple[SLOChange, ...]
    unchanged: int
    before: Cost
    after: Cost
    costed: int
    shards: tuple[int, int] = (0, 0)

    def of(self, kind: Kind) -> int:
        """How many SLOs of a kind."""
        return sum(change.kind is kind for change in self.changes)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What planning asks: a rule engine (`ask`, `samples` give None without one), and where SLOs stand in files."""

    options: CompileOptions
    ask: Ask
    samples: Samples
    position: Callable[[str], SourcePosition | None]
    keep_history: bool = False
    most_costed: int = MOST_COSTED


def plan(before: Side, after: Side, around: Surroundings) -> Plan:
    """What differs between what was applied (`before`) and what the files say (`after`). Raises ValueError for lines
    that are no SLOs.
    """
    old, new = set(before.lines), set(after.lines)
    gone = by_name([slo_of(line) for line in sorted(old - new)])
    come = by_name([slo_of(line) for line in sorted(new - old)])
    found = list(_changes(gone, come, around))
    costed = [_with_cost(change, gone, before, after, around) for change in found[: around.most_costed]]
    scale = len(found) / len(costed) if costed else 1
    listed = (*costed, *found[around.most_costed :])
    shards = (_shards(before), _shards(after))
    shared = _shared_cost(come or gone, around) if shards[0] != shards[1] else NO_COST
    return Plan(
        listed,
        len(old & new),
        _scaled(total(each.before for each in costed), scale),
        _scaled(total(each.after for each in costed), scale) + Cost((shards[1] - shards[0]) * shared.rules),
        len(costed),
        shards,
    )


def _changes(gone: Mapping[str, SLO], come: Mapping[str, SLO], around: Surroundings) -> Iterator[SLOChange]:
    removed = [slo for name, slo in gone.items() if name not in come]
    added = [slo for name, slo in come.items() if name not in gone]
    earlier = renamed(removed, added)
    went = set(earlier.values())
    for name in sorted(gone.keys() | come.keys()):
        slo = come.get(name)
        if slo is None:
            if name not in went:
                yield SLOChange(Kind.REMOVED, name, gone[name].service, slo=gone[name])
            continue
        was = gone.get(earlier.get(name, name))
        if was is None:
            yield SLOChange(Kind.ADDED, name, slo.service, position=around.position(name), slo=slo)
            continue
        yield SLOChange(
            Kind.CHANGED if was.name == name else Kind.RENAMED,
            name,
            slo.service,
            "" if was.name == name else was.name,
            around.position(name),
            tuple(each for each in changes(was, slo) if each.field != "renamed_from"),
            consequences(was, slo),
            breaks(was, slo, ask=around.ask, keep=around.keep_history),
            slo=slo,
        )


def _with_cost(
    change: SLOChange, gone: Mapping[str, SLO], before: Side, after: Side, around: Surroundings
) -> SLOChange:
    was = gone.get(change.earlier_name or change.name)
    now = change.slo if change.kind is not Kind.REMOVED else None
    return replace(
        change,
        before=_cost(was, before.shared, around) if was else NO_COST,
        after=_cost(now, after.shared, around) if now else NO_COST,
    )


def _cost(slo: SLO, shared: bool, around: Surroundings) -> Cost:
    shard = f"{duration(slo.window.length)}-000" if shared and is_usual(slo) else ""
    file = rule_file(Subject((slo,), around.options.links, shard))
    budgets = 1
    if slo.groups:
        live = f'{names.ROLLING_EVENTS}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_ALL}"}}'
        counted = around.ask(f"count({live})") or around.ask(f"count({rolling_expression(file, slo.name)})")
        budgets = max(1, round(counted or 1))
    return cost_of(file, budgets=budgets, samples=around.samples, only=slo.name if shard else "")


def _shared_cost(slos: Mapping[str, SLO], around: Surroundings) -> Cost:
    """The rules that a shard has besides those written for each of its SLOs."""
    usual = next((slo for slo in slos.values() if is_usual(slo)), None)
    if usual is None:
        return NO_COST
    file = rule_file(Subject((usual,), around.options.links, f"{duration(usual.window.length)}-000"))
    return Cost(cost_of(file).rules - cost_of(file, only=usual.name).rules)


def _shards(side: Side) -> int:
    if not side.shared:
        return 0
    return sum(math.ceil(count / shard_size(_length(window))) for window, count in side.sharing.items())


def _length(window: str) -> timedelta:
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    return timedelta(**{units[window[-1]]: int(window[:-1])})


def _scaled(cost: Cost, scale: float) -> Cost:
    return Cost(
        round(cost.rules * scale), round(cost.series * scale), cost.samples_per_minute * scale, cost.own_samples
    )
