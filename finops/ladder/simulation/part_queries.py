"""The live reader's expressions, as a month of them can be asked.

They are the same texts, asked part by part, but for one thing: `timestamp(x)` over a stretch of time takes a Prometheus
quadratic time, as it goes through all samples of the stretch for each of its moments. In its place stands the moment
itself wherever `x` has a sample in the last five minutes. So data counts as missing when it does in life; how old it
is, below five minutes, is not told apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from finops.ladder.model import Ladder, Measure, Signal
from finops.ladder.signals import queries
from finops.pricing.selectors import quoted

FINE: Final = timedelta(minutes=1)
COARSE: Final = timedelta(minutes=5)
_QUOTES: Final = "\"'`"
_CALL: Final = "timestamp("
_FINE_PARTS: Final[Mapping[Measure, str]] = {
    Measure.BURN_RATE: queries.VALUE,
    Measure.SPIKE: queries.SPEND,
    Measure.QUOTA: queries.VALUE,
    Measure.ANOMALY: queries.VALUE,
    Measure.QUERY: queries.VALUE,
}
"""What changes every minute; all else is recorded every five, or judges the age of data."""


@dataclass(frozen=True, slots=True)
class Part:
    """One expression, and whether it is asked at every point or every five minutes."""

    expr: str
    is_fine: bool


def parts_of(signal: Signal) -> dict[str, Part]:
    """What is asked of a signal, by part."""
    fine = _FINE_PARTS.get(signal.measure)
    return {
        part: Part(timeless(expr) if part.startswith(queries.AT) else expr, part == fine)
        for part, expr in queries.signal_parts(signal).items()
    }


def brakes_of(ladder: Ladder) -> str | None:
    """What is left of the error budgets that brake it, with the times of it; None without brakes."""
    asked = queries.brakes_query(ladder)
    return timeless(asked) if asked is not None else None


def spend_of(budget: str, currency: str) -> str:
    """Money an hour of one budget."""
    labels = f"{names.BUDGET}={quoted(budget)},{names.CURRENCY}={quoted(currency)}"
    return f"12 * sum ({names.BUDGET_ROLLING}{{{labels}}})"


def timeless(expr: str) -> str:
    """The same with each `timestamp(x)` as the present, where `x` is there."""
    found: list[str] = []
    at = 0
    while at < len(expr):
        if expr.startswith(_CALL, at) and not (at and (expr[at - 1].isalnum() or expr[at - 1] in "_:")):
            end = _closing(expr, at + len(_CALL))
            inner = timeless(expr[at + len(_CALL) : end])
            found.append(f"(({inner} > bool 0) * 0 + time())")
            at = end + 1
        elif expr[at] in _QUOTES:
            end = _quote_end(expr, at)
            found.append(expr[at:end])
            at = end
        else:
            found.append(expr[at])
            at += 1
    return "".join(found)


def _closing(expr: str, at: int) -> int:
    """Where the parenthesis ends that is open at a place."""
    depth = 1
    while at < len(expr):
        if expr[at] in _QUOTES:
            at = _quote_end(expr, at)
            continue
        depth += {"(": 1, ")": -1}.get(expr[at], 0)
        if not depth:
            return at
        at += 1
    return at


def _quote_end(expr: str, at: int) -> int:
    """The place after the quoted text that begins at a place."""
    mark, at = expr[at], at + 1
    while at < len(expr) and expr[at] != mark:
        at += 2 if expr[at] == "\\" and mark != "`" else 1
    return min(at + 1, len(expr))
