"""The rolling pair under an SLO's data policy: what idle time, and time without traffic, is recorded as.

No traffic is five minutes in which the indicator was there and saw no event (a composite: no event of any part). As
`good` or `bad` such a time weighs what five minutes usually do: the mean of the last day's ledger, at least one event;
of what is measured in time, five minutes. The series being gone altogether is no such time, unless `up` says that the
service is there: then it is idle, and had no traffic.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import RecordingRule
from controlplane.model.slo import (
    SLO,
    BoolIndicator,
    Combination,
    CompositeIndicator,
    DataPolicy,
    Indicator,
    NoTraffic,
    RawRatioIndicator,
    ThresholdIndicator,
    TimeslicesIndicator,
)
from slo.indicators.indicator import rolling_records

_MEASURED_IN_TIME: Final = (BoolIndicator, RawRatioIndicator, ThresholdIndicator, TimeslicesIndicator)
_FIVE_MINUTES: Final = 5


def rolling_under_policy(slo: SLO) -> Iterator[RecordingRule]:
    """The rules behind the rolling pair, in the order in which they must be evaluated."""
    records = list(rolling_records(slo))
    if slo.policy.up:
        records = [*records[:-2], *_with_idle(slo, records[-2], records[-1])]
    if slo.policy.no_traffic is NoTraffic.EXCLUDED:
        yield from records
        return
    yield from (_as_measured(record) for record in records)
    yield from _filled(slo)


def is_up(policy: DataPolicy) -> str:
    """A condition that holds while the service is there."""
    return f"(max ({policy.up}) == 1)"


def is_measured_in_time(indicator: Indicator) -> bool:
    """Whether minutes are counted, not events: each weighs the same, whatever its traffic."""
    if isinstance(indicator, CompositeIndicator):
        return indicator.combination is not Combination.BURN_RATES
    return isinstance(indicator, _MEASURED_IN_TIME)


def _with_idle(slo: SLO, every: RecordingRule, bad: RecordingRule) -> Iterator[RecordingRule]:
    """No events while the service is up and its series are not there."""
    idle = f"0 * {is_up(slo.policy)}"
    if slo.groups:
        groups = ", ".join(slo.groups)
        seen = f"max by ({groups}) (max_over_time({_series(names.LEDGER_EVENTS, slo, names.EVENT_ALL)}[1d]) > 0)"
        idle = f"0 * {seen} and on () {is_up(slo.policy)}"
    recorded = _series(names.ROLLING_EVENTS, slo, names.EVENT_ALL)
    yield replace(every, expr=f"{every.expr}\nor\n{idle}")
    yield replace(bad, expr=f"{bad.expr}\nor\n0 * ({_without_event(slo, recorded)} == 0)")


def _as_measured(record: RecordingRule) -> RecordingRule:
    """The pair recorded under another name, because the rolling pair will say more than was measured."""
    name = names.MEASURED_EVENTS if record.record == names.ROLLING_EVENTS else record.record
    return replace(
        record, record=name, expr=record.expr.replace(f"{names.ROLLING_EVENTS}{{", f"{names.MEASURED_EVENTS}{{")
    )


def _filled(slo: SLO) -> Iterator[RecordingRule]:
    keys = ", ".join((names.SLO, *slo.groups))
    every, bad = (_series(names.MEASURED_EVENTS, slo, event) for event in (names.EVENT_ALL, names.EVENT_BAD))
    quiet = f"{every} == 0"
    if is_measured_in_time(slo.indicator):
        filled = f"({quiet}) + {_FIVE_MINUTES}"
    else:
        usual = f"clamp_min(avg_over_time({_series(names.LEDGER_EVENTS, slo, names.EVENT_ALL)}[1d]), 1)"
        filled = f"{usual} and ({quiet})\nor\n({quiet}) + 1"
    yield _record(slo, names.EVENT_ALL, f"{every} > 0\nor\n{filled}")
    if slo.policy.no_traffic is NoTraffic.GOOD:
        yield _record(slo, names.EVENT_BAD, bad)
        return
    rolling = _series(names.ROLLING_EVENTS, slo, names.EVENT_ALL)
    yield _record(
        slo,
        names.EVENT_BAD,
        f"{bad} and on ({keys}) ({every} > 0)\nor\n{rolling} and on ({keys}) ({quiet})",
    )


def _record(slo: SLO, event: str, expr: str) -> RecordingRule:
    return RecordingRule(names.ROLLING_EVENTS, expr, ((names.SLO, slo.name), (names.EVENT, event)))


def _series(name: str, slo: SLO, event: str) -> str:
    return f'{name}{{{names.SLO}="{slo.name}",{names.EVENT}="{event}"}}'


def _without_event(slo: SLO, series: str) -> str:
    """The series with the labels of the user's own expressions only: groups."""
    return f"max by ({', '.join(slo.groups)}) ({series})" if slo.groups else f"max ({series})"
