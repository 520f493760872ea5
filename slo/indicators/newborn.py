"""Error counters that are born with their first error: what they show at birth is counted too.

`increase` needs two samples, so it misses the value with which a series begins: the first error of every route, code
and pod. A series that was not there 5 minutes ago is taken as it stands instead, if it was truly born: its target must
have kept at least one series of all events over these 5 minutes. So targets that were down, and series that only got
another name or label, are left out, and so is what carries no `instance`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from slo.promql.event_query import EventQuery, aggregated
from slo.promql.promql_text import Selector

_TARGET: Final = "job, instance"
_HAS_TARGET: Final = 'instance!=""'


def counts_births(slo: SLO) -> bool:
    """Whoever asks for burn-rate alerts wants to be told when other tools would tell them, and these miss births."""
    return slo.alerting.method is AlertMethod.BUDGET


@dataclass(frozen=True, slots=True)
class Births:
    """Bad events in PromQL: `whole` counts them with those at birth, `grown` without. They say the same where
    `appearing` (how many series were not there a window ago) is absent; it costs a fifth of `whole`.
    """

    whole: str
    grown: str
    appearing: str


def births_among(bad: EventQuery, total: EventQuery, window: timedelta, by: Sequence[str]) -> Births | None:
    """The bad events of `window`; None when the queries are no plain counters each."""
    if not bad.counter or not total.counter:
        return None
    length, counter = duration(window), bad.counter
    alive = _with_target(total.selectors[0], total.counter)
    before = f"{total.counter} offset {length}"
    new, grown = f"{counter} unless {counter} offset {length}", f"increase({counter}[{length}])"
    born = f"{new}\n    and on ({_TARGET}) ({alive} and {before})"
    summed = aggregated("sum", by)
    return Births(f"{summed} (\n  ({born})\n  or {grown}\n)", f"{summed} ({grown})", f"count ({new})")


def _with_target(selector: Selector, text: str) -> str:
    if selector.brace is None:
        return f"{text}{{{_HAS_TARGET}}}"
    inside = text[len(selector.name) + 1 :] if text.startswith(f"{selector.name}{{") else ""
    if not inside:
        return text
    return f"{selector.name}{{{_HAS_TARGET}{',' if selector.matchers else ''}{inside}"
