"""Closes a month: freeze it, recount it, reckon its lines, check the control totals, keep all that at once.

Killed anywhere, it is repeated as a whole: until the last transaction nothing is written but that the month is frozen,
and what is frozen does not change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.conventions import EVENT_PERIOD_CLOSED
from controlplane.model.event import JSON, Event
from controlplane.model.usage import InvoiceLine, LineKind, Period, PeriodState, Tally
from controlplane.ports import HeldLease, Permanent, Store, Transaction
from exporters.usage.controls import Key, controls_of, differences, tallied
from exporters.usage.crediting import Crediting
from exporters.usage.export import export_of, totals_of
from exporters.usage.ports import AchievedSLO
from exporters.usage.rating import adjustment_line, usage_line
from exporters.usage.terms import UsageTerms

ACTOR: Final = "usage"
_PAGE: Final = 20_000  # events recounted in one transaction


class NotClosable(Exception):
    """Why a month cannot be closed now; what to do stands in the message."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed month. `already` when it was closed before: then nothing was changed."""

    period: str
    lines: tuple[InvoiceLine, ...]
    controls: tuple[JSON, ...]
    credits: tuple[JSON, ...]
    already: bool


def no_progress(events: int) -> None:
    """Nobody watches."""


class Closer:
    """Closes months, one after the other."""

    def __init__(
        self,
        store: Store,
        terms: UsageTerms,
        *,
        source: AchievedSLO | None = None,
        lease: HeldLease | None = None,
        progress: Callable[[int], None] = no_progress,
    ) -> None:
        self._store = store
        self._terms = terms
        self._crediting = Crediting(store, terms, source)
        self._lease = lease
        self._progress = progress

    def close(self, period: str, now: datetime) -> Closed:
        """Close it; what is closed stays as it is. The caller has checked that its time has come.

        Raises `NotClosable` while an earlier month is open or a meter is no longer declared, `Permanent` when the
        events do not add up to the totals: then something wrote into the database past us.
        """
        found = read_closed(self._store, period)
        if found is not None:
            return found
        with self._store.transaction(lease=self._lease) as transaction:
            self._check(transaction, period)
            transaction.usage.move(period, PeriodState.CLOSING, now)
        recounted = self._recount(period)
        with self._store.transaction(read_only=True) as transaction:
            tallies = tallied(transaction.usage.totals(booked=period))
            wrong = differences(tallies, recounted)
            if wrong:
                raise Permanent(f"usage of {period} does not add up: {'; '.join(wrong[:5])}")
            lines = _lines(transaction, self._terms, period, tallies)
        return self._keep(period, lines, recounted, now)

    def _check(self, transaction: Transaction, period: str) -> None:
        before = [each.name for each in transaction.usage.periods() if each.name < period and not _is_closed(each)]
        if before:
            raise NotClosable(f"{before[0]} is not closed yet: close it first")
        totals = transaction.usage.totals(booked=period)
        unknown = sorted({total.meter for total in totals if self._terms.meter(total.meter) is None})
        if unknown:
            names = ", ".join(unknown)
            raise NotClosable(f"{period} has usage of {names}, which no Meter declares: declare it again")

    def _recount(self, period: str) -> dict[Key, Tally]:
        tallies: list[Tally] = []
        place = None
        while True:
            with self._store.transaction(read_only=True) as transaction:
                page, place = transaction.usage.recount(period, place, _PAGE)
            tallies = list(tallied([*tallies, *page]).values())
            self._progress(sum(tally.events for tally in tallies))
            if place is None:
                return tallied(tallies)

    def _keep(self, period: str, lines: Sequence[InvoiceLine], recounted: dict[Key, Tally], now: datetime) -> Closed:
        controls = controls_of(period, recounted, lines)
        broken = [control for control in controls if not control.holds]
        if broken:
            raise Permanent(f"control totals of {period} do not hold: {broken[0].as_data()}")
        decisions = self._crediting.due(period, [line for line in lines if line.kind is LineKind.USAGE])
        every = [*lines, *(decision.line for decision in decisions if decision.line is not None)]
        rows: list[JSON] = [dict(control.as_data()) for control in controls]
        credit_rows: list[JSON] = [dict(decision.as_data()) for decision in decisions]
        export = export_of(period, every, rows)
        kept: dict[str, JSON] = {"controls": rows, "credits": credit_rows, "sha256": export.sha256}
        with self._store.transaction(lease=self._lease) as transaction:
            if transaction.usage.close(period, every, kept, now):
                self._announce(transaction, period, every, export.sha256, now)
        found = read_closed(self._store, period)
        assert found is not None
        return Closed(found.period, found.lines, found.controls, found.credits, already=False)

    def _announce(
        self, transaction: Transaction, period: str, lines: Sequence[InvoiceLine], digest: str, now: datetime
    ) -> None:
        data: dict[str, JSON] = {"lines": len(lines), "totals": dict(totals_of(lines)), "sha256": digest}
        transaction.events.append(Event(f"{EVENT_PERIOD_CLOSED}:{period}", EVENT_PERIOD_CLOSED, period, now, data), now)
        transaction.audit.append(at=now, actor=ACTOR, action=EVENT_PERIOD_CLOSED, subject=period, detail=data)


