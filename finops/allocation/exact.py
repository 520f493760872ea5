"""Money that is added and split without losing a digit."""

from collections.abc import Iterable, Sequence
from decimal import Clamped, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, localcontext
from typing import Final

PLACES: Final = 12
"""Decimal places to which a part of a split is written at least: FOCUS ledgers keep `DECIMAL(38,12)`."""

_DIGITS: Final = 400  # of a sum; more raises instead of rounding
_TRAPS: Final = [Inexact, InvalidOperation, Overflow, DivisionByZero, Clamped]


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum, whatever precision the caller's decimal context has; zero of nothing.

    Raises `decimal.Inexact` where it needs more than 400 digits, instead of rounding.
    """
    with localcontext(Context(prec=_DIGITS, traps=_TRAPS)):
        return sum(amounts, Decimal(0))


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Parts of an amount in proportion to weights ≥ 0, in their order; they add up to the amount exactly.

    Each part is the proportional one cut to the amount's own decimal places, or to 12 where it has fewer; what is left
    over then goes out in units of the last place, one to each of those with the largest remainders, earlier ones first
    (the largest-remainder method, also Hamilton's). So no part is further from the proportional one than one unit of
    the last place, and weights of zero get nothing. Raises `ValueError` when all weights are zero, or one is negative.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    sizes = _whole(weights, _lowest_exponent(weights))
    whole = sum(sizes)
    if whole == 0:
        raise ValueError("the weights add up to zero")
    exponent = min(_exponent(amount), -PLACES)
    (units,) = _whole([amount], exponent)
    sign, units = int(units < 0), abs(units)
    parts = [units * size // whole for size in sizes]
    left = units - sum(parts)
    by_remainder = sorted(range(len(sizes)), key=lambda at: -(units * sizes[at] % whole))
    for at in by_remainder[:left]:
        parts[at] += 1
    return [_decimal(sign, part, exponent) for part in parts]


def _whole(amounts: Sequence[Decimal], exponent: int) -> list[int]:
    """The amounts in units of 10 ** `exponent`."""
    found = []
    for amount in amounts:
        sign, digits, own = amount.as_tuple()
        if not isinstance(own, int):
            raise ValueError(f"{amount} is no amount")
        size = int("".join(map(str, digits)) or "0") * 10 ** (own - exponent)
        found.append(-size if sign else size)
    return found


def _decimal(sign: int, units: int, exponent: int) -> Decimal:
    if units == 0:
        return Decimal((0, (0,), exponent))
    return Decimal((sign, tuple(map(int, str(units))), exponent))


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{amount} is no amount")
    return exponent


def _lowest_exponent(amounts: Sequence[Decimal]) -> int:
    return min((_exponent(amount) for amount in amounts), default=0)
