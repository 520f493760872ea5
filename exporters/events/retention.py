"""Raw events are kept for a time; what was made of them stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from controlplane.delivery_ports import DeliveryLog
from controlplane.ports import HeldLease, Store

STEP: Final = 5_000  # events dropped in one transaction, so that others get their turn
MOST_STEPS: Final = 100  # of one run


def forget(
    store: Store,
    now: datetime,
    *,
    kept: timedelta,
    done: Callable[[DeliveryLog], int],
    lease: HeldLease | None = None,
) -> int:
    """Drop events that came longer ago than `kept`; how many they were. Those left over go at the next turn.

    `done` says up to which sequence number facts were made: later events stay, however old they are. A thing of which
    some events are gone is known by its fact; one more event about it is read without them.
    """
    dropped = 0
    for _ in range(MOST_STEPS):
        with store.transaction(lease=lease) as transaction:
            log = transaction.delivery
            first_undone = log.events_after(done(log), 1)
            before = min([now - kept, *(each.received_at for each in first_undone)])
            step = log.forget_events(before, STEP)
        dropped += step
        if step < STEP:
            break
    return dropped
