"""Receipts: opened when a tier comes into force, measured while it is, closed when it is left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import seconds
from controlplane.model.ladder import LadderState, SavingsReceipt, StepOutcome, StepRecord
from controlplane.wording import duration, significant
from finops.ladder.model import Ladder
from finops.ladder.savings.history import BLOCK, Change, History, Window
from finops.ladder.savings.levels import level, remaining, spend_now, steady_after, steady_before, usual_level
from finops.ladder.savings.measuring import LEAST_BLOCKS, MOST_BEFORE, Measured, combined, measure, reversed_

_CENT: Final = Decimal("0.0001")
_FELL: Final = 0.8
_OVER: Final = "spend fell to what is usual at the step, by far more than predicted: its cause may have gone by itself"
_BACK: Final = 1.2  # times what full service usually costs
_FAR_ABOVE: Final = 1.5  # times what is usual, or was predicted
_MOST_PREDICTED: Final = 0.5  # of what is usual
_AS_BUSY: Final = 1.5  # times the spend, from where on two measurements are of two platforms
_NOTHING: Final = 1e-9
_TOO_SHORT: Final = "too little was seen, with spend that moved by nothing else, on both sides of the step"


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
    """Receipts of one step up, with what their tiers saved, and how much there still is to save.

    Spend before and after the step tells it; tiers that came with one step share that by what was predicted. Once a
    tier was left by a step of its own, spend before and after that one tells it again.
    """
    entered = _entering(receipts, history, changes)
    is_doubted = entered is not None and _is_over(entered, receipts, history)
    entered = None if is_doubted else entered
    then = entered.kept if entered is not None else _expected(receipts, history, changes)
    for each, share in zip(receipts, _shares(receipts), strict=True):
        receipt = _with_remaining(each, history, then, is_measured=entered is not None)
        left = _leaving(receipt, history, changes)
        if entered is None and left is None:
            yield _unmeasured(receipt) if not is_doubted else _doubted(receipt)
        elif left is None:
            assert entered is not None
            yield _with(receipt, history, entered, share, now)
        else:  # of this tier alone, while the step up may be of several
            found = entered.and_left(left) if entered is not None and len(receipts) == 1 else left
            yield _with(receipt, history, found, Decimal(1), now)


@dataclass(frozen=True, slots=True)
class _Found:
    """What was measured, with the tier in force at a spend of `kept` an hour."""

    measured: Measured
    kept: float
    notes: tuple[str, ...]

    def and_left(self, left: "_Found") -> "_Found":
        """Together with what leaving the tier told, where that is about a platform as busy as this one was."""
        notes = (*self.notes, *left.notes[-1:])
        if not 1 / _AS_BUSY <= left.kept / max(self.kept, _NOTHING) <= _AS_BUSY:
            return replace(self, notes=(*notes, "spend was another when it was left: what entering told stands"))
        return _Found(combined(self.measured, left.measured), self.kept, notes)


def _entering(receipts: Sequence[SavingsReceipt], history: History, changes: Sequence[Change]) -> _Found | None:
    """From the step up."""
    place = _place(receipts, changes)
    windows = _windows(history, changes, place) if place is not None else None
    if windows is None:
        return None
    before, after = windows
    found, kept = measure(history, before, after), level(history, after)
    if found is None or kept is None:
        return None
    compared = f"{_long(after)} after the step against {_long(before)} before"
    return _Found(found, kept, (*_notes(history, before, after, found, len(receipts)), compared))


def _is_over(found: _Found, receipts: Sequence[SavingsReceipt], history: History) -> bool:
    """Whether it looks as if the cause went away at the very step, rather than that the tiers save so much.

    Spend came down from far above what full service usually costs to that, by far more than was predicted.
    """
    usually = usual_level(history)
    before = found.kept + found.measured.saving
    if usually is None or found.kept > _BACK * usually or before < _FAR_ABOVE * usually:
        return False
    share = found.measured.saving / before if before > 0 else 0.0
    predicted = float(sum(receipt.predicted for receipt in receipts)) / max(usually, _NOTHING)
    return share > _FAR_ABOVE * min(predicted, _MOST_PREDICTED)


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
    windows = _windows(history, changes, place, most_after=2 * MOST_BEFORE) if place is not None else None
    if windows is None:
        return None
    within, without = windows
    found, kept = measure(history, within, without), level(history, within)
    if found is None or kept is None:
        return None
    found = reversed_(found)
    compared = f"{_long(within)} before it was left against {_long(without)} afterwards"
    return _Found(found, kept, (*_notes(history, within, without, found, 1), compared))


def _place(receipts: Sequence[SavingsReceipt], changes: Sequence[Change]) -> int | None:
    return next((number for number, change in enumerate(changes, start=1) if change.step == receipts[0].step), None)


def _windows(
    history: History, changes: Sequence[Change], place: int, most_after: int = MOST_BEFORE
) -> tuple[Window, Window] | None:
    """The end of the stretch before a step and the beginning of the one after it, as far as spend is steady in them.

    What moves spend in the midst of a stretch is not the step: a crisis that begins before it, or ends after it. Steps
    that were undone only interrupt.
    """
    earlier = place - 1
    before = history.stretch(earlier)
    while before[1] - before[0] < LEAST_BLOCKS and earlier > 0 and not changes[earlier - 1].lasts:
        earlier -= 1
        before = history.stretch(earlier)
    after, later = history.stretch(place), place
    while after[1] - after[0] < LEAST_BLOCKS and later < len(changes) and not changes[later].lasts:
        later += 1
        after = history.stretch(later)
    before = steady_before(history, (max(before[0], before[1] - MOST_BEFORE), before[1]))
    after = steady_after(history, (after[0], min(after[1], after[0] + most_after)))
    if min(before[1] - before[0], after[1] - after[0]) < LEAST_BLOCKS:
        return None
    return before, after


def _expected(receipts: Sequence[SavingsReceipt], history: History, changes: Sequence[Change]) -> float | None:
    """What should have been spent an hour once the step was made, where nothing could be measured.

    Spend before it less what was predicted, or spend just afterwards where that is more: flags take their time.
    """
    place = _place(receipts, changes)
    if place is None:
        return None
    change = changes[place - 1]
    first, last = history.index(change.start), history.index(change.end)
    before, after = level(history, (first - LEAST_BLOCKS, first)), level(history, (last, last + LEAST_BLOCKS))
    less = float(sum(receipt.predicted for receipt in receipts))
    known = [each for each in (before - less if before is not None else None, after) if each is not None]
    return max(known, default=None)


def _with_remaining(
    receipt: SavingsReceipt, history: History, then: float | None, *, is_measured: bool
) -> SavingsReceipt:
    """With the share of spend `then` that there still is. It stays once the tier was left, and in silence."""
    spend = spend_now(history, history.index(receipt.since))
    if receipt.until is not None or then is None or spend is None:
        return receipt
    share = min(max(spend / then, 0.0), 1.0) if then > 0 else 1.0
    more = 0.0 if is_measured else _more(receipt, history, spend)
    return replace(receipt, remaining=_money(max(share, more)))


def _more(receipt: SavingsReceipt, history: History, spend: float) -> float:
    """By how much what was only predicted is more in a crisis: it was said of usual hours, and is mostly a share.

    0 unless spend is far above what is usual. A tier is not taken to save more than what is still spent.
    """
    usually = usual_level(history)
    if usually is None or usually <= 0 or spend < _FAR_ABOVE * usually:
        return 0.0
    return min(spend / usually, spend / max(float(receipt.predicted), _NOTHING))


def _shares(receipts: Sequence[SavingsReceipt]) -> list[Decimal]:
    total = sum(receipt.predicted for receipt in receipts)
    return [receipt.predicted / total if total else Decimal(1) / len(receipts) for receipt in receipts]


def _with(receipt: SavingsReceipt, history: History, found: _Found, share: Decimal, now: datetime) -> SavingsReceipt:
    return replace(
        receipt,
        realised=_money(found.measured.saving) * share,
        low=_money(found.measured.low) * share,
        high=_money(found.measured.high) * share,
        saved=(_money(found.measured.saving) * share * _full_hours(receipt, history, found.kept, now)).quantize(_CENT),
        measured_at=now,
        note="; ".join(found.notes),
    )


def _full_hours(receipt: SavingsReceipt, history: History, kept: float, now: datetime) -> Decimal:
    """The hours in force; those in which less was spent than when it was measured count by that share."""
    until = receipt.until or now
    window = history.index(receipt.since), history.index(until)
    share = remaining(history, window, kept)
    return seconds(until - receipt.since) / 3600 * (_money(share) if share is not None else Decimal(1))


def _unmeasured(receipt: SavingsReceipt) -> SavingsReceipt:
    """What was measured before stays: the step that came next took nothing back."""
    return receipt if receipt.realised is not None else replace(receipt, note=_TOO_SHORT)


def _doubted(receipt: SavingsReceipt) -> SavingsReceipt:
    return replace(receipt, realised=None, low=None, high=None, saved=None, note=_OVER)


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
