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
    with localcontext(_exactly()):
        return sum(amounts, Decimal(0))


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """`Splitter` for one amount."""
    return Splitter(weights).split(amount)


class Splitter:
    """Splits amounts in proportion to weights ≥ 0; the parts of each add up to it exactly.

    Each part is the proportional one cut to the amount's own decimal places, or to 12 where it has fewer; what is left
    over then goes out in units of the last place, one to each of those with the largest remainders, earlier ones first
    (the largest-remainder method, also Hamilton's). So no part is further from the proportional one than one unit of
    the last place, and weights of zero get nothing. Raises `ValueError` when all weights are zero, or one is negative.
    """

    def __init__(self, weights: Sequence[Decimal]) -> None:
        if any(weight < 0 for weight in weights):
            raise ValueError("weights must not be negative")
        exponent = min((_exponent(weight) for weight in weights), default=0)
        self._sizes = [_units(weight, exponent) for weight in weights]
        self._whole = sum(self._sizes)
        if self._whole == 0:
            raise ValueError("the weights add up to zero")

    def split(self, amount: Decimal) -> list[Decimal]:
        """The parts, in the order of the weights."""
        exponent = min(_exponent(amount), -PLACES)
        units = abs(_units(amount, exponent))
        cut = [divmod(units * size, self._whole) for size in self._sizes]
        parts = [part for part, _ in cut]
        left = units - sum(parts)
        if left:
            for at in sorted(range(len(cut)), key=lambda at: -cut[at][1])[:left]:
                parts[at] += 1
        sign = -1 if amount < 0 else 1
        with localcontext(_exactly()):
            return [Decimal(sign * part).scaleb(exponent) for part in parts]


def _units(amount: Decimal, exponent: int) -> int:
    """An amount in units of 10 ** `exponent`, which is none of its own digits."""
    with localcontext(_exactly()):
        return int(amount.scaleb(-exponent))


def _exponent(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(f"{amount} is no amount")
    return exponent


def _exactly() -> Context:
    """Where nothing is rounded: what does not fit raises."""
    return Context(prec=_DIGITS, traps=_TRAPS)
