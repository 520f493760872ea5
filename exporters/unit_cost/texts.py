"""What the alerts of unit costs say: what happened, what it means, what to do next."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, number
from controlplane.model.rule import Labels
from controlplane.wording import duration as in_words
from exporters.unit_cost.model import UnitCost
from exporters.unit_cost.queries import quoted

_HUNDRED: Final = 100
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


def above_target_annotations(unit_cost: UnitCost, external_url: str) -> Labels:
    """Of the alert that a unit costs more than it may."""
    target, alert = unit_cost.target, unit_cost.alert
    assert target is not None
    form = "%.3g" if target < _HUNDRED else "%.0f"  # from a million on, %g writes exponents
    so_many, money = so_many_units(unit_cost), literal(unit_cost.currency)
    summary = (
        f"{_whose(unit_cost)}: {_value(form)} {money} for {so_many} in the last {_last(alert.long)}; "
        f"the target is {number(target)} {money}"
    )
    recent = _looked_up(unit_cost, names.unit_cost_ratio(duration(alert.short)), form)
    excess = _looked_up(unit_cost, names.UNIT_COST_EXCESS, "%.2f")
    description = (
        f"In the last {_last(alert.short)}: {recent} {money}. The last {_last(alert.long)} cost {excess} {money} more "
        f"than the target allows for what was done. Either it became dearer (price, size, idle replicas), or there "
        f"was less to do for the same money."
    )
    found = (
        (names.SUMMARY, summary),
        (names.DESCRIPTION, description),
        (names.EXPLAIN, f"flyball cost unit {unit_cost.name} --since 7d"),
        *_links(unit_cost, external_url),
    )
    return tuple(found)


def no_units_annotations(unit_cost: UnitCost, external_url: str) -> Labels:
    """Of the alert that money is spent and nothing comes of it."""
    money, what = literal(unit_cost.currency), literal(unit_cost.units.what)
    summary = f"{_whose(unit_cost)}: {_value('%.2f')} {money} in the last hour, and no {what}"
    description = (
        f"Money is spent and no {what} are counted for it, so there is no unit cost to show. Either nothing is done "
        f"(scale it down), or the metric that counts is gone (look at its scrape target)."
    )
    explain = (names.EXPLAIN, f"flyball cost unit {unit_cost.name} --since 1d")
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description), explain, *_links(unit_cost, external_url))


def so_many_units(unit_cost: UnitCost) -> str:
    """`1,000 ingested events`."""
    return f"{grouped(unit_cost.per)} {literal(unit_cost.units.what)}"


def grouped(value: Decimal) -> str:
    """A number with commas between thousands, without trailing zeros."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _last(length: timedelta) -> str:
    """What follows `the last`: `day`, `hour`, `3 d`."""
    return {_DAY: "day", _HOUR: "hour"}.get(length) or in_words(length)


def _whose(unit_cost: UnitCost) -> str:
    groups = ", ".join(f"{label}={{{{ $labels.{label} }}}}" for label in unit_cost.by)
    name = literal(unit_cost.display_name or unit_cost.name)
    return f"{name}, {groups}" if groups else name


def _value(form: str) -> str:
    """A template action that shows what the alert's expression gave."""
    return f'{{{{ $value | printf "{form}" }}}}'


def _looked_up(unit_cost: UnitCost, series: str, form: str) -> str:
    """A template action that shows the value of one of our series for the same group, or `?`."""
    chosen = "".join(f",{label}=%q" for label in unit_cost.by)
    values = "".join(f" $labels.{label}" for label in unit_cost.by)
    query = f"{series}{{{names.UNIT_COST}={quoted(unit_cost.name)}{chosen}}}"
    asked = f"printf `{query}`{values}" if unit_cost.by else f"`{query}`"
    asked = f"({asked})" if unit_cost.by else asked
    shown = f'{{{{ . | first | value | printf "{form}" }}}}'
    return f"{{{{ with query {asked} }}}}{shown}{{{{ else }}}}?{{{{ end }}}}"


def _links(unit_cost: UnitCost, external_url: str) -> Iterator[tuple[str, str]]:
    page = f"{external_url.rstrip('/')}/money/unit-costs/{unit_cost.name}" if external_url else ""
    runbook = literal(unit_cost.runbook_url) or (f"{page}#runbook" if page else "")
    if runbook:
        yield names.RUNBOOK_URL, runbook
    if page:
        yield names.DASHBOARD_URL, page


def literal(text: str) -> str:
    """A user's text inside of a template: nothing in it is an action."""
    return text.replace("{{", '{{ "{{" }}')
