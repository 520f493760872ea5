"""What happens to the recorded past: the ledger knows an SLO by its name and its groups, and by nothing else.

A renamed service or another label therefore costs no history, but alerts carry it: routes and silences may miss them.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane import wording
from controlplane.burn_rate import LEDGER_INTERVAL, duration
from controlplane.model.slo import SLO

Ask = Callable[[str], float | None]
"""The largest value that a query gives now; None when there is none, or nobody to ask."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HistoryBreak:
    """History that the budget no longer sees, or sees with another meaning.

    `days` is how much of it there is, None when no rule engine was asked. `kept` when the change keeps it. `way_out`
    says what to do.
    """

    reason: str
    days: float | None
    kept: bool
    way_out: str


def renamed(removed: Sequence[SLO], added: Sequence[SLO]) -> dict[str, str]:
    """New names to old ones: as declared, or because exactly one SLO goes and one comes with the same indicator."""
    gone = {slo.name for slo in removed}
    found = {slo.name: earlier for slo in added for earlier in slo.renamed_from if earlier in gone}
    left = [slo for slo in removed if slo.name not in found.values()]
    by_indicator: dict[object, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for slo in left:
        by_indicator[(slo.indicator, slo.groups)][0].append(slo.name)
    for slo in added:
        if slo.name not in found and (slo.indicator, slo.groups) in by_indicator:
            by_indicator[(slo.indicator, slo.groups)][1].append(slo.name)
    for old, new in by_indicator.values():
        if len(old) == len(new) == 1:
            found[new[0]] = old[0]
    return found


def breaks(before: SLO, after: SLO, *, ask: Ask, keep: bool) -> tuple[HistoryBreak, ...]:
    """What of the past of `before` is lost to `after`."""
    found = []
    days = _days(before, after.window.length, ask)
    if before.name != after.name:
        kept = keep or before.name in after.renamed_from
        reason = f"the past is recorded under the name {before.name}"
        way_out = (
            f"write the annotation {names.ANNOTATION_RENAMED_FROM}: {before.name}, "
            "or copy it once with `flyball apply --keep-history`"
        )
        found.append(HistoryBreak(reason, days, kept, "" if kept else way_out))
    if before.groups != after.groups:
        old, new = (", ".join(slo.groups) or "nothing" for slo in (before, after))
        reason = f"the past is recorded per {old}, from now on per {new}"
        length = wording.duration(after.window.length)
        way_out = f"budgets begin anew: until {length} have passed, coverage says how much of the window they see"
        found.append(HistoryBreak(reason, days, False, way_out))
    if before.indicator != after.indicator:
        reason = "the past was counted by the old indicator"
        way_out = (
            f"for {wording.duration(after.window.length)} the budget mixes both; "
            "give the SLO a new name for a budget that begins anew"
        )
        found.append(HistoryBreak(reason, days, False, way_out))
    return tuple(found)


def consequences(before: SLO, after: SLO) -> tuple[str, ...]:
    """What else a change of names means."""
    found = []
    if before.service != after.service:
        found.append(
            f'alerts carry {names.SERVICE}="{after.service}": routes, silences and dashboards that look for '
            f'"{before.service}" miss them; the history stays'
        )
    old, new = dict(before.labels), dict(after.labels)
    for label in sorted(old.keys() - new.keys()):
        found.append(f'alerts no longer carry {label}="{old[label]}": routes and silences that look for it miss them')
    if before.name != after.name:
        found.append(f'routes, silences and dashboards that look for {names.SLO}="{before.name}" miss {after.name}')
    return tuple(found)


def _days(slo: SLO, length: timedelta, ask: Ask) -> float | None:
    series = f'{names.LEDGER_EVENTS}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_ALL}"}}'
    entries = ask(f"max(count_over_time({series}[{duration(length)}]))")
    return None if entries is None else entries * (LEDGER_INTERVAL / _DAY)


def by_name(slos: Sequence[SLO]) -> Mapping[str, SLO]:
    """SLOs by name."""
    return {slo.name: slo for slo in slos}
