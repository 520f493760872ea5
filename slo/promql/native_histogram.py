"""Latency on a native histogram (Prometheus 3, or 2.40 on with a feature flag), recognized in what people write."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final

import promql_parser as promql

from slo.promql.promql_text import Selector, Token, TokenKind, selectors, silent, tokens, without_placeholders

_FRACTION: Final = "histogram_fraction"
_COUNT: Final = "histogram_count"
_FORM: Final = "write good as histogram_fraction(0, 0.3, sum(rate(x[5m]))) * histogram_count(sum(rate(x[5m])))"


@dataclass(frozen=True, slots=True)
class NativeLatency:
    """The histogram as the user selects it, and the bound."""

    histogram: str
    threshold: Decimal


class NativeFault(Exception):
    """A fraction of a histogram that does not tell the fast or slow events of the total; `in_total` says where."""

    def __init__(self, message: str, hint: str, *, in_total: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.in_total = in_total


def speaks_of_fraction(text: str) -> bool:
    """Whether a query uses `histogram_fraction`."""
    return _FRACTION in text and bool(_calls([token for token in tokens(text) if not silent(token)]))


def native_latency_of(part: str, total: str, *, part_is_good: bool) -> NativeLatency:
    """Recognize the share within a bound, times the number of events, of the number of events of one histogram.

    Of bad events: one minus the share. Both queries must parse. Raises `NativeFault`.
    """
    listed = tokens(without_placeholders(part))
    arguments = list(_arguments(part, listed))
    if len(arguments) != 3:
        raise NativeFault("one histogram_fraction tells the latency", _FORM)
    lower, upper = _number(arguments[0]), _number(arguments[1])
    if lower is None or upper is None or not upper.is_finite() or (lower.is_finite() and lower > 0):
        raise NativeFault("the fraction must reach from 0 up to a threshold", "as in histogram_fraction(0, 0.3, …)")
    _check_shape(part, part_is_good=part_is_good)
    _check_same_histogram(part, total)
    return NativeLatency(arguments[2].strip(), upper)


def _arguments(text: str, listed: Sequence[Token]) -> Iterator[str]:
    """The arguments of the only histogram_fraction, as written; nothing when there are several."""
    speaking = [token for token in listed if not silent(token)]
    at = _calls(speaking)
    if len(at) != 1:
        return
    depth, start = 0, speaking[at[0] + 1].end
    for token in speaking[at[0] + 1 :]:
        if token.kind is TokenKind.MARK:
            depth += (token.text in ("(", "{")) - (token.text in (")", "}"))
        if (depth == 1 and token.text == ",") or depth == 0:
            yield text[start : token.start]
            start = token.end
        if depth == 0:
            return


def _calls(speaking: Sequence[Token]) -> list[int]:
    """Where it is called."""
    return [
        index
        for index, (token, after) in enumerate(pairwise(speaking))
        if token.text == _FRACTION and after.text == "("
    ]


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.strip().replace("Inf", "Infinity"))
    except InvalidOperation:
        return None


def _check_shape(part: str, *, part_is_good: bool) -> None:
    tree = promql.parse(without_placeholders(part))
    factors = list(_factors(tree))
    share = [factor for factor in factors if _is_share(factor)]
    rest = [_is_rest(factor) for factor in factors]
    if part_is_good and len(share) == 1 and not any(rest):
        return
    if not part_is_good and sum(rest) == 1 and not share:
        return
    slow = "write bad as (1 - histogram_fraction(0, 0.3, sum(rate(x[5m])))) * histogram_count(sum(rate(x[5m])))"
    kind = "good" if part_is_good else "bad"
    raise NativeFault(f"this is not the number of {kind} events", _FORM if part_is_good else slow)


def _factors(tree: promql.Expr) -> Iterator[promql.Expr]:
    tree = _bare(tree)
    if isinstance(tree, promql.BinaryExpr) and str(tree.op) == "*":
        yield from _factors(tree.lhs)
        yield from _factors(tree.rhs)
    else:
        yield tree


def _is_share(tree: promql.Expr) -> bool:
    return isinstance(tree, promql.Call) and str(tree.func.name) == _FRACTION


def _is_rest(tree: promql.Expr) -> bool:
    """Whether it is one minus the share."""
    if not isinstance(tree, promql.BinaryExpr) or str(tree.op) != "-":
        return False
    whole = _bare(tree.lhs)
    return isinstance(whole, promql.NumberLiteral) and whole.val == 1 and _is_share(_bare(tree.rhs))


def _bare(tree: promql.Expr) -> promql.Expr:
    while isinstance(tree, promql.ParenExpr):
        tree = tree.expr
    return tree


def _check_same_histogram(part: str, total: str) -> None:
    own = {_asked(selector) for selector in selectors(tokens(without_placeholders(part)))}
    counted = {_asked(selector) for selector in selectors(tokens(without_placeholders(total)))}
    if len(own) == 1 and own == counted and _COUNT in total:
        return
    hint = "write total as histogram_count(sum(rate(x[5m]))), of the same histogram"
    raise NativeFault("this is not the number of all events of the histogram", hint, in_total=True)


def _asked(selector: Selector) -> tuple[str, frozenset[tuple[str, str, str]]]:
    return selector.name, frozenset((each.label, each.operator, each.value) for each in selector.matchers)
