"""Savings receipts are opened when a tier comes into force and closed when it is left, with the step that does it."""

from dataclasses import replace
from datetime import datetime

from controlplane.model.ladder import SavingsReceipt, StepRecord
from controlplane.ports import Transaction
from finops.ladder.model import Ladder


def book(transaction: Transaction, ladder: Ladder | None, step: StepRecord, now: datetime) -> None:
    """One receipt for each tier that the step brought into force; those of tiers that it left end."""
    if not step.is_up:
        _close(transaction, step, now)
        return
    for number in range(step.from_tier + 1, step.to_tier + 1):
        tier = ladder.tier(number) if ladder is not None else None
        if ladder is not None and tier is not None:
            receipt = SavingsReceipt(step.id, ladder.name, number, ladder.currency, tier.saving_per_hour, since=now)
            transaction.ladders.put_receipt(receipt)


def _close(transaction: Transaction, step: StepRecord, now: datetime) -> None:
    for receipt in transaction.ladders.receipts(step.ladder, now):
        if receipt.until is None and receipt.tier > step.to_tier:
            transaction.ladders.put_receipt(replace(receipt, until=now))
