"""Unit costs as Prometheus rules.

Money and units are paired minute by minute, before anything is summed: a minute counts only where both are known, so
neither a late or silent cost exporter nor a gap in the scrapes makes a unit look cheaper or dearer than it is. Both
ledgers are means of the same five values, so they have the same lag whatever the scrape interval (RULES.md, ideas 1
and 2), and every window is a ratio of sums. Without units there is no value: absent, not infinite, and not zero.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, duration, ledger_entries, number
from controlplane.model.rule import AlertingRule, Labels, RecordingRule, Rule, RuleFile, RuleGroup
from exporters.unit_cost.model import UnitCost
from exporters.unit_cost.queries import attributed_spend, quoted, units_of
from exporters.unit_cost.texts import above_target_annotations, literal, no_units_annotations

_MINUTE: Final = timedelta(minutes=1)
_FIVE_MINUTES: Final = timedelta(minutes=5)
_HOUR: Final = "1h"
_FIRED: Final = "11m"  # more than two evaluations, so that one that is missed ends no alert


def rule_files(unit_costs: Sequence[UnitCost], external_url: str = "") -> tuple[RuleFile, ...]:
    """A rule file for each unit cost; `external_url` is the console's address, empty when it has none."""
    ordered = sorted(unit_costs, key=lambda each: each.name)
    return tuple(_file(each, external_url) for each in ordered)


def _file(unit_cost: UnitCost, external_url: str) -> RuleFile:
    name = f"unit-cost-{unit_cost.name}"
    return RuleFile(
        f"finops-{name}.yaml",
        (
            RuleGroup(f"{name}-minute", _MINUTE, tuple(_minute(unit_cost))),
            RuleGroup(f"{name}-ledger", LEDGER_INTERVAL, tuple(_ledger(unit_cost, external_url))),
        ),
    )


def _minute(unit_cost: UnitCost) -> Iterator[Rule]:
    """The only rules that touch the user's own series, 5 minutes each."""
    own, money, both = _own(unit_cost), _money(unit_cost), _on(unit_cost)
    counted = _series(unit_cost, names.UNIT_COST_COUNTED)
    attributed = _series(unit_cost, names.UNIT_COST_ATTRIBUTED)
    paired = _series(unit_cost, names.UNIT_COST_SPEND_ROLLING)
    yield RecordingRule(names.UNIT_COST_COUNTED, units_of(unit_cost.units, _FIVE_MINUTES, unit_cost.by), own)
    yield RecordingRule(names.UNIT_COST_ATTRIBUTED, attributed_spend(unit_cost), money)
    spend = f"{attributed}\nand {both} {counted}"
    if unit_cost.spread:  # a minute in which something could not be spread would look cheaper than it was
        spend = f'({spend})\nunless on () {attributed[:-1]},{unit_cost.by[0]}=""}}'
    yield RecordingRule(names.UNIT_COST_SPEND_ROLLING, spend, money)
    yield RecordingRule(names.UNIT_COST_UNITS_ROLLING, f"{counted}\nand {both} {paired}", own)
    yield RecordingRule(names.UNIT_COST_UNPAIRED_ROLLING, f"{attributed}\nunless {both} {paired}", money)


def _ledger(unit_cost: UnitCost, external_url: str) -> Iterator[Rule]:
    own, money = _own(unit_cost), _money(unit_cost)
    for ledger, rolling, labels in (
        (names.UNIT_COST_SPEND_LEDGER, names.UNIT_COST_SPEND_ROLLING, money),
        (names.UNIT_COST_UNITS_LEDGER, names.UNIT_COST_UNITS_ROLLING, own),
        (names.UNIT_COST_UNPAIRED_LEDGER, names.UNIT_COST_UNPAIRED_ROLLING, money),
    ):
        yield RecordingRule(ledger, f"avg_over_time({_series(unit_cost, rolling)}[5m])", labels)
    for window in sorted({*unit_cost.windows, unit_cost.alert.short, unit_cost.alert.long}):
        length = duration(window)
        yield RecordingRule(names.unit_cost_ratio(length), _ratio(unit_cost, length), money)
        entries = f"count_over_time({_series(unit_cost, names.UNIT_COST_UNITS_LEDGER)}[{length}])"
        yield RecordingRule(
            names.unit_cost_coverage(length), f"clamp_max({entries} / {ledger_entries(window)}, 1)", own
        )
    judged = names.unit_cost_ratio(duration(unit_cost.alert.long))
    yield RecordingRule(names.UNIT_COST_RATIO, _series(unit_cost, judged), money)
    yield RecordingRule(names.UNIT_COST_INFO, "vector(1)", (*money, *_described(unit_cost)))
    yield from _target(unit_cost, external_url)
    if unit_cost.no_units:
        yield _no_units(unit_cost, external_url)