def read_closed(store: Store, period: str) -> Closed | None:
    """A month that is closed, as it was kept; None when it is not."""
    with store.transaction(read_only=True) as transaction:
        found = next((each for each in transaction.usage.periods() if each.name == period), None)
        if found is None or not _is_closed(found):
            return None
        lines = tuple(transaction.usage.lines(booked=period))
    kept = found.controls or {}
    controls, credit_rows = kept.get("controls"), kept.get("credits")
    return Closed(
        period,
        lines,
        tuple(controls if isinstance(controls, list) else ()),
        tuple(credit_rows if isinstance(credit_rows, list) else ()),
        already=True,
    )


def preview_lines(store: Store, terms: UsageTerms, period: str) -> list[InvoiceLine]:
    """The lines that a month would have if it were closed now; meters that are not declared any more have none."""
    with store.transaction(read_only=True) as transaction:
        tallies = tallied(transaction.usage.totals(booked=period))
        known = {key: tally for key, tally in tallies.items() if terms.meter(tally.meter) is not None}
        return _lines(transaction, terms, period, known)


def _lines(transaction: Transaction, terms: UsageTerms, period: str, tallies: Mapping[Key, Tally]) -> list[InvoiceLine]:
    lines: list[InvoiceLine] = []
    invoiced: dict[str, dict[tuple[str, str], list[InvoiceLine]]] = {}  # by month, tenant and meter
    for (of, tenant, name), tally in sorted(tallies.items()):
        meter = terms.meter(name)
        if meter is None:
            raise NotClosable(f"{period} has usage of {name}, which no Meter declares: declare it again")
        if not tally.events:
            continue  # only what was set aside
        if of == period:
            lines.append(usage_line(meter, tenant, period, tally.quantity))
            continue
        if of not in invoiced:
            invoiced[of] = _invoiced(transaction, of)
        earlier = invoiced[of].get((tenant, name), [])
        lines.append(adjustment_line(meter, tenant, tally.quantity, booked=period, period=of, earlier=earlier))
    return lines


def _invoiced(transaction: Transaction, period: str) -> dict[tuple[str, str], list[InvoiceLine]]:
    """Lines of usage of a month so far, on whichever invoice they stand, by tenant and meter."""
    found: dict[tuple[str, str], list[InvoiceLine]] = {}
    for line in transaction.usage.lines(period=period):
        if line.kind is not LineKind.CREDIT:
            found.setdefault((line.tenant, line.item), []).append(line)
    return found


def _is_closed(period: Period) -> bool:
    return period.state is PeriodState.CLOSED
