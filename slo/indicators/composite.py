"""Composites: several indicators as one pair, by OpenSLO's rules ("Notes (Composite SLO)" of its specification).

By burn rates: the budget burns at the sum of weight × burn rate of each part. Events of different parts cannot be
added: a million requests would drown a thousand jobs. So each part is measured in *usual* minutes: its events over
those that the window has in a minute on average; and a minute of a part counts `weight × mean budget ÷ its own budget`.
The budget of the composite follows: bad minutes never exceed all, and burn at most at what all parts burn at together.
While a part has no data its minutes count as usual and good, so that it adds nothing, and budgets of windows of which
it missed a share are exact.

In slices of time: a slice is bad when it is bad for any part, or what parts miss of it adds up; the budget is the mean
of theirs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration, number
from controlplane.model.rule import RecordingRule
from controlplane.model.slo import SLO, Combination, CompositeIndicator, CompositePart
from slo.indicators.newborn import counts_births
from slo.indicators.pairs import EACH_MINUTE, FIVE_SLICES, EventPair, Place, computed
from slo.indicators.slices import condition, says_something
from slo.promql.event_query import aggregated

_MINUTES: Final = 5
_LOOKBACK: Final = "15m"  # written every 5 minutes, read every minute: over two missed evaluations
_STEP: Final = "5m"
_FINENESS: Final = Decimal("1e-12")  # of objectives: nothing finer can be computed with
_BUDGET_DIGITS: Final = Context(prec=4, rounding=ROUND_FLOOR)  # no less than what bad minutes can be of all


def composite_objective(composite: CompositeIndicator) -> Decimal:
    """What a composite asks for, so that its budget burns as its parts say.

    By burn rates 1 − 1 ÷ Σ (weight ÷ budget), rounded up so that four digits of the budget are left: with everything
    bad it burns at Σ (weight ÷ budget). Of slices of time the mean of the parts' objectives.
    """
    objective = 1 - _mean_budget(composite)
    if composite.combination is Combination.BURN_RATES:
        objective = 1 - _BUDGET_DIGITS.plus(1 / fastest_burn(composite))
    return max(_FINENESS, min(objective.quantize(_FINENESS), 1 - _FINENESS)).normalize()


def fastest_burn(composite: CompositeIndicator) -> Decimal:
    """The burn rate with everything bad: the sum of those of the parts."""
    return sum((part.weight / (1 - part.objective) for part in composite.parts), Decimal(0))


def recorded_slice(slo: SLO, composite: CompositeIndicator) -> RecordingRule | None:
    """How bad the slice that ends now is, from the recorded ones of the parts; None where no slices are judged."""
    if composite.combination is Combination.BURN_RATES:
        return None
    parts = f'{names.SLICE_BAD}{{{names.SLO}="{slo.name}",{names.PART}!=""}}'
    expr = f"{aggregated('max', slo.groups)} ({parts})"
    if composite.combination is Combination.MISSING_SHARES:
        weights = _vector(composite, lambda part: part.weight)
        expr = f"clamp_max(\n  {aggregated('sum', slo.groups)} (\n{_times(parts, weights)}\n  ),\n  1\n)"
    return RecordingRule(names.SLICE_BAD, expr, ((names.SLO, slo.name),))


def recorded_composite(slo: SLO, composite: CompositeIndicator) -> EventPair:
    """The pair, from what is recorded of its parts."""
    own = f'{names.SLO}="{slo.name}"'
    every, bad = (
        f'{names.PART_EVENTS}{{{own},{names.EVENT}="{event}"}}' for event in (names.EVENT_ALL, names.EVENT_BAD)
    )
    if composite.combination is not Combination.BURN_RATES:
        slices = f'{names.SLICE_BAD}{{{own},{names.PART}=""}}[{FIVE_SLICES}]'
        return _sliced(slo, slices, (every, bad))
    first = f"sum without ({names.EVENT}) ({every} > 0)"  # while nothing is usual yet
    usual = f"(last_over_time({names.PART_USUAL}{{{own}}}[{_LOOKBACK}]) > 0 or {first})"
    weights = _vector(composite, lambda part: _minute_counts(composite, part))
    parts = _Parts(
        deviations=_times(f"({every} / ignoring ({names.EVENT}) {usual} - 1)", weights),
        known=_times(f"clamp({usual}, 1, 1)", weights),
        bad=_times(f"{bad} / ignoring ({names.EVENT}) {usual}", weights),
        measured=(every, bad),
    )
    return _added(slo, composite, parts)


def computed_composite(slo: SLO, composite: CompositeIndicator, at: str) -> EventPair:
    """The same without anything recorded; what is usual is the mean of the window that ends `at` (`@ end()`)."""
    if composite.combination is not Combination.BURN_RATES:
        return _computed_slices(slo, composite)
    pairs = {part: computed(part.indicator, slo.groups, since_birth=counts_births(slo)) for part in composite.parts}
    usual = {
        part: f"(avg_over_time(({pair.all})[{duration(slo.window.length)}:{_STEP}] {at}) > 0)"
        for part, pair in pairs.items()
    }

    def joined(text: Callable[[CompositePart], str]) -> str:
        return _joined((part, f"{number(_minute_counts(composite, part))} * {text(part)}") for part in composite.parts)

    parts = _Parts(
        deviations=joined(lambda part: f"(({pairs[part].all}) / {usual[part]} - 1)"),
        known=joined(lambda part: f"clamp({usual[part]}, 1, 1)"),
        bad=joined(lambda part: f"({pairs[part].bad}) / {usual[part]}"),
        measured=(_joined((part, pair.all) for part, pair in pairs.items()),
                  _joined((part, pair.bad) for part, pair in pairs.items())),
    )  # fmt: skip
    return _added(slo, composite, parts)


def usual_events(slo: SLO) -> str:
    """What 5 minutes of the window have on average, of each part."""
    ledger = f'{names.PART_LEDGER}{{{names.SLO}="{slo.name}",{names.EVENT}="{names.EVENT_ALL}"}}'
    return f"sum without ({names.EVENT}) (avg_over_time({ledger}[{duration(slo.window.length)}]))"


def part_places(slo: SLO, composite: CompositeIndicator) -> Sequence[tuple[CompositePart, Place]]:
    """The parts and where each is recorded."""
    return [(part, Place(slo.name, part.name)) for part in composite.parts]


@dataclass(frozen=True, slots=True)
class _Parts:
    """Vectors of one series a part, what of them is counted already times what a minute of the part counts.

    `deviations`: traffic over the usual, less 1; `known`: 1 where it is known what is usual; `bad`: bad events over
    the usual traffic; `measured`: all and bad events.
    """

    deviations: str
    known: str
    bad: str
    measured: tuple[str, str]


def _added(slo: SLO, composite: CompositeIndicator, parts: _Parts) -> EventPair:
    total = aggregated("sum", slo.groups)
    every, bad = parts.measured
    whole = number(_MINUTES * _mean_budget(composite) / slo.budget_ratio)
    return EventPair(
        f"{whole} * (\n  1 + {total} (\n{parts.deviations}\n  ) / {total} (\n{parts.known}\n  )\n)"
        f"\nor\n0 * {total} ({every})",
        f"{_MINUTES} * {total} (\n{parts.bad}\n)\nor\n0 * {total} ({bad})",
    )


def _minute_counts(composite: CompositeIndicator, part: CompositePart) -> Decimal:
    return part.weight * _mean_budget(composite) / (1 - part.objective)


def _mean_budget(composite: CompositeIndicator) -> Decimal:
    return sum((1 - part.objective for part in composite.parts), Decimal(0)) / len(composite.parts)


def _computed_slices(slo: SLO, composite: CompositeIndicator) -> EventPair:
    by, weighted = slo.groups, composite.combination is Combination.MISSING_SHARES
    conditions = ((part, condition(part.indicator, by)) for part in composite.parts)
    if weighted:
        added = _joined((part, f"{number(part.weight)} * ({text})") for part, text in conditions)
        slices = f"clamp_max({aggregated('sum', by)} ({added}), 1)"
    else:
        slices = f"{aggregated('max', by)} ({_joined(conditions)})"
    quiet = ((part, says_something(part.indicator, by)) for part in composite.parts)
    told = _joined((part, text) for part, text in quiet if text)
    return _sliced(slo, f"({slices})[{FIVE_SLICES}:{EACH_MINUTE}]", (told, told))


def _sliced(slo: SLO, slices: str, idle: tuple[str, str]) -> EventPair:
    """Minutes: of the last five, how many were judged and how bad they were; none where parts say so."""
    total = aggregated("sum", slo.groups)
    all_, bad = (
        f"{total} ({function}({slices}))" + (f"\nor\n0 * {total} ({none})" if none else "")
        for function, none in zip(("count_over_time", "sum_over_time"), idle, strict=True)
    )
    return EventPair(all_, bad)


def _joined(parts: Iterable[tuple[CompositePart, str]]) -> str:
    return "\n  or\n  ".join(f'label_replace({text}, "{names.PART}", "{part.name}", "", "")' for part, text in parts)


def _vector(composite: CompositeIndicator, value: Callable[[CompositePart], Decimal]) -> str:
    each = ((part, f"vector({number(value(part))})") for part in composite.parts)
    return f"(\n  {_joined(each)}\n)"


def _times(series: str, weights: str) -> str:
    return f"{series} * on ({names.PART}) group_left () {weights}"
