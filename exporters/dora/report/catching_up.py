"""Looks at what came in, and at what followed another policy, before a report is made, where that is quick."""

from datetime import datetime
from typing import TYPE_CHECKING, Final

from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.report.making import MOST_DAYS, behind
from exporters.dora.report.model import Behind

if TYPE_CHECKING:
    from controlplane.ports import Store

MOST_EVENTS: Final = 5000


def catch_up(store: "Store", policy: DeliveryPolicy, now: datetime) -> Behind:
    """What is left: everything where there is too much for somebody who waits. Raises Transient.

    It may run beside `flyball up`: who comes second writes nothing.
    """
    with store.transaction(read_only=True) as transaction:
        left = behind(transaction.delivery, policy, now)
    if not left or left.events > MOST_EVENTS or left.days > MOST_DAYS:
        return left
    FactsDaemon(store, lambda: policy).run_once(now)
    measuring = MeasureDaemon(store, lambda: policy)
    while not measuring.run_once(now).is_done:
        pass
    with store.transaction(read_only=True) as transaction:
        return behind(transaction.delivery, policy, now)
