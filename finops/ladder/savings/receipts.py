"""Receipts: opened when a tier comes into force, measured while it is, closed when it is left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import seconds
from controlplane.model.ladder import LadderState, SavingsReceipt, StepOutcome, StepRecord
from controlplane.wording import duration, significant
from finops.ladder.model import Ladder
from finops.ladder.savings.history import BLOCK, Change, History, Window
from finops.ladder.savings.measuring import LEAST_BLOCKS, MOST_BEFORE, Measured, measure

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
    """Receipts of one step, with what it saved: tiers that came with one step share that by what was predicted."""
    step = receipts[0].step
    place = next((number for number, change in enumerate(changes, start=1) if change.step == step), None)
    windows = _windows(history, changes, place) if place is not None else None
    if windows is None:
        yield from (_unmeasured(receipt, _TOO_SHORT) for receipt in receipts)
        return
    before, after = windows
    whole = measure(history, before, after)
    is_open = any(receipt.until is None for receipt in receipts)
    latest = measure(history, before, (max(after[0], after[1] - LATEST), after[1])) if is_open else whole
    if whole is None or latest is None:
        yield from (_unmeasured(receipt, _TOO_SHORT) for receipt in receipts)
        return
    note = _note(history, before, after, latest, len(receipts))
    for receipt, share in zip(receipts, _shares(receipts), strict=True):
        yield _with(receipt, latest, whole, share, now, note)


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


def _with(
    receipt: SavingsReceipt, latest: Measured, whole: Measured, share: Decimal, now: datetime, note: str
) -> SavingsReceipt:
    hours = seconds((receipt.until or now) - receipt.since) / 3600
    return replace(
        receipt,
        realised=_money(latest.saving) * share,
        low=_money(latest.low) * share,
        high=_money(latest.high) * share,
        saved=(_money(whole.saving) * share * hours).quantize(_CENT),
        measured_at=now,
        note=note,
    )


def _unmeasured(receipt: SavingsReceipt, why: str) -> SavingsReceipt:
    """What was measured before stays: the step that came next took nothing back."""
    return receipt if receipt.realised is not None else replace(receipt, note=why)


def _note(history: History, before: Window, after: Window, latest: Measured, together: int) -> str:
    """What to know about it."""
    parts = []
    if together > 1:
        parts.append(f"{together} tiers came with one step: each has its share of what was predicted")
    if history.load is None:
        parts.append("not corrected for load: there is neither a unit cost nor a day of history")
    elif history.load_name:
        parts.append(f"corrected for the units of {history.load_name}")
        if (fell := _fallen(history, before, after)) is not None:
            parts.append(f"these fell by {significant(fell * 100, 2)} %: what the tier itself turned away is not in it")
    else:
        parts.append("corrected for what these hours usually cost")
    if latest.placebos:
        parts.append(f"interval from {latest.placebos} placebo steps")
    else:
        parts.append("interval from the blocks alone: too little history for placebo steps")
    compared = duration((before[1] - before[0]) * BLOCK), duration((after[1] - after[0]) * BLOCK)
    parts.append(f"{compared[1]} after the step against {compared[0]} before")
    return "; ".join(parts)


def _fallen(history: History, before: Window, after: Window) -> float | None:
    """By how much the load fell at the step, where that is much."""
    assert history.load is not None
    earlier, later = history.load[slice(*before)], history.load[after[0] : after[0] + LEAST_BLOCKS]
    ratio = float(later.mean() / earlier.mean()) if earlier.mean() > 0 else 1.0
    return 1 - ratio if ratio < _FELL else None


def _money(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(_CENT)
