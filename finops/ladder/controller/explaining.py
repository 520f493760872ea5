"""Each condition of a ladder beside the figures of a sample, for people who ask why it stands where it does."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from finops.ladder.controller.judging import Values, Verdict, entering, fault, good_values, judge, leaving, without
from finops.ladder.deciding import ControllerState
from finops.ladder.model import Comparison, Ladder
from finops.ladder.readings import Readings


@dataclass(frozen=True, slots=True)
class ExplainedComparison:
    """One signal against its threshold. `value` is None, and `fault` says why, when it is not good.

    In an exit, `without` is what the signal would be without the tier, and what is judged.
    """

    signal: str
    threshold: Decimal
    value: Decimal | None
    without: Decimal | None
    holds: bool | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ExplainedCondition:
    """The `enter` or the `exit` of a tier, its verdict on this sample, and how many samples in a row it held so far."""

    tier: int
    is_exit: bool
    needs_all: bool
    verdict: Verdict
    comparisons: tuple[ExplainedComparison, ...]
    streak: int
    samples: int


def explained(
    ladder: Ladder, state: ControllerState, readings: Readings, now: datetime
) -> tuple[ExplainedCondition, ...]:
    """The exit of the tier in force and the enter of each tier above it; nothing when it is declared no more."""
    if state.tier > ladder.top:
        return ()
    judged = judge(ladder, state.tier, readings, now)
    conditions: list[ExplainedCondition] = []
    present = ladder.tier(state.tier)
    if present:
        left = good_values(ladder, without(readings, ladder, state.tier), now)
        rows = tuple(_row(ladder, each, readings, now, left, is_exit=True) for each in present.exit.comparisons)
        conditions.append(
            ExplainedCondition(
                present.number,
                True,
                present.exit.needs_all,
                leaving(present.exit, left),
                rows,
                state.leaving,
                present.exit_samples,
            )
        )
    for tier in ladder.tiers[state.tier :]:
        rows = tuple(_row(ladder, each, readings, now, judged.values, is_exit=False) for each in tier.enter.comparisons)
        conditions.append(
            ExplainedCondition(
                tier.number,
                False,
                tier.enter.needs_all,
                entering(tier.enter, judged.values),
                rows,
                state.entering.get(tier.number, 0),
                tier.enter_samples,
            )
        )
    return tuple(conditions)


def _row(
    ladder: Ladder, comparison: Comparison, readings: Readings, now: datetime, judged: Values, *, is_exit: bool
) -> ExplainedComparison:
    signal, reading = ladder.signal(comparison.signal), readings.signals.get(comparison.signal)
    why = fault(reading, readings.at, now, signal.usable_for) if signal else "it is not declared"
    value = judged.get(comparison.signal)
    holds = None if value is None else (value < comparison.threshold) is is_exit
    return ExplainedComparison(
        comparison.signal,
        comparison.threshold,
        None if why or reading is None else reading.value,
        value if is_exit else None,
        holds,
        why,
    )
