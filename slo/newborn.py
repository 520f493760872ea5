"""Error counters that are born with their first error: what they show at birth is counted too.

`increase` needs two samples, so it misses the value with which a series begins: the first error of every route, code
and pod. A series that was not there 5 minutes ago is taken as it stands instead, if it was truly born: its target must
have kept at least one series of all events over these 5 minutes. So targets that were down, and series that only got
another name or label, are left out, and so is what carries no `instance`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from slo.event_query import EventQuery, aggregated
from slo.promql_text import Selector

_TARGET: Final = "job, instance"
_HAS_TARGET: Final = 'instance!=""'


def counts_births(slo: SLO) -> bool:
    """Whoever asks for burn-rate alerts wants to be told when other tools would tell them, and these miss births."""
    return slo.alerting.method is AlertMethod.BUDGET


def events_since_birth(bad: EventQuery, total: EventQuery, window: timedelta, by: Sequence[str]) -> str | None:
    """The bad events of `window`, those at birth included; None when the queries are no plain counters each."""
    if not bad.counter or not total.counter:
        return None
    length, counter = duration(window), bad.counter
    alive = _with_target(total.selectors[0], total.counter)
    before = f"{total.counter} offset {length}"
    born = f"{counter} unless {counter} offset {length}\n    and on ({_TARGET}) ({alive} and {before})"
    return f"{aggregated('sum', by)} (\n  ({born})\n  or increase({counter}[{length}])\n)"


def _with_target(selector: Selector, text: str) -> str:
    if selector.brace is None:
        return f"{text}{{{_HAS_TARGET}}}"
    inside = text[len(selector.name) + 1 :] if text.startswith(f"{selector.name}{{") else ""
    if not inside:
        return text
    return f"{selector.name}{{{_HAS_TARGET}{',' if selector.matchers else ''}{inside}"
