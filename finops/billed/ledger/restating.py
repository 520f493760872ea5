"""What changed in a period that was imported before."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from finops.billed.ledger.partition import Partition, Restatement, ServiceChange, ServiceMoney

_NOTHING: Final = Decimal(0)


def restatement(before: Partition, after: Partition, at: datetime) -> Restatement | None:
    """The services whose sums differ, by name and currency; None when every sum is what it was."""
    old = {(each.service, each.currency): each for each in before.services}
    new = {(each.service, each.currency): each for each in after.services}
    changes = tuple(
        change
        for name in sorted(old.keys() | new.keys())
        if (change := _change(name, old.get(name), new.get(name))) is not None
    )
    return Restatement(after.key, at, before.fingerprint, after.fingerprint, changes) if changes else None


def _change(name: tuple[str, str], old: ServiceMoney | None, new: ServiceMoney | None) -> ServiceChange | None:
    change = ServiceChange(
        *name,
        billed_before=old.billed if old else _NOTHING,
        billed_after=new.billed if new else _NOTHING,
        effective_before=old.effective if old else _NOTHING,
        effective_after=new.effective if new else _NOTHING,
    )
    return change if change.billed_difference or change.effective_difference else None
