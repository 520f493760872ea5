"""Metering against a model simple enough to be right: deliveries repeated, contradicting and late, and closes."""

import tempfile
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controlplane.model.usage import Aggregation, InvoiceLine, LineKind, Receipt, UsageEvent
from controlplane.store import migrate, open_store
from exporters.usage.closing import Closer, read_closed
from exporters.usage.deliveries import Delivery
from exporters.usage.export import totals_of
from exporters.usage.intake import Intake
from exporters.usage.periods import bounds, following
from exporters.usage.rating import rated
from exporters.usage.terms import Billing, Meter, Price, Rounding, UsageTerms
from tests.contracts.metering import used

_FIRST = "2026-09"
_MONTHS = ("2026-09", "2026-10", "2026-11", "2026-12")
_TENANTS = ("alpha", "beta")
_PRICE = Price(Decimal("0.3"), Decimal(7), "USD", 2)  # never comes out even
_METERS = {
    Aggregation.SUM: Meter("sum", "t", Aggregation.SUM, "unit", billing=Billing(Decimal(9), price=_PRICE)),
    Aggregation.MAX: Meter(
        "max", "t", Aggregation.MAX, "unit", billing=Billing(Decimal(2), Rounding.HALF_EVEN, decimals=1)
    ),
    Aggregation.UNIQUE: Meter("unique", "t", Aggregation.UNIQUE, "unit", billing=Billing(Decimal(1), price=_PRICE)),
}  # fmt: skip
_TERMS = UsageTerms(tuple(sorted(_METERS.values(), key=lambda meter: meter.name)))


@dataclass(frozen=True)
class _Sent:
    """What is sent: which event, and what it says."""

    id: int
    tenant: str
    month: str
    quantity: Decimal
    aggregation: Aggregation


_SENT = st.builds(
    _Sent,
    id=st.integers(0, 12),
    tenant=st.sampled_from(_TENANTS),
    month=st.sampled_from(_MONTHS),
    quantity=st.decimals(0, 20, places=3),
    aggregation=st.sampled_from(list(_METERS)),
)


class MeteringAgainstModel(RuleBasedStateMachine):
    """Every event counts once; what was closed stays; a month's lines add up to one invoice without late usage."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="flyball-metering-")
        url = f"sqlite:///{Path(self.folder.name)}/state.db"
        migrate(url)
        self.store = open_store(url)

    @initialize()
    def nothing_yet(self) -> None:
        self.known: dict[tuple[str, int], tuple[_Sent, str]] = {}  # → what it said, where it was booked
        self.aside: set[_Sent] = set()
        self.next_month = _FIRST
        self.invoices: dict[str, tuple[InvoiceLine, ...]] = {}

    @rule(batch=st.lists(_SENT, max_size=8))
    def deliver(self, batch: list[_Sent]) -> None:
        expected = Receipt()
        for sent in batch:
            expected += self._expect(sent)
        taken = Intake(self.store).take(Delivery(tuple(_event(sent) for sent in batch)), self._now())
        assert taken.receipt == expected

    def _expect(self, sent: _Sent) -> Receipt:
        known = self.known.get((sent.tenant, sent.id))
        if known is None:
            booked = max(sent.month, self.next_month)
            self.known[sent.tenant, sent.id] = (sent, booked)
            return Receipt(accepted=1, late=int(booked != sent.month))
        if known[0] == sent:
            return Receipt(duplicates=1)
        self.aside.add(sent)
        return Receipt(conflicts=1)

    @precondition(lambda self: self.next_month <= _MONTHS[-1])
    @rule()
    def close(self) -> None:
        month = self.next_month
        closed = Closer(self.store, _TERMS).close(month, self._now())
        assert not closed.already
        self.invoices[month] = closed.lines
        self.next_month = following(month)
        expected = {
            (sent.tenant, sent.month, sent.aggregation.value)
            for sent, booked in self.known.values()
            if booked == month
        }  # fmt: skip
        assert {(line.tenant, line.period, line.item) for line in closed.lines} == expected

    @rule()
    def close_again(self) -> None:
        for month, lines in self.invoices.items():
            closed = Closer(self.store, _TERMS).close(month, self._now())
            assert closed.already
            assert closed.lines == lines

    @invariant()
    def lines_of_a_month_add_up_to_one_invoice_of_all_that_is_known_of_it(self) -> None:
        lines = [line for invoice in getattr(self, "invoices", {}).values() for line in invoice]
        for month in _MONTHS:
            for tenant in _TENANTS:
                for aggregation, meter in _METERS.items():
                    self._check(lines, month, tenant, aggregation, meter)

    def _check(self, lines: list[InvoiceLine], month: str, tenant: str, aggregation: Aggregation, meter: Meter) -> None:
        own = [line for line in lines if (line.period, line.tenant, line.item) == (month, tenant, meter.name)]
        invoiced = [sent for sent, booked in self.known.values() if booked < self.next_month]
        wanted = (month, tenant, aggregation)
        quantity = _quantity(
            [sent for sent in invoiced if (sent.month, sent.tenant, sent.aggregation) == wanted], aggregation
        )
        if quantity is None:
            assert not own
            return
        whole = rated(quantity, meter.billing)
        assert sum(line.quantity for line in own) == quantity
        assert sum(line.free for line in own) == whole.free
        assert sum(line.billed for line in own) == whole.billed
        assert sum(line.amount for line in own) == whole.amount
        assert sum(line.kind is LineKind.USAGE for line in own) <= 1

    @invariant()
    def what_was_set_aside_is_kept(self) -> None:
        with self.store.transaction(read_only=True) as transaction:
            kept = transaction.usage.set_aside(1000)
        assert len(kept) == len(getattr(self, "aside", ()))

    @invariant()
    def totals_are_sums_of_rounded_amounts(self) -> None:
        for month in getattr(self, "invoices", {}):
            closed = read_closed(self.store, month)
            assert closed is not None
            sums: dict[str, Decimal] = defaultdict(Decimal)
            for line in closed.lines:
                sums[line.currency or f"unit {line.unit}"] += line.amount
            assert {name: Decimal(str(text)) for name, text in totals_of(closed.lines).items()} == dict(sums)

    def _now(self) -> datetime:
        return bounds(self.next_month)[1]

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


def _event(sent: _Sent) -> UsageEvent:
    year, month = (int(part) for part in sent.month.split("-"))
    return used(
        f"e{sent.id}",
        "1" if sent.aggregation is Aggregation.UNIQUE else str(sent.quantity),
        tenant=sent.tenant,
        time=datetime(year, month, 15, tzinfo=UTC),
        meter=sent.aggregation.value,
        aggregation=sent.aggregation,
        value=str(int(sent.quantity)) + ("" if sent.aggregation is not Aggregation.UNIQUE else f" {sent.quantity}"),
    )


def _quantity(sent: list[_Sent], aggregation: Aggregation) -> Decimal | None:
    if not sent:
        return None
    if aggregation is Aggregation.MAX:
        return max(each.quantity for each in sent)
    if aggregation is Aggregation.UNIQUE:
        return Decimal(len({str(each.quantity) for each in sent}))
    return sum((each.quantity for each in sent), Decimal(0))


TestMeteringAgainstModel = MeteringAgainstModel.TestCase
TestMeteringAgainstModel.settings = settings(
    max_examples=settings.default.max_examples // 4, stateful_step_count=20, deadline=None
)
