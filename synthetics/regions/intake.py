"""Taking reports: stored, counted and answered for in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from controlplane.model.check import ReportHead
from controlplane.ports import Permanent, Store, Transient
from synthetics.regions.ports import Delivered, Fate
from synthetics.regions.report import Refusal, Report, parse
from synthetics.regions.report_writing import join


@dataclass(frozen=True, slots=True)
class Taken:
    """How many results were new; `repeated`: the report had been taken before."""

    new: int
    repeated: bool


def take(store: Store, report: Report, now: datetime) -> Taken:
    """Store a report; it is safe when this returns. Raises what the store raises."""
    head = report.head
    with store.transaction() as transaction:
        repeated = transaction.checks.knows(head.region, head.prober, head.sequence)  # for the answer alone
        return Taken(transaction.checks.take(head, report.results, now), repeated)


class StoreDelivery:
    """Implements `synthetics.regions.ports.Delivery` for the region within the control plane: the same, less HTTP."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def deliver(self, head: ReportHead, rendered: Sequence[bytes], now: datetime) -> Delivered:
        """Store one report."""
        report = parse(join(head, rendered), region=head.region, now=now)
        if isinstance(report, Refusal):
            return Delivered(Fate.REFUSED, str(report))
        try:
            take(self._store, report, now)
        except (Transient, Permanent) as error:  # a database that refuses today may be mended
            return Delivered(Fate.AGAIN, str(error))
        return Delivered(Fate.TAKEN)
