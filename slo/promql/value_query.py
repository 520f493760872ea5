"""A user's query whose values are taken as they are: a gauge, or a ratio that they compute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

import promql_parser as promql

from controlplane.burn_rate import duration
from slo.promql.event_query import QueryFault, refuse_what_old_engines_do_not_know
from slo.promql.promql_text import Selector, Token, TokenKind, selectors, silent, tokens, without_placeholders

_FIVE_MINUTES: Final = frozenset({"5m", "300s"})


@dataclass(frozen=True, slots=True)
class ValueQuery:
    """A query as pieces of the user's text; None stands for a length that they left open (`{{.window}}`).

    `selectors` are the metric selectors in order. `is_selector`: it is one of them and nothing else, not an offset.
    `over_five_minutes`: it looks at ranges only, and each of them is open or 5 minutes long.
    """

    pieces: tuple[str | None, ...]
    selectors: tuple[Selector, ...]
    is_selector: bool
    over_five_minutes: bool

    @property
    def has_open_range(self) -> bool:
        """Whether the user left a range open."""
        return None in self.pieces

    def over(self, window: timedelta) -> str:
        """The expression, open ranges filled with `window`."""
        filled = (duration(window) if piece is None else piece for piece in self.pieces)
        return "".join(filled).strip()


@lru_cache(maxsize=8_192)
def value_query(text: str) -> ValueQuery:
    """Understand a query. Raises `QueryFault`."""
    padded = without_placeholders(text)
    try:
        tree = promql.parse(padded)
    except ValueError as error:
        raise QueryFault(str(error), rule="promql-syntax") from None
    if "\0" in text:
        raise QueryFault("a NUL character", "remove it", offset=text.index("\0"))
    listed = tokens(padded)
    found = selectors(listed)
    refuse_what_old_engines_do_not_know(listed, found)
    _refuse_what_is_no_vector(tree, found)
    ranges = [token for token in listed if token.kind is TokenKind.RANGE]
    is_open = [text[token.start : token.end] != token.text for token in ranges]
    five = [one or token.text[1:-1].strip() in _FIVE_MINUTES for one, token in zip(is_open, ranges, strict=True)]
    return ValueQuery(
        pieces=tuple(_pieces(text, listed)),
        selectors=tuple(found),
        is_selector=isinstance(tree, promql.VectorSelector) and len(_speaking(listed)) == _length(found[0]),
        over_five_minutes=bool(ranges) and all(five) and len(ranges) == len(found),
    )


def _pieces(text: str, listed: Sequence[Token]) -> list[str | None]:
    pieces: list[str | None] = []
    for token in listed:
        if token.kind is TokenKind.RANGE and text[token.start : token.end] != token.text:
            _, colon, resolution = token.text[1:-1].partition(":")
            pieces += ["[", None, f"{colon}{resolution.strip()}]"]
        else:
            pieces.append(" " if silent(token) else token.text)
    return pieces


def _refuse_what_is_no_vector(tree: promql.Expr, found: Sequence[Selector]) -> None:
    while isinstance(tree, promql.ParenExpr):
        tree = tree.expr
    if isinstance(tree, promql.MatrixSelector):
        raise QueryFault("a range alone is not a value", "write the metric without [..], or avg_over_time(…[5m])")
    if isinstance(tree, promql.StringLiteral):
        raise QueryFault("a text is not a value", "write the name of a metric without quotes")
    if not found:
        raise QueryFault("no metric in it: it says nothing about the service", "write the name of a metric")


def _speaking(listed: Sequence[Token]) -> list[Token]:
    return [token for token in listed if not silent(token)]


def _length(selector: Selector) -> int:
    return selector.last - selector.first + 1
