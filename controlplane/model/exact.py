"""Decimals that are never rounded by accident: 100 digits, and an error instead of a rounded result."""

from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

DIGITS: Final = 100
_EXACT: Final = Context(prec=DIGITS, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
ZERO: Final = Decimal(0)


def add(left: Decimal, right: Decimal) -> Decimal:
    """The exact sum. Raises `decimal.Inexact` beyond 100 digits."""
    return _EXACT.add(left, right)


def subtract(left: Decimal, right: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """The exact product."""
    return _EXACT.multiply(left, right)


def total(values: Iterable[Decimal]) -> Decimal:
    """The exact sum of all; 0 of none."""
    result = ZERO
    for value in values:
        result = _EXACT.add(result, value)
    return result


def plain(value: Decimal) -> str:
    """The one spelling of a finite number: no exponent, no zeros at the end, no minus before 0."""
    text = str(value)
    if "E" in text:  # `format` knows no exponents, and takes several times as long
        text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