def _ratio(unit_cost: UnitCost, length: str) -> str:
    """Money for `per` units; absent where there were none."""
    spend = f"sum_over_time({_series(unit_cost, names.UNIT_COST_SPEND_LEDGER)}[{length}])"
    units = f"sum_over_time({_series(unit_cost, names.UNIT_COST_UNITS_LEDGER)}[{length}])"
    return f"{spend} * {number(unit_cost.per)}\n/ ignoring ({names.CURRENCY})\n({units} > 0)"


def _target(unit_cost: UnitCost, external_url: str) -> Iterator[Rule]:
    if unit_cost.target is None:
        return
    money, long = _money(unit_cost), duration(unit_cost.alert.long)
    target = number(unit_cost.target)
    yield RecordingRule(names.UNIT_COST_TARGET, f"vector({target})", money)
    spend = f"sum_over_time({_series(unit_cost, names.UNIT_COST_SPEND_LEDGER)}[{long}])"
    units = f"sum_over_time({_series(unit_cost, names.UNIT_COST_UNITS_LEDGER)}[{long}])"
    excess = f"{spend}\n- ignoring ({names.CURRENCY})\n{units} * {target} / {number(unit_cost.per)}"
    yield RecordingRule(names.UNIT_COST_EXCESS, excess, money)
    yield AlertingRule(
        names.ALERT_UNIT_COST,
        _above(unit_cost),
        _alert_labels(unit_cost, unit_cost.alert.urgency.value),
        above_target_annotations(unit_cost, external_url),
        unit_cost.alert.hold,
    )


def _above(unit_cost: UnitCost) -> str:
    """Above the target over both windows, and worth somebody's time; once told, until it is clearly below."""
    alert, target = unit_cost.alert, unit_cost.target
    assert target is not None
    long, short = (_series(unit_cost, names.unit_cost_ratio(duration(each))) for each in (alert.long, alert.short))
    excess = f"{_series(unit_cost, names.UNIT_COST_EXCESS)} >= {number(alert.least_excess)}"
    limit, kept = number(target), number(target * alert.keep)
    fired = (
        f"last_over_time(ALERTS{{alertname={quoted(names.ALERT_UNIT_COST)},"
        f'{names.UNIT_COST}={quoted(unit_cost.name)},alertstate="firing"}}[{_FIRED}])'
    )
    return (
        f"(\n  {long} > {limit}\n  and {short} > {limit}\n  and {excess}\n)\nor\n"
        f"(\n  {long} > {kept}\n  and {short} > {kept}\n  and {_on(unit_cost)} {fired}\n)"
    )


def _no_units(unit_cost: UnitCost, external_url: str) -> AlertingRule:
    """Money of the last hour of which nothing came: units of zero, or none known at all."""
    assert unit_cost.no_units
    paired = f"sum_over_time({_series(unit_cost, names.UNIT_COST_SPEND_LEDGER)}[{_HOUR}])"
    units = f"sum_over_time({_series(unit_cost, names.UNIT_COST_UNITS_LEDGER)}[{_HOUR}])"
    unpaired = f"sum_over_time({_series(unit_cost, names.UNIT_COST_UNPAIRED_LEDGER)}[{_HOUR}])"
    both = f"(\n  {paired} + {unpaired}\n  or {paired}\n  or {unpaired}\n)"
    expr = f"{both} > {number(unit_cost.no_units.floor_per_hour)}\nunless {_on(unit_cost)} {units} > 0"
    labels = _alert_labels(unit_cost, names.SEVERITY_TICKET)
    annotations = no_units_annotations(unit_cost, external_url)
    return AlertingRule(names.ALERT_NO_UNITS, expr, labels, annotations, unit_cost.no_units.hold)


def _series(unit_cost: UnitCost, name: str) -> str:
    return f"{name}{{{names.UNIT_COST}={quoted(unit_cost.name)}}}"


def _on(unit_cost: UnitCost) -> str:
    return f"on ({', '.join(unit_cost.by)})"


def _own(unit_cost: UnitCost) -> Labels:
    return ((names.UNIT_COST, unit_cost.name),)


def _money(unit_cost: UnitCost) -> Labels:
    return (*_own(unit_cost), (names.CURRENCY, unit_cost.currency))


def _described(unit_cost: UnitCost) -> Labels:
    found = (("unit", unit_cost.units.what), ("per", number(unit_cost.per)), ("owner", unit_cost.owner))
    return tuple((key, value) for key, value in found if value)


def _alert_labels(unit_cost: UnitCost, severity: str) -> Labels:
    """Its own, and the service where it is about one, so that alerts find the people of that service."""
    taken = {names.UNIT_COST, names.CURRENCY, names.SEVERITY, *unit_cost.by}
    service = dict(unit_cost.scope).get(names.SERVICE, ())
    ours = {names.SEVERITY: severity}
    if len(service) == 1 and service[0] and names.SERVICE not in taken:
        ours[names.SERVICE] = literal(service[0])
    theirs = {key: literal(value) for key, value in unit_cost.labels if key not in taken}
    return tuple((theirs | ours).items())
