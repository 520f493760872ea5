"""Decides on the credits that are due when a month is closed, and on those of earlier months that had no data then."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.conventions import EVENT_TIER_CHANGED
from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.usage import InvoiceLine, LineKind, Period
from controlplane.ports import Store, Transient
from exporters.usage.credits import Decision, Evidence, Verdict, decide
from exporters.usage.downshifts import LOOK_BACK, Interval, downshifts, minutes
from exporters.usage.periods import bounds
from exporters.usage.ports import Achieved, AchievedSLO
from exporters.usage.terms import Contract, UsageTerms

RETRIED: Final = 3  # how many months back a decision without data is tried again
_STEP: Final = timedelta(minutes=5)  # what one entry of the ledger counts


class Crediting:
    """Asks what was achieved, and decides. Without a source nothing can be decided."""

    def __init__(self, store: Store, terms: UsageTerms, source: AchievedSLO | None) -> None:
        self._store = store
        self._terms = terms
        self._source = source

    def due(self, period: str, lines: Sequence[InvoiceLine]) -> list[Decision]:
        """Decisions for a month whose usage lines are `lines`, and for earlier ones that are still open."""
        decisions = self.decisions(period, lines, booked=period)
        with self._store.transaction(read_only=True) as transaction:
            periods = transaction.usage.periods()
        for earlier in [each for each in periods if each.name < period][-RETRIED:]:
            open_ones = undecided(earlier, periods)
            if open_ones:
                found = self.decisions(earlier.name, self._usage_of(earlier.name), booked=period)
                decisions += [each for each in found if (each.contract, each.tenant) in open_ones]
        return decisions

    def decisions(self, period: str, lines: Sequence[InvoiceLine], *, booked: str) -> list[Decision]:
        """What every contract means for each of its tenants in a month."""
        intervals = self._downshifts(period)
        return [
            self._decide(contract, tenant, period, intervals, [line for line in lines if line.tenant == tenant], booked)
            for contract in self._terms.contracts
            for tenant in contract.tenants
        ]

    def _decide(
        self,
        contract: Contract,
        tenant: str,
        period: str,
        intervals: Sequence[Interval],
        usage: Sequence[InvoiceLine],
        booked: str,
    ) -> Decision:
        try:
            evidence = self._evidence(contract, tenant, period, intervals)
        except Transient as error:
            reason = f"what was achieved cannot be asked now: {error}"
            return Decision(contract.name, tenant, period, Verdict.NO_DATA, reason)
        return decide(contract, tenant, period, evidence, usage, booked=booked)

    def _evidence(self, contract: Contract, tenant: str, period: str, intervals: Sequence[Interval]) -> Evidence:
        whole = self._achieved(contract, tenant, *bounds(period))
        if whole is None or whole.bad <= 0 or not intervals:
            return Evidence(whole)
        parts = [self._achieved(contract, tenant, *_widened(interval)) for interval in intervals]
        known = [part for part in parts if part is not None]
        during = Achieved(
            exact.total(part.events for part in known), exact.total(part.bad for part in known), Decimal(1)
        )
        return Evidence(whole, during if known else None, minutes(intervals))

    def _achieved(self, contract: Contract, tenant: str, start: datetime, end: datetime) -> Achieved | None:
        if self._source is None:
            return None
        labels = {contract.group_by: tenant}
        return self._source.achieved(
            contract.slo, labels, start, end, maintenance_counts=contract.maintenance_counts
        )  # fmt: skip

    def _downshifts(self, period: str) -> tuple[Interval, ...]:
        start, end = bounds(period)
        with self._store.transaction(read_only=True) as transaction:
            changes = transaction.events.between(start - LOOK_BACK, end, (EVENT_TIER_CHANGED,))
        return downshifts(changes, start, end)

    def _usage_of(self, period: str) -> list[InvoiceLine]:
        with self._store.transaction(read_only=True) as transaction:
            lines = transaction.usage.lines(booked=period)
        return [line for line in lines if line.kind is LineKind.USAGE]


def undecided(period: Period, periods: Sequence[Period]) -> set[tuple[str, str]]:
    """(contract, tenant) of a closed month for which there was no data then, nor when a later month was closed."""
    latest: dict[tuple[str, str], str] = {}
    for each in periods:
        for decision in _kept_decisions(each):
            if decision.get("period") == period.name:
                latest[str(decision["contract"]), str(decision["tenant"])] = str(decision["verdict"])
    return {key for key, verdict in latest.items() if verdict == Verdict.NO_DATA.value}


def _kept_decisions(period: Period) -> list[Mapping[str, JSON]]:
    kept = (period.controls or {}).get("credits")
    return [each for each in kept if isinstance(each, Mapping)] if isinstance(kept, list) else []


def _widened(interval: Interval) -> Interval:
    """To whole entries of the ledger: an entry that an interval touches counts with it."""
    start, end = interval
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (start - midnight) // _STEP * _STEP, midnight - (midnight - end) // _STEP * _STEP
