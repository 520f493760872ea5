"""Gauges that are 1 while all is well, recognized in the ratios that people write of them."""

from typing import Final

from slo.promql.promql_text import Selector, TokenKind, selectors, silent, tokens, without_placeholders

_S: Final = "\0"  # stands for the gauge
_R: Final = "[]"
_ALL: Final = frozenset({f"count({_S})", f"count_over_time({_S}{_R})", f"sum(count_over_time({_S}{_R}))"})
_GOOD: Final = frozenset(
    {
        f"sum({_S})",
        f"count({_S}==1)",
        f"sum({_S}==1)",
        f"sum({_S}==bool1)",
        f"sum_over_time({_S}{_R})",
        f"sum(sum_over_time({_S}{_R}))",
    }
)
_BAD: Final = frozenset(
    {
        f"count({_S}==0)",
        f"count({_S}!=1)",
        f"sum({_S}==bool0)",
        f"sum({_S}!=bool1)",
        f"sum(1-{_S})",
    }
)


def bool_gauge_of(part: str, total: str, *, part_is_good: bool) -> str | None:
    """The gauge of `sum(up)` among `count(up)`, or of the same over time; None for any other ratio. Both must parse."""
    shape, gauge = _shape(part)
    if shape not in (_GOOD if part_is_good else _BAD):
        return None
    whole, counted = _shape(total)
    return gauge if whole in _ALL and gauge == counted else None


def _shape(text: str) -> tuple[str, str]:
    """The text with its selector replaced, without spaces; and the selector."""
    listed = tokens(without_placeholders(text))
    found: list[Selector] = selectors(listed)
    if len(found) != 1:
        return "", ""
    first, last = found[0].first, found[0].last
    gauge = "".join(token.text for token in listed[first : last + 1] if not silent(token))
    before, after = listed[:first], listed[last + 1 :]
    shape = [_word(token.kind, token.text) for token in before]
    shape += [_S, *(_word(token.kind, token.text) for token in after)]
    return "".join(shape), gauge


def _word(kind: TokenKind, text: str) -> str:
    if kind is TokenKind.RANGE:
        return _R
    return "" if kind in (TokenKind.SPACE, TokenKind.COMMENT) else text
