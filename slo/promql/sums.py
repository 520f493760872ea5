"""Sums as users write them: the inside of a single one, and the terms of several."""

from collections.abc import Sequence
from typing import TypeVar

from slo.promql.promql_text import Token, silent

_Piece = TypeVar("_Piece")
Term = tuple[str, slice]  # the operator before it (empty before the first), and its tokens


def inside_of_sum(listed: Sequence[Token]) -> tuple[slice | None, tuple[str, ...]]:
    """The tokens between the parentheses when the whole text is one `sum (…)`, and the labels it groups by."""
    speaking = [index for index, token in enumerate(listed) if not silent(token)]
    texts = [listed[index].text for index in speaking]
    if not texts or texts[0].lower() != "sum":
        return None, ()
    at, labels = _grouping(texts, 1)
    closing = _closing(texts, at)
    if closing is None:
        return None, ()
    end, after = _grouping(texts, closing + 1)
    if end != len(texts):
        return None, ()
    return slice(speaking[at] + 1, speaking[closing]), labels or after


def terms_of(listed: Sequence[Token]) -> list[Term]:
    """The terms of `sum(a) + sum(b) - sum(c)`, of sums without labels; none when it is anything else."""
    speaking = [index for index, token in enumerate(listed) if not silent(token)]
    texts = [listed[index].text for index in speaking]
    found: list[Term] = []
    at = 0
    while texts[at + 1 : at + 2] == ["("] and texts[at].lower() == "sum":
        closing = _closing(texts, at + 1)
        if closing is None:
            return []
        found.append((texts[at - 1] if at else "", slice(speaking[at], speaking[closing] + 1)))
        if closing + 1 == len(texts):
            return found if len(found) > 1 else []
        if texts[closing + 1] not in ("+", "-"):
            return []
        at = closing + 2
    return []


def with_missing_as_none(spans: Sequence[list[_Piece | str]], terms: Sequence[Term]) -> list[list[_Piece | str]]:
    """Terms that are missing count nothing while others are there: a code that nobody has seen yet hides no other.

    What something is subtracted from must be there itself.
    """
    texts = [(operator, [piece for span in spans[term] for piece in span]) for operator, term in terms]
    is_difference = any(operator == "-" for operator, _ in terms)
    none: list[_Piece | str] = []
    for _, text in texts[:1] if is_difference else texts:
        none += [" or " if none else " or 0 * (", *text]
    none.append(")")
    filled: list[list[_Piece | str]] = []
    for operator, text in texts:
        before = f" {operator} " if operator else ""
        must_be_there = is_difference and not operator
        filled.append([before, *text] if must_be_there else [f"{before}(", *text, *none, ")"])
    return filled


def _grouping(texts: Sequence[str], at: int) -> tuple[int, tuple[str, ...]]:
    """The place after `by (…)` or `without (…)`, and the labels of a `by`."""
    if at >= len(texts) or texts[at].lower() not in ("by", "without"):
        return at, ()
    closing = texts.index(")", at)
    labels = tuple(text for text in texts[at + 2 : closing] if text != ",")
    return closing + 1, labels if texts[at].lower() == "by" else ()


def _closing(texts: Sequence[str], at: int) -> int | None:
    """The place of the parenthesis that closes the one at `at`."""
    depth = 0
    for place in range(at, len(texts)):
        depth += (texts[place] == "(") - (texts[place] == ")")
        if depth == 0:
            return place
    return None
