"""Receipts: opened when a tier comes into force, measured while it is, closed when it is left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import seconds
from controlplane.model.ladder import LadderState, SavingsReceipt, StepOutcome, StepRecord
from controlplane.wording import duration, significant
from finops.ladder.model import Ladder
from finops.ladder.savings.history import BLOCK, Change, History, Window
from finops.ladder.savings.measuring import LEAST_BLOCKS, MOST_BEFORE, Measured, combined, measure, reversed_

LATEST: Final = timedelta(hours=2) // BLOCK  # of a tier in force: what it saves now
_CENT: Final = Decimal("0.0001")
_FELL: Final = 0.8
_TOO_SHORT: Final = "too little was seen at full length on both sides of the step"


def opened(ladder: Ladder, state: LadderState, receipts: Iterable[SavingsReceipt]) -> Iterator[SavingsReceipt]:
    """A receipt for each tier in force that has none."""
    known = {(receipt.step, receipt.tier) for receipt in receipts}
    for applied in state.applied:
        tier = ladder.tier(applied.tier)
        if (applied.step, applied.tier) not in known:
            predicted = tier.saving_per_hour if tier else Decimal(0)
            yield SavingsReceipt(
                applied.step, ladder.name, applied.tier, ladder.currency, predicted, applied.since, note=_TOO_SHORT
            )


def closed(
    state: LadderState, receipts: Iterable[SavingsReceipt], steps: Sequence[StepRecord], now: datetime
) -> Iterator[SavingsReceipt]:
    """Open receipts of tiers that are in force no more, until when they were."""
    standing = {(applied.step, applied.tier) for applied in state.applied}
    for receipt in receipts:
        if receipt.until is None and (receipt.step, receipt.tier) not in standing:
            yield replace(receipt, until=_left(receipt, steps, now))


def _left(receipt: SavingsReceipt, steps: Iterable[StepRecord], now: datetime) -> datetime:
    """When flags were put back: the first step down below the tier."""
    ends = [
        step.written_at or step.decided_at
        for step in steps
        if step.outcome is StepOutcome.COMMITTED and step.to_tier < receipt.tier <= step.from_tier
    ]
    return min((end for end in ends if end >= receipt.since), default=now)


def measured(
    receipts: Sequence[SavingsReceipt], history: History, changes: Sequence[Change], now: datetime
) -> Iterator[SavingsReceipt]:
    """Receipts of one step up, with what their tiers saved.

    Spend before and after the step tells it; tiers that came with one step share that by what was predicted. Once a
    tier was left by a step of its own, spend before and after that one tells it again.
    """
    entered = _entering(receipts, history, changes)
    for receipt, share in zip(receipts, _shares(receipts), strict=True):
        left = _leaving(receipt, history, changes)
        if entered is None and left is None:
            yield _unmeasured(receipt, _TOO_SHORT)
        elif left is None:
            assert entered is not None
            yield _with(receipt, entered, share, now)
        else:  # of this tier alone, while the step up may be of several
            found = entered.and_left(left) if entered is not None and len(receipts) == 1 else left
            yield _with(receipt, found, Decimal(1), now)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was measured: `latest` is what a tier saves now, `whole` what it saved over all of the time compared."""

    latest: Measured
    whole: Measured
    notes: tuple[str, ...]

    def and_left(self, left: "_Found") -> "_Found":
        """Together with what leaving the tier told."""
        both = combined(self.whole, left.whole)
        return _Found(both, both, (*self.notes, *left.notes[-1:]))


def _entering(receipts: Sequence[SavingsReceipt], history: History, changes: Sequence[Change]) -> _Found | None:
    """From the step up."""
    place = next((number for number, change in enumerate(changes, start=1) if change.step == receipts[0].step), None)
    windows = _windows(history, changes, place) if place is not None else None
    if windows is None:
        return None
    before, after = windows
    whole = measure(history, before, after)
    is_open = any(receipt.until is None for receipt in receipts)
    latest = measure(history, before, (max(after[0], after[1] - LATEST), after[1])) if is_open else whole
    if whole is None or latest is None:
        return None
    compared = f"{_long(after)} after the step against {_long(before)} before"
    return _Found(latest, whole, (*_notes(history, before, after, latest, len(receipts)), compared))


