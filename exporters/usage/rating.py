"""From quantities to invoice lines: free allowance, price, and one rounding a line.

A line that adjusts an earlier month is the difference between that month reckoned anew, by its own terms, and what
was invoiced for it so far. So the lines of a month add up to what one invoice without late usage would have said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from controlplane.model import exact
from controlplane.model.event import JSON
from controlplane.model.usage import Aggregation, InvoiceLine, LineKind
from exporters.usage.terms import Billing, Meter, Price, Rounding

_HALF: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Rated:
    """A quantity taken apart; `amount` is money where there is a price, else units."""

    quantity: Decimal
    free: Decimal
    billed: Decimal
    amount: Decimal


def rounded(value: Fraction, decimals: int, rounding: Rounding) -> Decimal:
    """The nearest number of so many decimals; what lies between two goes as `rounding` says. UP goes away from 0."""
    scaled = abs(value) * 10**decimals
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    share = Fraction(rest, scaled.denominator)
    up = {
        Rounding.UP: share > 0,
        Rounding.DOWN: False,
        Rounding.HALF_UP: share >= _HALF,
        Rounding.HALF_EVEN: share > _HALF or (share == _HALF and whole % 2 == 1),
    }[rounding]
    digits = tuple(int(digit) for digit in str(whole + up))
    return Decimal((int(value < 0 and whole + up > 0), digits, -decimals))


def rated(quantity: Decimal, billing: Billing) -> Rated:
    """What of a month's quantity is free, what is billed, and the amount."""
    free = min(quantity, billing.free)
    billed = exact.subtract(quantity, free)
    if billing.price is not None:
        money = Fraction(billed) * Fraction(billing.price.amount) / Fraction(billing.price.per)
        return Rated(quantity, free, billed, rounded(money, billing.price.decimals, billing.rounding))
    if billing.decimals is not None:
        return Rated(quantity, free, billed, rounded(Fraction(billed), billing.decimals, billing.rounding))
    return Rated(quantity, free, billed, billed)


def usage_line(meter: Meter, tenant: str, period: str, quantity: Decimal) -> InvoiceLine:
    """The line of what a tenant used of a month, on the invoice of that month."""
    return _line(rated(quantity, meter.billing), LineKind.USAGE, tenant, meter, booked=period, period=period)


def adjustment_line(
    meter: Meter, tenant: str, late: Decimal, *, booked: str, period: str, earlier: Sequence[InvoiceLine]
) -> InvoiceLine:
    """The line of what came late for `period`, on the invoice of `booked`.

    `earlier` are this tenant's and meter's lines of that month so far; their terms hold, where there are any.
    """
    by = _as_before(meter, earlier)
    before = exact.total(line.quantity for line in earlier)
    after = max(before, late) if by.aggregation is Aggregation.MAX else exact.add(before, late)
    new = rated(after, by.billing)
    change = Rated(
        exact.subtract(after, before),
        exact.subtract(new.free, exact.total(line.free for line in earlier)),
        exact.subtract(new.billed, exact.total(line.billed for line in earlier)),
        exact.subtract(new.amount, exact.total(line.amount for line in earlier)),
    )
    return _line(change, LineKind.ADJUSTMENT, tenant, by, booked=booked, period=period, note=f"late usage of {period}")


def _line(
    found: Rated, kind: LineKind, tenant: str, meter: Meter, *, booked: str, period: str, note: str = ""
) -> InvoiceLine:
    price = meter.billing.price
    return InvoiceLine(
        booked=booked,
        kind=kind,
        tenant=tenant,
        item=meter.name,
        period=period,
        unit=meter.unit,
        quantity=found.quantity,
        free=found.free,
        billed=found.billed,
        currency=price.currency if price else "",
        amount=found.amount,
        terms=terms_of(meter),
        note=note,
    )


def terms_of(meter: Meter) -> dict[str, JSON]:
    """What a line is reckoned by, to be kept with it."""
    billing = meter.billing
    terms: dict[str, JSON] = {
        "aggregation": meter.aggregation.value,
        "unit": meter.unit,
        "free": exact.plain(billing.free),
        "rounding": billing.rounding.value,
    }
    if billing.decimals is not None:
        terms["decimals"] = billing.decimals
    if billing.price is not None:
        terms["price"] = {
            "amount": exact.plain(billing.price.amount),
            "per": exact.plain(billing.price.per),
            "currency": billing.price.currency,
            "decimals": billing.price.decimals,
        }
    return terms


def _as_before(meter: Meter, earlier: Sequence[InvoiceLine]) -> Meter:
    """The meter as it was when the month was first invoiced."""
    if not earlier:
        return meter
    terms = earlier[0].terms
    return Meter(
        name=meter.name,
        event_type=meter.event_type,
        aggregation=Aggregation(terms["aggregation"]),
        unit=str(terms["unit"]),
        billing=_billing(terms),
    )


def _billing(terms: Mapping[str, JSON]) -> Billing:
    price, decimals = terms.get("price"), terms.get("decimals")
    return Billing(
        free=Decimal(str(terms["free"])),
        rounding=Rounding(terms["rounding"]),
        decimals=decimals if isinstance(decimals, int) else None,
        price=_price(price) if isinstance(price, Mapping) else None,
    )


def _price(kept: Mapping[str, JSON]) -> Price:
    decimals = kept["decimals"]
    assert isinstance(decimals, int)
    return Price(Decimal(str(kept["amount"])), Decimal(str(kept["per"])), str(kept["currency"]), decimals)
