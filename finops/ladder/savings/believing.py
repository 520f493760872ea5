"""What is believed of receipts: what each tier in force saves now, and which tier does not pay."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.ladder import AppliedTier, LadderState, SavingsReceipt
from finops.ladder.model import Ladder

NARROW: Final = Decimal("0.5")  # half the interval ÷ what was declared or measured: from there on it is believed
PAYS_FROM: Final = Decimal("0.25")  # of what was predicted
LONG_ENOUGH: Final = timedelta(minutes=45)  # in force, before a tier is said to save nothing


def savings_now(ladder: Ladder, state: LadderState, receipts: Iterable[SavingsReceipt]) -> Mapping[int, Decimal]:
    """What each tier in force saves, in money an hour.

    As measured where the interval is narrow: no more than half of what was declared, or of what was measured, to either
    side. Else as declared, brought into the interval. Never negative: a tier that costs money is no reason to keep it.
    Times `remaining`: with the cause of a crisis gone, its tiers have little left to save.
    """
    by_key = {(receipt.step, receipt.tier): receipt for receipt in receipts}
    return {
        applied.tier: _saves(ladder, applied, by_key.get((applied.step, applied.tier))) for applied in state.applied
    }


def saves_nothing(receipt: SavingsReceipt, now: datetime) -> bool:
    """Whether it was seen for long enough, and surely saves less than a quarter of what was predicted."""
    if receipt.high is None or (receipt.until or now) - receipt.since < LONG_ENOUGH:
        return False
    return receipt.high <= 0 or receipt.high < PAYS_FROM * receipt.predicted


def _saves(ladder: Ladder, applied: AppliedTier, receipt: SavingsReceipt | None) -> Decimal:
    believed = _believed(ladder, applied, receipt)
    return believed if receipt is None or receipt.remaining is None else believed * receipt.remaining


def _believed(ladder: Ladder, applied: AppliedTier, receipt: SavingsReceipt | None) -> Decimal:
    tier = ladder.tier(applied.tier)
    declared = tier.saving_per_hour if tier else receipt.predicted if receipt else Decimal(0)
    if receipt is None or receipt.realised is None or receipt.low is None or receipt.high is None:
        return declared
    if (receipt.high - receipt.low) / 2 <= NARROW * max(declared, abs(receipt.realised)):
        return max(receipt.realised, Decimal(0))
    return max(min(max(declared, receipt.low), receipt.high), Decimal(0))
