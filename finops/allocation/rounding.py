"""Money to a currency's last place: one line by itself, and several so that they still add up."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal
from typing import Final

from finops.allocation.exact import total

# ISO 4217: decimal places of the currencies that do not have two.
_PLACES: Final = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
                     "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip
_HALF_UP: Final = Context(prec=400, rounding=ROUND_HALF_UP)
_FLOOR: Final = Context(prec=400, rounding=ROUND_FLOOR)


def places_of(currency: str) -> int:
    """Decimal places of a currency (ISO 4217); two where we do not know better."""
    return _PLACES.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """As an invoice says it: half a cent away from zero."""
    return amount.quantize(_unit(currency), context=_HALF_UP)


def apportioned(amounts: Sequence[Decimal], whole: Decimal, currency: str) -> tuple[Decimal, ...]:
    """The amounts rounded so that they add up to `whole`, which is in whole cents already.

    Each is cut down to a cent, and what is then missing goes out in cents, to the largest remainders first (Hamilton's
    method), so a reader who adds up a column gets its total. Amounts of exactly zero stay zero while others are there.
    Where `whole` is the rounded sum, none is off by a cent or more. Without amounts there is nothing.
    """
    if not amounts:
        return ()
    unit = _unit(currency)
    shown = [amount.quantize(unit, context=_FLOOR) for amount in amounts]
    missing = int(total((whole, *(-each for each in shown))) / unit)
    remainders = [total((amount, -cut)) for amount, cut in zip(amounts, shown, strict=True)]
    order = sorted(range(len(amounts)), key=lambda at: (amounts[at] == 0, -remainders[at]))
    if missing < 0:
        order = [at for at in reversed(order) if amounts[at]] or order
        unit = -unit
    else:
        order = [at for at in order if amounts[at]] or order
    for step in range(abs(missing)):
        shown[order[step % len(order)]] += unit
    return tuple(shown)


def _unit(currency: str) -> Decimal:
    return Decimal((0, (1,), -places_of(currency)))
