"""The PromQL of a unit cost: its money and its units, over any time and split by any labels."""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import promql_parser

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.promql import PLACEHOLDER, check_promql, with_window
from exporters.unit_cost.model import UnitCost, Units

_FIVE_MINUTES: Final = timedelta(minutes=5)
_PART: Final = "__part"  # keeps what is spread apart from what a value has of its own until both are summed
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")


def units_of(units: Units, window: timedelta, by: Sequence[str]) -> str:
    """The units of a window that ends now, one series for each combination of the labels `by`; never NaN.

    Counters are read by `rate`, so that resets and the edges of the window are taken care of as everywhere.
    """
    length = duration(window)
    if units.counter:
        inner = f"rate({units.counter}[{length}])"
        return f"{_sum(by)} ({inner}) * {window // timedelta(seconds=1)} >= 0"
    return f"{_sum(by)} ({with_window(units.query, length)}) >= 0"


def attributed_spend(unit_cost: UnitCost) -> str:
    """The money of the last 5 minutes by who has it.

    With a key to spread by, money without a value of the label is spread over its values; while there are no weights
    it keeps none, so that nobody gets it and everybody can see it.
    """
    matchers = _matchers(unit_cost)
    if unit_cost.spread is None:
        return f"{_sum(unit_cost.by)} ({names.SPEND_ROLLING}{{{matchers}}})"
    (label,) = unit_cost.by
    weights = (
        f"{units_of(unit_cost.spread, _FIVE_MINUTES, unit_cost.by)} unless on ({label}) vector(0)"  # no value, no part
    )
    some = f'{label}!=""'
    own = f"sum by ({label}) ({names.SPEND_ROLLING}{{{matchers},{some}}})"
    nobodys = f'sum ({names.SPEND_ROLLING}{{{matchers},{label}=""}})'
    whole = f"(sum ({weights}) > 0)"
    given = f"({weights})\n    / on () group_left () {whole}\n    * on () group_left () {nobodys}"
    return (
        f"sum by ({label}) (\n  {own}\n  or on ({label}, {_PART})\n"
        f'  label_replace(\n    {given},\n    "{_PART}", "spread", "", ""\n  )\n'
        f"  or on ({label}, {_PART})\n  ({nobodys} unless on () {whole})\n)"
    )


def _matchers(unit_cost: UnitCost) -> str:
    """Label matchers for live spend: the currency, and any of the scope's values by label."""
    chosen = (_matcher(label, values) for label, values in unit_cost.scope)
    return ",".join((f"{names.CURRENCY}={quoted(unit_cost.currency)}", *chosen))


def _matcher(label: str, values: Sequence[str]) -> str:
    if len(values) == 1:
        return f"{label}={quoted(values[0])}"
    return f"{label}=~{quoted('|'.join(_escaped(value) for value in values))}"


def quoted(text: str) -> str:
    """A PromQL string."""
    return json.dumps(text, ensure_ascii=False)


def _escaped(text: str) -> str:
    """A text as a regular expression (RE2) that matches nothing else."""
    return _SPECIAL.sub(lambda found: "\\" + found.group(), text)


def _sum(by: Sequence[str]) -> str:
    return f"sum by ({', '.join(by)})" if by else "sum"


def counter_fault(text: str) -> str:
    """Why a text is no plain selector of counters; empty when it is one. Its syntax is known to be right."""
    parsed = None if PLACEHOLDER.search(text) else promql_parser.parse(text)
    if not isinstance(parsed, promql_parser.VectorSelector):
        return "not a plain selector of counters"
    if parsed.offset is not None or parsed.at is not None:
        return "a counter takes no `offset` and no `@`"
    if check_promql(f"rate({text}[5m])"):  # a comment would swallow the range
        return "not a plain selector of counters"
    return ""


def query_fault(text: str) -> str:
    """Why a text does not give the units of a time; empty when it does. Its syntax is known to be right."""
    if not PLACEHOLDER.search(text):
        return "has no placeholder for its range"
    if check_promql(f"sum({with_window(text, '5m')})"):
        return "gives no instant vector"
    return ""