def _leaving(receipt: SavingsReceipt, history: History, changes: Sequence[Change]) -> _Found | None:
    """From the step down that ended the tier alone."""
    if receipt.until is None:
        return None
    place = next(
        (
            number
            for number, change in enumerate(changes, start=1)
            if change.left == receipt.tier and change.ladder == receipt.ladder and change.end >= receipt.until
        ),
        None,
    )
    windows = _windows(history, changes, place) if place is not None else None
    if windows is None:
        return None
    within, without = windows[0], (windows[1][0], min(windows[1][1], windows[1][0] + LATEST))
    found = measure(history, within, without)
    if found is None:
        return None
    found = reversed_(found)
    compared = f"{_long(within)} before it was left against {_long(without)} afterwards"
    return _Found(found, found, (*_notes(history, within, without, found, 1), compared))


def _windows(history: History, changes: Sequence[Change], place: int) -> tuple[Window, Window] | None:
    """The stretch before a step and the longest one after it; steps that were undone only interrupt them."""
    earlier = place - 1
    before = history.stretch(earlier)
    while before[1] - before[0] < LEAST_BLOCKS and earlier > 0 and not changes[earlier - 1].lasts:
        earlier -= 1
        before = history.stretch(earlier)
    before = (max(before[0], before[1] - MOST_BEFORE), before[1])
    after, later = history.stretch(place), place
    while later < len(changes) and not changes[later].lasts:
        later += 1
        after = max(after, history.stretch(later), key=lambda each: each[1] - each[0])
    if min(before[1] - before[0], after[1] - after[0]) < LEAST_BLOCKS:
        return None
    return before, after


def _shares(receipts: Sequence[SavingsReceipt]) -> list[Decimal]:
    total = sum(receipt.predicted for receipt in receipts)
    return [receipt.predicted / total if total else Decimal(1) / len(receipts) for receipt in receipts]


def _with(receipt: SavingsReceipt, found: _Found, share: Decimal, now: datetime) -> SavingsReceipt:
    hours = seconds((receipt.until or now) - receipt.since) / 3600
    return replace(
        receipt,
        realised=_money(found.latest.saving) * share,
        low=_money(found.latest.low) * share,
        high=_money(found.latest.high) * share,
        saved=(_money(found.whole.saving) * share * hours).quantize(_CENT),
        measured_at=now,
        note="; ".join(found.notes),
    )


def _unmeasured(receipt: SavingsReceipt, why: str) -> SavingsReceipt:
    """What was measured before stays: the step that came next took nothing back."""
    return receipt if receipt.realised is not None else replace(receipt, note=why)


def _notes(history: History, before: Window, after: Window, found: Measured, together: int) -> Iterator[str]:
    """What to know about it."""
    if together > 1:
        yield f"{together} tiers came with one step: each has its share of what was predicted"
    if history.load is None:
        yield "not corrected for load: there is neither a unit cost nor a day of history"
    elif history.load_name:
        yield f"corrected for the units of {history.load_name}"
        if (fell := _fallen(history, before, after)) is not None:
            yield f"these fell by {significant(fell * 100, 2)} %: what the tier itself turned away is not in it"
    else:
        yield "corrected for what these hours usually cost"
    if found.placebos:
        yield f"interval from {found.placebos} placebo steps"
    else:
        yield "interval from the blocks alone: too little history for placebo steps"


def _long(window: Window) -> str:
    return duration((window[1] - window[0]) * BLOCK)


def _fallen(history: History, before: Window, after: Window) -> float | None:
    """By how much the load fell at the step, where that is much."""
    assert history.load is not None
    earlier, later = history.load[slice(*before)], history.load[after[0] : after[0] + LEAST_BLOCKS]
    ratio = float(later.mean() / earlier.mean()) if earlier.mean() > 0 else 1.0
    return 1 - ratio if ratio < _FELL else None


def _money(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_CENT)
